#pragma once
// containerd::Client over gRPC.

#include "runtime/containerd/client.hpp"
#include "runtime/containerd/grpc/connection.hpp"

namespace nodeagent::runtime::containerd::wire_grpc {

class GrpcClient final : public Client {
  public:
    GrpcClient(const std::string& socket, const std::string& name_space)
        : namespace_(name_space), connection_(socket, name_space) {}

    Result<std::string> version(std::chrono::nanoseconds deadline) override;
    Result<std::vector<Plugin>> plugins() override;
    Result<void> make_namespace() override;

    Result<void> create_lease(const std::string& id, const Labels& labels) override;
    Result<void> delete_lease(const std::string& id) override;
    Result<std::vector<std::string>> list_leases() override;

    Result<ContentInfo> content_info(const std::string& digest) override;
    Result<std::string> read_content(const std::string& digest, std::size_t limit) override;
    Result<void> label_content(const std::string& digest, const Labels& labels) override;
    Result<std::unique_ptr<ContentWriter>> write_content(const std::string& ref, std::int64_t size,
                                                         const std::string& digest, const std::string& lease) override;
    Result<void> abort_content(const std::string& ref) override;

    Result<Image> get_image(const std::string& name) override;
    Result<std::vector<Image>> list_images() override;
    Result<void> put_image(const Image& image) override;
    Result<void> delete_image(const std::string& name, bool sync) override;

    Result<SnapshotInfo> stat_snapshot(const std::string& snapshotter, const std::string& key) override;
    Result<std::vector<SnapshotMount>> prepare_snapshot(const std::string& snapshotter, const std::string& key,
                                                        const std::string& parent, const Labels& labels,
                                                        const std::string& lease) override;
    Result<std::vector<SnapshotMount>> snapshot_mounts(const std::string& snapshotter, const std::string& key) override;
    Result<void> commit_snapshot(const std::string& snapshotter, const std::string& name, const std::string& key,
                                 const Labels& labels, const std::string& lease) override;
    Result<void> remove_snapshot(const std::string& snapshotter, const std::string& key) override;
    Result<std::int64_t> snapshot_usage(const std::string& snapshotter, const std::string& key) override;
    Result<std::vector<SnapshotInfo>> list_snapshots(const std::string& snapshotter) override;
    Result<Descriptor> apply_diff(const Descriptor& layer, const std::vector<SnapshotMount>& mounts,
                                  const std::string& lease, std::stop_token stop) override;

    Result<void> create_container(const Container& container) override;
    Result<Container> get_container(const std::string& id) override;
    Result<std::vector<Container>> list_containers(const std::vector<std::string>& filters) override;
    Result<void> set_extension(const std::string& id, const std::string& key, const Opaque& value) override;
    Result<void> set_spec(const std::string& id, const std::string& spec) override;
    Result<void> delete_container(const std::string& id) override;

    Result<std::uint32_t> create_task(const NewTask& task, std::chrono::nanoseconds deadline) override;
    Result<void> start(const std::string& container, const std::string& exec,
                       std::chrono::nanoseconds deadline) override;
    Result<Process> get_task(const std::string& container, const std::string& exec) override;
    Result<std::vector<Process>> list_tasks() override;
    Result<void> kill(const std::string& container, const std::string& exec, int signal, bool all) override;
    std::shared_ptr<void> wait(const std::string& container, const std::string& exec,
                               std::function<void(Result<Exit>)> done) override;
    Result<Exit> delete_task(const std::string& container) override;
    Result<void> add_exec(const NewExec& exec) override;
    Result<Exit> delete_exec(const std::string& container, const std::string& exec) override;

    Error watch(std::stop_token stop, std::function<void()> connected, std::function<void(Event)> sink) override;

  private:
    std::string namespace_;
    Connection connection_;
};

}  // namespace nodeagent::runtime::containerd::wire_grpc
