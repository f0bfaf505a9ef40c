#include "agent/engine/spec/docker_documents.hpp"

#include <span>
#include <string>

#include "agent/base/strings.hpp"

namespace nodeagent::engine {

namespace {

enum class Shape : unsigned char {
    Text,
    Bool,
    Integer,
    OptionalBool,
    OptionalInteger,
    TextList,
    Words,  ///< a list of texts, or one text instead of a list of one
    TextMap,
    AnyMap,  ///< an object whose values are Docker's business
    AnyList,
    Struct,
    OptionalStruct,
    StructList,
    StructListMap,  ///< lists of structs by name: PortBindings
};

struct Field;
using Fields = std::span<const Field>;

struct Field {
    std::string_view name;
    Shape shape;
    Fields inner{};
};

using enum Shape;

constexpr Field kHealthcheckFields[] = {{"Test", TextList},       {"Interval", Integer},      {"Timeout", Integer},
                                        {"StartPeriod", Integer}, {"StartInterval", Integer}, {"Retries", Integer}};

constexpr Field kConfigFields[] = {
    {"Hostname", Text},
    {"Domainname", Text},
    {"User", Text},
    {"AttachStdin", Bool},
    {"AttachStdout", Bool},
    {"AttachStderr", Bool},
    {"ExposedPorts", AnyMap},
    {"Tty", Bool},
    {"OpenStdin", Bool},
    {"StdinOnce", Bool},
    {"Env", TextList},
    {"Cmd", Words},
    {"Healthcheck", OptionalStruct, kHealthcheckFields},
    {"ArgsEscaped", Bool},
    {"Image", Text},
    {"Volumes", AnyMap},
    {"WorkingDir", Text},
    {"Entrypoint", Words},
    {"NetworkDisabled", Bool},
    {"MacAddress", Text},
    {"OnBuild", TextList},
    {"Labels", TextMap},
    {"StopSignal", Text},
    {"StopTimeout", OptionalInteger},
    {"Shell", Words},
};

constexpr Field kLogConfigFields[] = {{"Type", Text}, {"Config", TextMap}};
constexpr Field kPortBindingFields[] = {{"HostIp", Text}, {"HostPort", Text}};
constexpr Field kRestartPolicyFields[] = {{"Name", Text}, {"MaximumRetryCount", Integer}};
constexpr Field kDeviceFields[] = {{"PathOnHost", Text}, {"PathInContainer", Text}, {"CgroupPermissions", Text}};
constexpr Field kDeviceRequestFields[] = {
    {"Driver", Text}, {"Count", Integer}, {"DeviceIDs", TextList}, {"Capabilities", AnyList}, {"Options", TextMap}};
constexpr Field kUlimitFields[] = {{"Name", Text}, {"Hard", Integer}, {"Soft", Integer}};
constexpr Field kWeightFields[] = {{"Path", Text}, {"Weight", Integer}};
constexpr Field kThrottleFields[] = {{"Path", Text}, {"Rate", Integer}};
constexpr Field kMountFields[] = {
    {"Type", Text},        {"Source", Text},        {"Target", Text},          {"ReadOnly", Bool},
    {"Consistency", Text}, {"BindOptions", AnyMap}, {"VolumeOptions", AnyMap}, {"TmpfsOptions", AnyMap}};

constexpr Field kHostConfigFields[] = {
    {"Binds", TextList},
    {"ContainerIDFile", Text},
    {"LogConfig", Struct, kLogConfigFields},
    {"NetworkMode", Text},
    {"PortBindings", StructListMap, kPortBindingFields},
    {"RestartPolicy", Struct, kRestartPolicyFields},
    {"AutoRemove", Bool},
    {"VolumeDriver", Text},
    {"VolumesFrom", TextList},
    {"ConsoleSize", AnyList},
    {"Annotations", TextMap},
    {"CapAdd", Words},
    {"CapDrop", Words},
    {"CgroupnsMode", Text},
    {"Dns", TextList},
    {"DnsOptions", TextList},
    {"DnsSearch", TextList},
    {"ExtraHosts", TextList},
    {"GroupAdd", TextList},
    {"IpcMode", Text},
    {"Cgroup", Text},
    {"Links", TextList},
    {"OomScoreAdj", Integer},
    {"PidMode", Text},
    {"Privileged", Bool},
    {"PublishAllPorts", Bool},
    {"ReadonlyRootfs", Bool},
    {"SecurityOpt", TextList},
    {"StorageOpt", TextMap},
    {"Tmpfs", TextMap},
    {"UTSMode", Text},
    {"UsernsMode", Text},
    {"ShmSize", Integer},
    {"Sysctls", TextMap},
    {"Runtime", Text},
    {"Isolation", Text},
    {"CpuShares", Integer},
    {"Memory", Integer},
    {"NanoCpus", Integer},
    {"CgroupParent", Text},
    {"BlkioWeight", Integer},
    {"BlkioWeightDevice", StructList, kWeightFields},
    {"BlkioDeviceReadBps", StructList, kThrottleFields},
    {"BlkioDeviceWriteBps", StructList, kThrottleFields},
    {"BlkioDeviceReadIOps", StructList, kThrottleFields},
    {"BlkioDeviceWriteIOps", StructList, kThrottleFields},
    {"CpuPeriod", Integer},
    {"CpuQuota", Integer},
    {"CpuRealtimePeriod", Integer},
    {"CpuRealtimeRuntime", Integer},
    {"CpusetCpus", Text},
    {"CpusetMems", Text},
    {"Devices", StructList, kDeviceFields},
    {"DeviceCgroupRules", TextList},
    {"DeviceRequests", StructList, kDeviceRequestFields},
    {"KernelMemory", Integer},
    {"KernelMemoryTCP", Integer},
    {"MemoryReservation", Integer},
    {"MemorySwap", Integer},
    {"MemorySwappiness", OptionalInteger},
    {"OomKillDisable", OptionalBool},
    {"PidsLimit", OptionalInteger},
    {"Ulimits", StructList, kUlimitFields},
    {"CpuCount", Integer},
    {"CpuPercent", Integer},
    {"IOMaximumIOps", Integer},
    {"IOMaximumBandwidth", Integer},
    {"Mounts", StructList, kMountFields},
    {"MaskedPaths", TextList},
    {"ReadonlyPaths", TextList},
    {"Init", OptionalBool},
};

const Field* find_field(Fields fields, std::string_view name) {
    for (const Field& field : fields) {
        if (field.name == name) return &field;
    }
    for (const Field& field : fields) {
        if (equals_ignoring_case(field.name, name)) return &field;
    }
    return nullptr;
}

Error wrong_type(const std::string& path, std::string_view expected, const Json& found) {
    return Error{.kind = ErrorKind::Malformed,
                 .what = path + ": expected " + std::string(expected) + ", got " + found.type_name()};
}

bool is_plain_scalar(Shape shape) { return shape == Text || shape == Bool || shape == Integer; }

Result<void> merge_struct(Json& target, Json&& source, Fields fields, const std::string& path);

Result<Json> text_list(Json&& source, const std::string& path) {
    if (!source.is_array()) return wrong_type(path, "a list of strings", source);
    for (Json& item : source) {
        if (item.is_null()) item = "";
        if (!item.is_string()) return wrong_type(path, "a list of strings", item);
    }
    return Result<Json>(boost::system::in_place_value, std::move(source));
}

Result<Json> struct_list(Json&& source, Fields fields, const std::string& path) {
    if (!source.is_array()) return wrong_type(path, "a list of objects", source);
    Json list = Json::array();
    for (Json& item : source) {
        Json element = Json::object();
        if (!item.is_null()) {
            if (auto merged = merge_struct(element, std::move(item), fields, path); !merged) return merged.error();
        }
        list.push_back(std::move(element));
    }
    return Result<Json>(boost::system::in_place_value, std::move(list));
}

Result<void> merge_map(Json& target, Json&& source, const Field& field, const std::string& path) {
    if (!source.is_object()) return wrong_type(path, "an object", source);
    if (!target.is_object()) target = Json::object();
    for (auto& [key, value] : source.items()) {
        const std::string at = path + "." + key;
        if (field.shape == TextMap) {
            if (value.is_null()) value = "";
            if (!value.is_string()) return wrong_type(at, "a string", value);
        }
        if (field.shape == StructListMap && !value.is_null()) {
            Result<Json> list = struct_list(std::move(value), field.inner, at);
            if (!list) return list.error();
            target[key] = std::move(*list);
            continue;
        }
        target[key] = std::move(value);
    }
    return {};
}

Result<void> merge_value(Json& target, Json&& source, const Field& field, const std::string& path) {
    if (source.is_null()) {
        if (field.shape != Struct && !is_plain_scalar(field.shape)) target = nullptr;
        return {};
    }
    switch (field.shape) {
        case Text:
            if (!source.is_string()) return wrong_type(path, "a string", source);
            break;
        case Bool:
        case OptionalBool:
            if (!source.is_boolean()) return wrong_type(path, "a boolean", source);
            break;
        case Integer:
        case OptionalInteger:
            if (!source.is_number_integer()) return wrong_type(path, "an integer", source);
            break;
        case Words:
            if (source.is_string()) source = Json::array({std::move(source)});
            [[fallthrough]];
        case TextList: {
            Result<Json> list = text_list(std::move(source), path);
            if (!list) return list.error();
            target = std::move(*list);
            return {};
        }
        case AnyList:
            if (!source.is_array()) return wrong_type(path, "a list", source);
            break;
        case TextMap:
        case AnyMap:
        case StructListMap: return merge_map(target, std::move(source), field, path);
        case Struct:
        case OptionalStruct: return merge_struct(target, std::move(source), field.inner, path);
        case StructList: {
            Result<Json> list = struct_list(std::move(source), field.inner, path);
            if (!list) return list.error();
            target = std::move(*list);
            return {};
        }
    }
    target = std::move(source);
    return {};
}

Result<void> merge_struct(Json& target, Json&& source, Fields fields, const std::string& path) {
    if (!source.is_object()) return wrong_type(path.empty() ? "document" : path, "an object", source);
    if (!target.is_object()) target = Json::object();
    for (auto& [name, value] : source.items()) {
        const Field* field = find_field(fields, name);
        if (field == nullptr) continue;
        const std::string at = path.empty() ? std::string(field->name) : path + "." + std::string(field->name);
        Json& member = target[std::string(field->name)];
        if (auto merged = merge_value(member, std::move(value), *field, at); !merged) return merged;
        if (member.is_null() && (field->shape == Struct || is_plain_scalar(field->shape))) {
            target.erase(std::string(field->name));  // null over a scalar nobody has set
        }
    }
    return {};
}

Result<void> merge_document(Json& target, std::string_view text, Fields fields) {
    if (text.empty()) return {};
    Result<Json> source = parse_json(text);
    if (!source) return std::move(source).error();
    if (source->is_null()) return {};
    return merge_struct(target, std::move(*source), fields, {});
}

}  // namespace

Result<void> merge_config(Json& config, std::string_view text) { return merge_document(config, text, kConfigFields); }

Result<void> merge_host_config(Json& host_config, std::string_view text) {
    return merge_document(host_config, text, kHostConfigFields);
}

}  // namespace nodeagent::engine
