#include "runtime/containerd/grpc/wire.hpp"

#include <string_view>
#include <utility>

namespace nodeagent::runtime::containerd::wire_grpc {

void put(LabelMap& target, const Labels& labels) {
    for (const auto& [key, value] : labels) target[key] = value;
}

Labels labels_of(const LabelMap& map) {
    Labels labels;
    for (const auto& [key, value] : map) labels.emplace(key, value);
    return labels;
}

void put(wire::Descriptor& target, const Descriptor& descriptor) {
    target.set_media_type(descriptor.media_type);
    target.set_digest(descriptor.digest);
    target.set_size(descriptor.size);
}

Descriptor descriptor_of(const wire::Descriptor& message) {
    return {.media_type = message.media_type(), .digest = message.digest(), .size = message.size()};
}

void put(google::protobuf::RepeatedPtrField<wire::Mount>& target, const std::vector<SnapshotMount>& mounts) {
    for (const SnapshotMount& mount : mounts) {
        wire::Mount& message = *target.Add();
        message.set_type(mount.type);
        message.set_source(mount.source);
        for (const std::string& option : mount.options) message.add_options(option);
    }
}

std::vector<SnapshotMount> mounts_of(const google::protobuf::RepeatedPtrField<wire::Mount>& messages) {
    std::vector<SnapshotMount> mounts;
    mounts.reserve(static_cast<std::size_t>(messages.size()));
    for (const wire::Mount& message : messages) {
        mounts.push_back({.type = message.type(),
                          .source = message.source(),
                          .options = {message.options().begin(), message.options().end()}});
    }
    return mounts;
}

std::optional<WallTime> time_of(const wire::Timestamp& message) {
    if (message.seconds() <= 0) return std::nullopt;
    return WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::seconds(message.seconds()) +
                                                                   std::chrono::nanoseconds(message.nanos())));
}

Image image_of(const wire::Image& message) {
    return {.name = message.name(),
            .labels = labels_of(message.labels()),
            .target = descriptor_of(message.target()),
            .created_at = time_of(message.created_at()),
            .updated_at = time_of(message.updated_at())};
}

void put(wire::Image& target, const Image& image) {
    target.set_name(image.name);
    put(*target.mutable_labels(), image.labels);
    put(*target.mutable_target(), image.target);
}

SnapshotInfo snapshot_of(const wire::SnapshotInfo& message) {
    SnapshotInfo info{.name = message.name(), .parent = message.parent(), .labels = labels_of(message.labels())};
    if (message.kind() >= 1 && message.kind() <= 3) info.kind = static_cast<SnapshotInfo::Kind>(message.kind());
    return info;
}

wire::Any any_of(std::string type, std::string value) {
    wire::Any any;
    any.set_type_url(std::move(type));
    any.set_value(std::move(value));
    return any;
}

void put(wire::Container& target, const Container& container) {
    target.set_id(container.id);
    put(*target.mutable_labels(), container.labels);
    target.set_image(container.image);
    wire::RuncOptions options;
    options.set_binary_name(container.options.binary_name);
    options.set_systemd_cgroup(container.options.systemd_cgroup);
    target.mutable_runtime()->set_name(container.runtime);
    *target.mutable_runtime()->mutable_options() = any_of(kRuncOptionsType, options.SerializeAsString());
    *target.mutable_spec() = any_of(kSpecType, container.spec);
    target.set_snapshotter(container.snapshotter);
    target.set_snapshot_key(container.snapshot_key);
    for (const auto& [key, extension] : container.extensions) {
        (*target.mutable_extensions())[key] = any_of(extension.type_url, extension.value);
    }
}

Container container_of(const wire::Container& message) {
    Container container{.id = message.id(),
                        .labels = labels_of(message.labels()),
                        .image = message.image(),
                        .runtime = message.runtime().name(),
                        .options = {},
                        .spec = message.spec().value(),
                        .snapshotter = message.snapshotter(),
                        .snapshot_key = message.snapshot_key(),
                        .extensions = {},
                        .created_at = time_of(message.created_at())};
    wire::RuncOptions options;
    if (options.ParseFromString(message.runtime().options().value())) {
        container.options = {.binary_name = options.binary_name(), .systemd_cgroup = options.systemd_cgroup()};
    }
    for (const auto& [key, extension] : message.extensions()) {
        container.extensions.emplace(key, Opaque{.type_url = extension.type_url(), .value = extension.value()});
    }
    return container;
}

Process process_of(const wire::Process& message) {
    // Get names the container in `id` as well (1.6); an exec's own id differs from it
    Process process{.container_id = message.container_id().empty() ? message.id() : message.container_id(),
                    .exec_id = message.id(),
                    .pid = message.pid(),
                    .exit_status = message.exit_status(),
                    .exited_at = time_of(message.exited_at())};
    if (process.exec_id == process.container_id) process.exec_id.clear();
    if (message.status() >= 1 && message.status() <= 5) process.status = static_cast<TaskStatus>(message.status());
    return process;
}

std::optional<Event> event_of(const wire::Envelope& message) {
    Event event;
    event.topic = message.topic();
    const std::string& value = message.event().value();
    if (event.topic.starts_with("/containers/")) {
        wire::ContainerEvent about;
        if (!about.ParseFromString(value)) return std::nullopt;
        event.container_id = about.id();
        return event;
    }
    if (!event.topic.starts_with("/tasks/")) return std::nullopt;
    if (event.topic == "/tasks/exit") {
        wire::TaskExitEvent about;
        if (!about.ParseFromString(value)) return std::nullopt;
        event.container_id = about.container_id();
        if (about.id() != about.container_id()) event.exec_id = about.id();
        event.exit_status = about.exit_status();
        event.exited_at = time_of(about.exited_at());
        return event;
    }
    // the other events share the first field with a container's
    wire::ContainerEvent about;
    if (!about.ParseFromString(value)) return std::nullopt;
    event.container_id = about.id();
    return event;
}

}  // namespace nodeagent::runtime::containerd::wire_grpc
