#include "agent/config/contradictions.hpp"

#include <algorithm>
#include <initializer_list>

#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::config {

namespace {

constexpr std::string_view kHigh = "ECS_IMAGE_CLEANUP_HIGH_WATERMARK";
constexpr std::string_view kLow = "ECS_IMAGE_CLEANUP_LOW_WATERMARK";
constexpr std::string_view kOvertakeAfter = "ECS_TASK_QUEUE_OVERTAKE_AFTER";
constexpr std::string_view kMaxOvertaken = "ECS_TASK_QUEUE_MAX_OVERTAKEN";
constexpr std::string_view kInactivity = "ECS_IMAGE_PULL_INACTIVITY_TIMEOUT";
constexpr std::string_view kPullTimeout = "ECS_IMAGE_PULL_TIMEOUT";
constexpr std::string_view kUntracked = "ECS_ENABLE_UNTRACKED_IMAGE_CLEANUP";

class Contradictions {
  public:
    Contradictions(const Config& config, const std::function<bool(std::string_view)>& given)
        : config_(config), given_(given) {}

    std::vector<std::string> find() {
        watermarks();
        overtaking();
        image_cleanup();
        if (given_(kInactivity) && config_.image_pull_inactivity_timeout >= config_.image_pull_timeout) {
            say(with_value(kInactivity, go_duration(config_.image_pull_inactivity_timeout)) + " is not below " +
                with_value(kPullTimeout, go_duration(config_.image_pull_timeout)) +
                ": a pull without progress fails only when the whole pull has taken too long");
        }
        if (!config_.task_cpu_mem_limit.enabled()) {
            useless({"ECS_TASK_PIDS_LIMIT", "ECS_CGROUP_CPU_PERIOD"}, "ECS_ENABLE_TASK_CPU_MEM_LIMIT is false");
        }
        if (config_.audit_logfile_disabled) useless({"ECS_AUDIT_LOGFILE"}, "ECS_AUDIT_LOGFILE_DISABLED is true");
        if (config_.disable_metrics.enabled()) useless({"ECS_CLOUDWATCH_METRICS"}, "ECS_DISABLE_METRICS is true");
        if (!config_.prometheus_metrics)
            useless({"ECS_PROMETHEUS_METRICS_ADDRESS"}, "ECS_ENABLE_PROMETHEUS_METRICS is not true");
        if (!config_.gpu_support) useless({"ECS_NVIDIA_RUNTIME"}, "ECS_ENABLE_GPU_SUPPORT is not true");
        return std::move(found_);
    }

  private:
    void say(std::string text) { found_.push_back(std::move(text)); }
    static std::string with_value(std::string_view name, const std::string& value) {
        return std::string(name) + " (" + value + ")";
    }
    /// Those of the settings that are given have no effect, because of what `why` says.
    void useless(std::initializer_list<std::string_view> names, std::string_view why) {
        for (const std::string_view name : names) {
            if (given_(name)) say(std::string(name) + " has no effect: " + std::string(why));
        }
    }

    void watermarks() {
        const int high = config_.image_high_watermark;
        const int low = config_.image_low_watermark;
        if (high == 0) return useless({kLow}, std::string(kHigh) + " is off");
        if (low == 0) return useless({kHigh}, std::string(kLow) + " is off");
        if (low < high) return;  // the defaults do not meet
        say(with_value(kLow, std::to_string(low)) + " is not below " + with_value(kHigh, std::to_string(high)) + ": " +
            std::to_string(high - 1) + " is used as the low one");
    }

    void overtaking() {
        const auto after = config_.task_queue_overtake_after;
        const auto most = config_.task_queue_max_overtaken;
        if (after.count() == 0) return useless({kMaxOvertaken}, std::string(kOvertakeAfter) + " is off");
        if (most > after) return;
        say(with_value(kMaxOvertaken, go_duration(most)) + " is not above " +
            with_value(kOvertakeAfter, go_duration(after)) + ": no task ever passes the first one in the queue");
    }

    void image_cleanup() {
        const bool cached = config_.image_pull_behavior == ImagePullBehavior::PreferCached;
        if (config_.image_cleanup_disabled.enabled() || cached) {
            const std::string_view why = cached ? "ECS_IMAGE_PULL_BEHAVIOR is prefer-cached, which keeps images"
                                                : "ECS_DISABLE_IMAGE_CLEANUP is true";
            useless({kHigh, kLow, "ECS_IMAGE_CLEANUP_INTERVAL", "ECS_IMAGE_MINIMUM_CLEANUP_AGE",
                     "ECS_NUM_IMAGES_DELETE_PER_CYCLE"},
                    why);
            if (config_.untracked_image_cleanup.enabled()) useless({kUntracked}, why);
        } else if (!config_.untracked_image_cleanup.enabled()) {
            useless({"NON_ECS_IMAGE_MINIMUM_CLEANUP_AGE", "NONECS_NUM_CONTAINERS_DELETE_PER_CYCLE"},
                    std::string(kUntracked) + " is not true");
        }
    }

    const Config& config_;
    const std::function<bool(std::string_view)>& given_;
    std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> contradictions(const Config& config, const std::function<bool(std::string_view name)>& given) {
    return Contradictions(config, given).find();
}

}  // namespace nodeagent::config
