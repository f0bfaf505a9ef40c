#pragma once
// One pull: the manifest, then layers in parallel while those that are here are unpacked, then the image's records.
//
//   caller's thread   deadlines, progress
//   director          manifest -> config -> ... wait for all ... -> records
//   fetchers          layers, lowest first
//   unpacker          layer by layer

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "runtime/containerd/client.hpp"
#include "runtime/containerd/images/blob_keeper.hpp"
#include "runtime/containerd/images/config_document.hpp"
#include "runtime/containerd/images/shared_work.hpp"
#include "runtime/registry/client.hpp"
#include "runtime/types.hpp"

namespace nodeagent::runtime::containerd {

struct PullParts {
    Client& client;
    SharedWork& work;
    registry::Repository& repository;
    std::string snapshotter;
    std::string lease;
    std::size_t layers_parallel = 3;
};

class Pull {
  public:
    Pull(PullParts parts, registry::Reference reference)
        : parts_(std::move(parts)), blobs_(parts_.client, parts_.work), reference_(std::move(reference)) {}

    /// Once. Errors as Backend::pull has them.
    Result<void> run(const PullOptions& options, const std::function<void(const PullProgress&)>& progress,
                     const std::stop_token& stop);

  private:
    using Clock = std::chrono::steady_clock;
    struct Layer {
        std::atomic<std::int64_t> received{0};
        bool here = false;  // guarded by mutex_, as all below
        bool unpacked = false;
    };

    Result<void> direct();
    Result<void> find_manifest();
    Result<void> fetch_config();
    void fetch_layers();
    void unpack_layers();
    Result<void> record();
    [[nodiscard]] Result<void> await_layer(std::size_t index);
    void fail(Error error);
    /// Why it has to end now, if it has.
    [[nodiscard]] std::optional<Error> expired(const PullOptions& options, const std::stop_token& stop);
    [[nodiscard]] PullProgress view();

    PullParts parts_;
    BlobKeeper blobs_;
    const registry::Reference reference_;
    std::stop_source stop_;

    // set by the director before fetchers and unpacker begin
    Descriptor target_;
    registry::Manifest manifest_;
    ConfigDocument config_;
    std::vector<std::unique_ptr<Layer>> layers_;
    std::atomic<std::size_t> next_layer_{0};

    std::mutex mutex_;
    std::condition_variable_any changed_;
    const Clock::time_point begun_ = Clock::now();
    Clock::time_point active_ = Clock::now();
    std::int64_t seen_bytes_ = 0;
    bool resolved_ = false;
    bool unpacking_ = false;
    bool finished_ = false;
    std::optional<Error> error_;
};

}  // namespace nodeagent::runtime::containerd
