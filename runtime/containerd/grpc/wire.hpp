#pragma once
// Our plain types <-> containerd's messages. Pure.

#include <optional>

#include <google/protobuf/map.h>
#include <google/protobuf/repeated_field.h>

#include "containerd.pb.h"
#include "runtime/containerd/client.hpp"

namespace nodeagent::runtime::containerd::wire_grpc {

namespace wire = ::nodeagent::containerd::wire;

using LabelMap = google::protobuf::Map<std::string, std::string>;

void put(LabelMap& target, const Labels& labels);
[[nodiscard]] Labels labels_of(const LabelMap& map);
void put(wire::Descriptor& target, const Descriptor& descriptor);
[[nodiscard]] Descriptor descriptor_of(const wire::Descriptor& message);
void put(google::protobuf::RepeatedPtrField<wire::Mount>& target, const std::vector<SnapshotMount>& mounts);
[[nodiscard]] std::vector<SnapshotMount> mounts_of(const google::protobuf::RepeatedPtrField<wire::Mount>& messages);
[[nodiscard]] std::optional<WallTime> time_of(const wire::Timestamp& message);  ///< nothing for Go's zero time
[[nodiscard]] Image image_of(const wire::Image& message);
void put(wire::Image& target, const Image& image);
[[nodiscard]] SnapshotInfo snapshot_of(const wire::SnapshotInfo& message);
void put(wire::Container& target, const Container& container);
[[nodiscard]] Container container_of(const wire::Container& message);
[[nodiscard]] Process process_of(const wire::Process& message);
/// Nothing for a topic that is none of a container's.
[[nodiscard]] std::optional<Event> event_of(const wire::Envelope& message);
/// `type` with or without a prefix that ends in '/'.
[[nodiscard]] wire::Any any_of(std::string type, std::string value);

inline constexpr const char* kSpecType = "types.containerd.io/opencontainers/runtime-spec/1/Spec";
inline constexpr const char* kProcessType = "types.containerd.io/opencontainers/runtime-spec/1/Process";
inline constexpr const char* kRuncOptionsType = "containerd.runc.v1.Options";

}  // namespace nodeagent::runtime::containerd::wire_grpc
