#pragma once
// The documents of the agent's /v1/ext routes. Every member is optional: an agent of another release may lack some.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/json_fields.hpp"

namespace nodeagent::cli {

struct RuntimeAnswer {
    std::string name, version;
    bool reachable = false;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("name", &RuntimeAnswer::name),
                          optional_field("version", &RuntimeAnswer::version),
                          optional_field("reachable", &RuntimeAnswer::reachable)};
    }
};

struct TaskCounts {
    std::int64_t running = 0, pending = 0, stopped = 0, waiting = 0;
    static constexpr auto json_fields() {
        return std::tuple{
            optional_field("running", &TaskCounts::running), optional_field("pending", &TaskCounts::pending),
            optional_field("stopped", &TaskCounts::stopped), optional_field("waiting", &TaskCounts::waiting)};
    }
};

struct DrainAnswer {
    bool draining = false, tasks_only = false, ecs_told = false;
    std::string cause, since, ecs_error;
    std::int64_t tasks_left = 0;
    static constexpr auto json_fields() {
        return std::tuple{
            required_field("draining", &DrainAnswer::draining),   optional_field("tasksOnly", &DrainAnswer::tasks_only),
            optional_field("ecsTold", &DrainAnswer::ecs_told),    optional_field("cause", &DrainAnswer::cause),
            optional_field("since", &DrainAnswer::since),         optional_field("ecsError", &DrainAnswer::ecs_error),
            optional_field("tasksLeft", &DrainAnswer::tasks_left)};
    }
};

struct DiskAnswer {
    std::string use, path;
    std::int64_t bytes_total = 0, bytes_free = 0, bytes_percent = 0;
    std::int64_t inodes_total = 0, inodes_free = 0, inodes_percent = 0;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("use", &DiskAnswer::use),
                          optional_field("path", &DiskAnswer::path),
                          optional_field("bytesTotal", &DiskAnswer::bytes_total),
                          optional_field("bytesFree", &DiskAnswer::bytes_free),
                          optional_field("bytesPercent", &DiskAnswer::bytes_percent),
                          optional_field("inodesTotal", &DiskAnswer::inodes_total),
                          optional_field("inodesFree", &DiskAnswer::inodes_free),
                          optional_field("inodesPercent", &DiskAnswer::inodes_percent)};
    }
};

struct PressureAnswer {
    std::string resource;
    double some_percent = 0, full_percent = 0;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("resource", &PressureAnswer::resource),
                          optional_field("somePercent", &PressureAnswer::some_percent),
                          optional_field("fullPercent", &PressureAnswer::full_percent)};
    }
};

struct HostSetupAnswer {
    std::string at;
    std::vector<std::string> problems;
    std::optional<bool> instance_metadata_open;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("at", &HostSetupAnswer::at),
                          optional_field("problems", &HostSetupAnswer::problems),
                          optional_field("instanceMetadataOpen", &HostSetupAnswer::instance_metadata_open)};
    }
};

struct HostAnswer {
    std::vector<DiskAnswer> disks;
    std::int64_t memory_total = 0, memory_available = 0;
    std::vector<double> load;
    std::vector<PressureAnswer> pressure;
    std::vector<std::string> short_of;
    std::optional<HostSetupAnswer> setup;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("disks", &HostAnswer::disks),
                          optional_field("memoryTotalBytes", &HostAnswer::memory_total),
                          optional_field("memoryAvailableBytes", &HostAnswer::memory_available),
                          optional_field("load", &HostAnswer::load),
                          optional_field("pressure", &HostAnswer::pressure),
                          optional_field("shortOf", &HostAnswer::short_of),
                          optional_field("setup", &HostAnswer::setup)};
    }
};

struct StatusAnswer {
    std::string version, cluster, container_instance_arn, acs_connected_since, started_at;
    bool acs_connected = false, tcs_connected = false;
    RuntimeAnswer runtime;
    std::optional<DrainAnswer> drain;
    TaskCounts tasks;
    std::int64_t resident_bytes = 0, open_descriptors = 0;
    std::optional<HostAnswer> host;
    static constexpr auto json_fields() {
        return std::tuple{required_field("version", &StatusAnswer::version),
                          optional_field("cluster", &StatusAnswer::cluster),
                          optional_field("containerInstanceArn", &StatusAnswer::container_instance_arn),
                          optional_field("acsConnected", &StatusAnswer::acs_connected),
                          optional_field("acsConnectedSince", &StatusAnswer::acs_connected_since),
                          optional_field("tcsConnected", &StatusAnswer::tcs_connected),
                          optional_field("runtime", &StatusAnswer::runtime),
                          optional_field("drain", &StatusAnswer::drain),
                          optional_field("tasks", &StatusAnswer::tasks),
                          optional_field("startedAt", &StatusAnswer::started_at),
                          optional_field("residentBytes", &StatusAnswer::resident_bytes),
                          optional_field("openDescriptors", &StatusAnswer::open_descriptors),
                          optional_field("host", &StatusAnswer::host)};
    }
};

struct PullAnswer {
    bool queued = false;
    std::int64_t attempt = 0, current_bytes = 0, total_bytes = 0, layers = 0, layers_done = 0;
    std::optional<std::string> since, retry_at;
    std::string last_error;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("queued", &PullAnswer::queued),
                          optional_field("attempt", &PullAnswer::attempt),
                          optional_field("since", &PullAnswer::since),
                          optional_field("currentBytes", &PullAnswer::current_bytes),
                          optional_field("totalBytes", &PullAnswer::total_bytes),
                          optional_field("layers", &PullAnswer::layers),
                          optional_field("layersDone", &PullAnswer::layers_done),
                          optional_field("lastError", &PullAnswer::last_error),
                          optional_field("retryAt", &PullAnswer::retry_at)};
    }
};

struct ContainerAnswer {
    std::string name, image, runtime_id, known, desired, error, started_at, health;
    std::optional<std::int64_t> exit_code;
    std::vector<std::string> ports;
    std::optional<PullAnswer> pull;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("name", &ContainerAnswer::name),
                          optional_field("image", &ContainerAnswer::image),
                          optional_field("runtimeId", &ContainerAnswer::runtime_id),
                          optional_field("known", &ContainerAnswer::known),
                          optional_field("desired", &ContainerAnswer::desired),
                          optional_field("exitCode", &ContainerAnswer::exit_code),
                          optional_field("error", &ContainerAnswer::error),
                          optional_field("startedAt", &ContainerAnswer::started_at),
                          optional_field("health", &ContainerAnswer::health),
                          optional_field("ports", &ContainerAnswer::ports),
                          optional_field("pull", &ContainerAnswer::pull)};
    }
};

struct TaskAnswer {
    std::string arn, id, family, version, desired, known, sent;
    std::string waiting_for;  ///< a clause: "waits for ...", "container web waits for ..."; "" when for nothing
    std::string stop_reason;
    double cpu = 0;           ///< vCPU; 0: no limit
    std::int64_t memory = 0;  ///< MiB; 0: no limit
    std::vector<ContainerAnswer> containers;
    static constexpr auto json_fields() {
        return std::tuple{required_field("arn", &TaskAnswer::arn),
                          optional_field("id", &TaskAnswer::id),
                          optional_field("family", &TaskAnswer::family),
                          optional_field("version", &TaskAnswer::version),
                          optional_field("desired", &TaskAnswer::desired),
                          optional_field("known", &TaskAnswer::known),
                          optional_field("sent", &TaskAnswer::sent),
                          optional_field("waitingFor", &TaskAnswer::waiting_for),
                          optional_field("stopReason", &TaskAnswer::stop_reason),
                          optional_field("cpu", &TaskAnswer::cpu),
                          optional_field("memory", &TaskAnswer::memory),
                          optional_field("containers", &TaskAnswer::containers)};
    }
};

struct TasksAnswer {
    std::vector<TaskAnswer> tasks;
    static constexpr auto json_fields() { return std::tuple{required_field("tasks", &TasksAnswer::tasks)}; }
};

struct EventAnswer {
    std::string time, task, container, what;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("time", &EventAnswer::time), optional_field("task", &EventAnswer::task),
                          optional_field("container", &EventAnswer::container),
                          optional_field("what", &EventAnswer::what)};
    }
};

struct EventsAnswer {
    std::vector<EventAnswer> events;
    static constexpr auto json_fields() { return std::tuple{required_field("events", &EventsAnswer::events)}; }
};

struct SettingAnswer {
    std::string name, value, source;
    bool active = true, secret = false;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("name", &SettingAnswer::name), optional_field("value", &SettingAnswer::value),
                          optional_field("source", &SettingAnswer::source),
                          optional_field("active", &SettingAnswer::active),
                          optional_field("secret", &SettingAnswer::secret)};
    }
};

struct SettingsAnswer {
    std::vector<SettingAnswer> settings;
    static constexpr auto json_fields() { return std::tuple{required_field("settings", &SettingsAnswer::settings)}; }
};

struct ErrorAnswer {
    std::string error;
    static constexpr auto json_fields() { return std::tuple{optional_field("error", &ErrorAnswer::error)}; }
};

}  // namespace nodeagent::cli
