#pragma once
// What we ask of containerd, in plain types: no gRPC, no protobuf, no Asio in it. The implementation is a module that
// is loaded only when containerd is the runtime (module.hpp); tests have one in memory
// (tests/fakes/fake_containerd.hpp). Facts: containerd.md 1-6 and containerd's api/services/*.proto.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::containerd {

using WallTime = std::chrono::system_clock::time_point;
using Labels = std::map<std::string, std::string>;

struct Plugin {
    std::string type;                            ///< "io.containerd.snapshotter.v1"
    std::string id;                              ///< "overlayfs"
    bool usable = false;                         ///< started without an error
    std::map<std::string, std::string> exports;  ///< "root": folder of its data
};

struct Descriptor {
    std::string media_type;
    std::string digest;  ///< "sha256:..."
    std::int64_t size = 0;
    friend bool operator==(const Descriptor&, const Descriptor&) = default;
};

struct ContentInfo {
    std::string digest;
    std::int64_t size = 0;
    Labels labels;
};

struct Image {
    std::string name;
    Labels labels;
    Descriptor target;
    std::optional<WallTime> created_at{}, updated_at{};
};

/// What a mount of a snapshot is, for mount(2) or for a new task's root.
struct SnapshotMount {
    std::string type;
    std::string source;
    std::vector<std::string> options;
    friend bool operator==(const SnapshotMount&, const SnapshotMount&) = default;
};

struct SnapshotInfo {
    enum class Kind : std::uint8_t { Unknown, View, Active, Committed };
    std::string name;
    std::string parent;
    Kind kind = Kind::Unknown;
    Labels labels;
};

/// A protobuf Any whose value we do not look into: JSON, or a message we encode elsewhere.
struct Opaque {
    std::string type_url;
    std::string value;
};

/// How the shim runs a container: containerd.runc.v1.Options.
struct RuncOptions {
    std::string binary_name;  ///< "" runc; "crun", "/usr/bin/nvidia-container-runtime"
    bool systemd_cgroup = false;
};

struct Container {
    std::string id;
    Labels labels;
    std::string image;  ///< an image record's name
    std::string runtime = "io.containerd.runc.v2";
    RuncOptions options;
    std::string spec;  ///< OCI runtime document, JSON
    std::string snapshotter;
    std::string snapshot_key;
    std::map<std::string, Opaque> extensions;
    std::optional<WallTime> created_at{};
};

enum class TaskStatus : std::uint8_t { Unknown, Created, Running, Stopped, Paused, Pausing };

/// A container's init process, or one of its execs.
struct Process {
    std::string container_id;
    std::string exec_id;  ///< "" of the init process
    std::uint32_t pid = 0;
    TaskStatus status = TaskStatus::Unknown;
    std::uint32_t exit_status = 0;
    std::optional<WallTime> exited_at{};
};

struct Exit {
    std::uint32_t status = 0;
    std::optional<WallTime> at{};
};

/// Where a process's streams go: "", a fifo's path, file:// or binary:// (containerd.md 7).
struct Streams {
    std::string in, out, err;
};

struct NewTask {
    std::string container_id;
    std::vector<SnapshotMount> root;
    Streams streams;
    bool terminal = false;
};

struct NewExec {
    std::string container_id;
    std::string exec_id;
    std::string process;  ///< OCI process document, JSON
    Streams streams;
    bool terminal = false;
};

struct Event {
    std::string topic;  ///< "/tasks/exit", "/containers/delete"
    std::string container_id;
    std::string exec_id;  ///< /tasks/exit: "" for the init process
    std::uint32_t exit_status = 0;
    std::optional<WallTime> exited_at{};
};

/// An open ingest of the content store. Destroyed before commit(), it stays there and can be resumed under its ref.
class ContentWriter {
  public:
    virtual ~ContentWriter() = default;
    /// Bytes that are there already: of an earlier, broken ingest of the same ref.
    [[nodiscard]] virtual std::int64_t offset() const = 0;
    /// Appends; any size. Unavailable when the daemon went away.
    virtual Result<void> write(std::string_view bytes) = 0;
    /// Conflict when the blob is there already, which is as good. Malformed when the bytes have another digest or size.
    virtual Result<void> commit(std::int64_t size, const std::string& digest, const Labels& labels) = 0;
};

/// One namespace of one containerd. Every call blocks and may be made by any thread; each but those that say otherwise
/// ends within 10 s with Timeout. Errors: NotFound, Conflict (exists already, or FAILED_PRECONDITION: wrong state),
/// Malformed (INVALID_ARGUMENT, OUT_OF_RANGE), Unavailable (daemon gone), Timeout, Internal. Error::what is the
/// daemon's own text, unprefixed.
class Client {
  public:
    virtual ~Client() = default;

    virtual Result<std::string> version(std::chrono::nanoseconds deadline) = 0;
    virtual Result<std::vector<Plugin>> plugins() = 0;
    /// Makes the namespace; one that is there is fine.
    virtual Result<void> make_namespace() = 0;

    // leases: what is made under one stays until the lease is deleted or expires
    virtual Result<void> create_lease(const std::string& id, const Labels& labels) = 0;
    virtual Result<void> delete_lease(const std::string& id) = 0;  ///< an absent one is fine
    virtual Result<std::vector<std::string>> list_leases() = 0;

    // content; `lease` may be ""
    virtual Result<ContentInfo> content_info(const std::string& digest) = 0;
    /// The whole blob; Malformed when it is longer than `limit`. No time limit of its own beyond 10 s without a byte.
    virtual Result<std::string> read_content(const std::string& digest, std::size_t limit) = 0;
    /// Sets these labels, leaves others.
    virtual Result<void> label_content(const std::string& digest, const Labels& labels) = 0;
    /// Opens or resumes the ingest `ref` of a blob of that size and digest ("" and 0: not known). Conflict: the blob is
    /// there. Unavailable: another writer holds the ref (Error::what contains "locked"), or the daemon is gone.
    virtual Result<std::unique_ptr<ContentWriter>> write_content(const std::string& ref, std::int64_t size,
                                                                 const std::string& digest,
                                                                 const std::string& lease) = 0;
    virtual Result<void> abort_content(const std::string& ref) = 0;  ///< an absent ingest is fine

    // image records
    virtual Result<Image> get_image(const std::string& name) = 0;
    virtual Result<std::vector<Image>> list_images() = 0;
    /// Creates the record or points an existing one to another target and labels.
    virtual Result<void> put_image(const Image& image) = 0;
    /// `sync`: returns when unused blobs and snapshots are gone; up to 5 min.
    virtual Result<void> delete_image(const std::string& name, bool sync) = 0;

    // snapshots
    virtual Result<SnapshotInfo> stat_snapshot(const std::string& snapshotter, const std::string& key) = 0;
    virtual Result<std::vector<SnapshotMount>> prepare_snapshot(const std::string& snapshotter, const std::string& key,
                                                                const std::string& parent, const Labels& labels,
                                                                const std::string& lease) = 0;
    virtual Result<std::vector<SnapshotMount>> snapshot_mounts(const std::string& snapshotter,
                                                               const std::string& key) = 0;
    virtual Result<void> commit_snapshot(const std::string& snapshotter, const std::string& name,
                                         const std::string& key, const Labels& labels, const std::string& lease) = 0;
    virtual Result<void> remove_snapshot(const std::string& snapshotter, const std::string& key) = 0;
    virtual Result<std::int64_t> snapshot_usage(const std::string& snapshotter,
                                                const std::string& key) = 0;  ///< bytes, its own
    /// Names of all snapshots.
    virtual Result<std::vector<SnapshotInfo>> list_snapshots(const std::string& snapshotter) = 0;
    /// Unpacks a layer blob into mounts; the answer describes the uncompressed bytes (its digest is the diff id).
    /// Up to 1 h; Unavailable soon after a stop is asked for.
    virtual Result<Descriptor> apply_diff(const Descriptor& layer, const std::vector<SnapshotMount>& mounts,
                                          const std::string& lease, std::stop_token stop) = 0;

    // containers
    virtual Result<void> create_container(const Container& container) = 0;
    virtual Result<Container> get_container(const std::string& id) = 0;
    /// Filters as containerd.md 1 has them; terms of one are ANDed, several are ORed; none: all.
    virtual Result<std::vector<Container>> list_containers(const std::vector<std::string>& filters) = 0;
    /// Replaces the extension of that key.
    virtual Result<void> set_extension(const std::string& id, const std::string& key, const Opaque& value) = 0;
    /// Replaces the OCI document: of the next task, not of a running one.
    virtual Result<void> set_spec(const std::string& id, const std::string& spec) = 0;
    virtual Result<void> delete_container(const std::string& id) = 0;

    // tasks
    virtual Result<std::uint32_t> create_task(const NewTask& task, std::chrono::nanoseconds deadline) = 0;  ///< pid
    virtual Result<void> start(const std::string& container, const std::string& exec,
                               std::chrono::nanoseconds deadline) = 0;
    virtual Result<Process> get_task(const std::string& container, const std::string& exec) = 0;
    virtual Result<std::vector<Process>> list_tasks() = 0;
    /// NotFound also for a process that has ended.
    virtual Result<void> kill(const std::string& container, const std::string& exec, int signal, bool all) = 0;
    /// Does not block: calls `done` once, on a thread of the client's, when the process has ended or this cannot be
    /// told any more (Unavailable: ask again). Letting go of what is returned cancels: `done` may still be called then.
    [[nodiscard]] virtual std::shared_ptr<void> wait(const std::string& container, const std::string& exec,
                                                     std::function<void(Result<Exit>)> done) = 0;
    /// Frees the shim; the process must have ended. Up to 1 min: the shim waits 12 s for a logging program.
    virtual Result<Exit> delete_task(const std::string& container) = 0;
    virtual Result<void> add_exec(const NewExec& exec) = 0;
    virtual Result<Exit> delete_exec(const std::string& container, const std::string& exec) = 0;

    // events
    /// Delivers events of this namespace until the stream breaks or `stop` is asked for, and says why. `connected` is
    /// called once it is certain that nothing from then on is missed. Both are called on the calling thread.
    virtual Error watch(std::stop_token stop, std::function<void()> connected, std::function<void(Event)> sink) = 0;
};

}  // namespace nodeagent::runtime::containerd
