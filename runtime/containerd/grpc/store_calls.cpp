// GrpcClient: the daemon, leases, image records, snapshots.

#include <chrono>

#include "runtime/containerd/grpc/grpc_client.hpp"
#include "runtime/containerd/grpc/wire.hpp"

namespace nodeagent::runtime::containerd::wire_grpc {

namespace {

constexpr std::chrono::minutes kCollectTimeout{5};  // a synchronous deletion waits for the collector
constexpr std::chrono::hours kApplyTimeout{1};

wire::SnapshotRequest snapshot_request(const std::string& snapshotter, const std::string& key) {
    wire::SnapshotRequest request;
    request.set_snapshotter(snapshotter);
    request.set_key(key);
    return request;
}

Result<void> without_answer(const Result<wire::Empty>& answer) {
    if (!answer) return answer.error();
    return {};
}

}  // namespace

// ---- the daemon

Result<std::string> GrpcClient::version(std::chrono::nanoseconds deadline) {
    const auto answer = connection_.call<wire::VersionResponse>("/containerd.services.version.v1.Version/Version",
                                                                wire::Empty(), deadline);
    if (!answer) return answer.error();
    return answer->version();
}

Result<std::vector<Plugin>> GrpcClient::plugins() {
    const auto answer = connection_.call<wire::PluginsResponse>(
        "/containerd.services.introspection.v1.Introspection/Plugins", wire::PluginsRequest());
    if (!answer) return answer.error();
    std::vector<Plugin> plugins;
    for (const wire::Plugin& plugin : answer->plugins()) {
        plugins.push_back({.type = plugin.type(),
                           .id = plugin.id(),
                           .usable = plugin.init_err().empty(),
                           .exports = labels_of(plugin.exports())});
    }
    return plugins;
}

Result<void> GrpcClient::make_namespace() {
    wire::CreateNamespaceRequest request;
    request.mutable_namespace_()->set_name(namespace_);
    const auto answer = connection_.call<wire::Empty>("/containerd.services.namespaces.v1.Namespaces/Create", request);
    if (!answer && answer.error().kind != ErrorKind::Conflict) return answer.error();
    return {};
}

// ---- leases

Result<void> GrpcClient::create_lease(const std::string& id, const Labels& labels) {
    wire::CreateLeaseRequest request;
    request.set_id(id);
    put(*request.mutable_labels(), labels);
    return without_answer(connection_.call<wire::Empty>("/containerd.services.leases.v1.Leases/Create", request));
}

Result<void> GrpcClient::delete_lease(const std::string& id) {
    wire::DeleteLeaseRequest request;
    request.set_id(id);
    const auto answer = connection_.call<wire::Empty>("/containerd.services.leases.v1.Leases/Delete", request);
    if (!answer && answer.error().kind != ErrorKind::NotFound) return answer.error();
    return {};
}

Result<std::vector<std::string>> GrpcClient::list_leases() {
    const auto answer = connection_.call<wire::ListLeasesResponse>("/containerd.services.leases.v1.Leases/List",
                                                                   wire::ListLeasesRequest());
    if (!answer) return answer.error();
    std::vector<std::string> ids;
    for (const wire::Lease& lease : answer->leases()) ids.push_back(lease.id());
    return ids;
}

// ---- image records

Result<Image> GrpcClient::get_image(const std::string& name) {
    wire::ImageRequest request;
    request.set_name(name);
    const auto answer = connection_.call<wire::ImageResponse>("/containerd.services.images.v1.Images/Get", request);
    if (!answer) return answer.error();
    return image_of(answer->image());
}

Result<std::vector<Image>> GrpcClient::list_images() {
    const auto answer = connection_.call<wire::ListImagesResponse>("/containerd.services.images.v1.Images/List",
                                                                   wire::ListImagesRequest());
    if (!answer) return answer.error();
    std::vector<Image> images;
    for (const wire::Image& image : answer->images()) images.push_back(image_of(image));
    return images;
}

Result<void> GrpcClient::put_image(const Image& image) {
    wire::CreateImageRequest create;
    put(*create.mutable_image(), image);
    const auto made = connection_.call<wire::ImageResponse>("/containerd.services.images.v1.Images/Create", create);
    if (made) return {};
    if (made.error().kind != ErrorKind::Conflict) return made.error();
    wire::UpdateImageRequest update;
    put(*update.mutable_image(), image);
    update.mutable_update_mask()->add_paths("target");
    update.mutable_update_mask()->add_paths("labels");
    const auto changed = connection_.call<wire::ImageResponse>("/containerd.services.images.v1.Images/Update", update);
    if (!changed) return changed.error();
    return {};
}

Result<void> GrpcClient::delete_image(const std::string& name, bool sync) {
    wire::DeleteImageRequest request;
    request.set_name(name);
    request.set_sync(sync);
    return without_answer(connection_.call<wire::Empty>(
        "/containerd.services.images.v1.Images/Delete", request,
        sync ? std::chrono::nanoseconds(kCollectTimeout) : std::chrono::nanoseconds(kCallTimeout)));
}

// ---- snapshots

Result<SnapshotInfo> GrpcClient::stat_snapshot(const std::string& snapshotter, const std::string& key) {
    const auto answer = connection_.call<wire::StatSnapshotResponse>("/containerd.services.snapshots.v1.Snapshots/Stat",
                                                                     snapshot_request(snapshotter, key));
    if (!answer) return answer.error();
    return snapshot_of(answer->info());
}

Result<std::vector<SnapshotMount>> GrpcClient::prepare_snapshot(const std::string& snapshotter, const std::string& key,
                                                                const std::string& parent, const Labels& labels,
                                                                const std::string& lease) {
    wire::PrepareSnapshotRequest request;
    request.set_snapshotter(snapshotter);
    request.set_key(key);
    request.set_parent(parent);
    put(*request.mutable_labels(), labels);
    const auto answer = connection_.call<wire::MountsResponse>("/containerd.services.snapshots.v1.Snapshots/Prepare",
                                                               request, kCallTimeout, lease);
    if (!answer) return answer.error();
    return mounts_of(answer->mounts());
}

Result<std::vector<SnapshotMount>> GrpcClient::snapshot_mounts(const std::string& snapshotter, const std::string& key) {
    const auto answer = connection_.call<wire::MountsResponse>("/containerd.services.snapshots.v1.Snapshots/Mounts",
                                                               snapshot_request(snapshotter, key));
    if (!answer) return answer.error();
    return mounts_of(answer->mounts());
}

Result<void> GrpcClient::commit_snapshot(const std::string& snapshotter, const std::string& name,
                                         const std::string& key, const Labels& labels, const std::string& lease) {
    wire::CommitSnapshotRequest request;
    request.set_snapshotter(snapshotter);
    request.set_name(name);
    request.set_key(key);
    put(*request.mutable_labels(), labels);
    return without_answer(connection_.call<wire::Empty>("/containerd.services.snapshots.v1.Snapshots/Commit", request,
                                                        kCallTimeout, lease));
}

Result<void> GrpcClient::remove_snapshot(const std::string& snapshotter, const std::string& key) {
    return without_answer(connection_.call<wire::Empty>("/containerd.services.snapshots.v1.Snapshots/Remove",
                                                        snapshot_request(snapshotter, key)));
}

Result<std::int64_t> GrpcClient::snapshot_usage(const std::string& snapshotter, const std::string& key) {
    const auto answer = connection_.call<wire::UsageResponse>("/containerd.services.snapshots.v1.Snapshots/Usage",
                                                              snapshot_request(snapshotter, key));
    if (!answer) return answer.error();
    return answer->size();
}

Result<std::vector<SnapshotInfo>> GrpcClient::list_snapshots(const std::string& snapshotter) {
    wire::ListSnapshotsRequest request;
    request.set_snapshotter(snapshotter);
    const auto about = connection_.context(kCallTimeout);
    const auto stream = connection_.stream<wire::ListSnapshotsResponse>(
        "/containerd.services.snapshots.v1.Snapshots/List", *about, request);
    std::vector<SnapshotInfo> snapshots;
    wire::ListSnapshotsResponse part;
    while (stream->Read(&part)) {
        for (const wire::SnapshotInfo& info : part.info()) snapshots.push_back(snapshot_of(info));
    }
    if (const grpc::Status status = stream->Finish(); !status.ok()) return error_of(status);
    return snapshots;
}

Result<Descriptor> GrpcClient::apply_diff(const Descriptor& layer, const std::vector<SnapshotMount>& mounts,
                                          const std::string& lease, std::stop_token stop) {
    wire::ApplyRequest request;
    put(*request.mutable_diff(), layer);
    put(*request.mutable_mounts(), mounts);
    const auto answer = connection_.call<wire::ApplyResponse>("/containerd.services.diff.v1.Diff/Apply", request,
                                                              kApplyTimeout, lease, stop);
    if (!answer) return answer.error();
    return descriptor_of(answer->applied());
}

}  // namespace nodeagent::runtime::containerd::wire_grpc
