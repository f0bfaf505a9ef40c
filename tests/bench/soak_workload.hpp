#pragma once
// The tasks of a soak: many kinds, drawn by weight from a seeded generator, each with what must become of it. The
// payload's words are those of ECS and its commands real ones (`sh -c 'sleep 1.5; exit 3'`), so that the same tasks run
// on the scripted runtime, which reads the commands, and on Docker.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "agent/base/random.hpp"

namespace nodeagent::soak {

using std::chrono::milliseconds;

/// What the service must have heard when the task is over.
struct ContainerEnd {
    std::optional<int> exit_code;  ///< nothing: any, or none
    std::string error;             ///< how the reason must begin; "": not checked
};
struct Expectation {
    std::string kind;
    bool must_run = true;                             ///< RUNNING comes before STOPPED
    bool may_run = true;                              ///< RUNNING may come
    bool prompt = false;                              ///< nothing but the machine delays it: counts for the latency
    std::map<std::string, ContainerEnd> containers{}; /**< by name; empty: the task is refused and the service hears of
                                                       no container */
    std::string reason{};                             ///< what the task's reason must contain
};

struct Workload {
    nlohmann::json task;                    ///< as in a PayloadMessage, desiredStatus RUNNING
    std::optional<milliseconds> stop_after; /**< ACS stops it so long after RUNNING; 0: at once, without waiting for
                                               RUNNING; nothing: it ends by itself */
    Expectation expected;
    [[nodiscard]] std::string arn() const { return task.at("arn").get<std::string>(); }
};

struct WorkloadOptions {
    std::uint64_t seed = 1;
    std::string cluster = "soak";
    int images = 1;         ///< names soak-image:0 ... beside busybox:latest; 1: busybox:latest alone
    std::string host_path;  ///< an existing directory, for bind mounts
};

class WorkloadSource {
  public:
    explicit WorkloadSource(WorkloadOptions options) : options_(std::move(options)), random_(options_.seed) {}
    Workload next();

  private:
    [[nodiscard]] std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
    [[nodiscard]] milliseconds between(int from, int to);
    [[nodiscard]] std::string image();
    nlohmann::json container(const std::string& name, nlohmann::json command, bool essential = true);
    Workload stopped_by_service();
    Workload ends_by_itself();
    Workload with_sidecar();
    Workload with_init();
    Workload with_health();
    Workload with_volumes();
    Workload with_ports();
    Workload restarted();
    Workload without_image();
    Workload not_created();
    Workload not_started();
    Workload stopped_at_once();
    Workload refused();

    WorkloadOptions options_;
    Random random_;
    std::uint64_t serial_ = 0;
};

}  // namespace nodeagent::soak
