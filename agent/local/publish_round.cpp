#include "agent/local/publish_round.hpp"

#include <cmath>
#include <utility>

namespace nodeagent::local {
namespace {

constexpr std::size_t kRoundAtMost = 8U << 20U;

struct RoundMetadata {
    std::string message_id;
    bool fin = false;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("messageId", &RoundMetadata::message_id),
                          optional_field("fin", &RoundMetadata::fin)};
    }
};

struct RoundHead {
    RoundMetadata metadata;
    static constexpr auto json_fields() { return std::tuple{optional_field("metadata", &RoundHead::metadata)}; }
};

struct SetOnWire {
    double max = 0;
    double min = 0;
    double sample_count = 0;
    double sum = 0;
    static constexpr auto json_fields() {
        using T = SetOnWire;
        return std::tuple{optional_field("max", &T::max), optional_field("min", &T::min),
                          optional_field("sampleCount", &T::sample_count), optional_field("sum", &T::sum)};
    }
};

struct ContainerOnWire {
    std::string name;
    SetOnWire cpu;
    SetOnWire memory;
    static constexpr auto json_fields() {
        using T = ContainerOnWire;
        return std::tuple{optional_field("containerName", &T::name), optional_field("cpuStatsSet", &T::cpu),
                          optional_field("memoryStatsSet", &T::memory)};
    }
};

struct TaskOnWire {
    std::string task_arn;
    std::vector<ContainerOnWire> containers;
    static constexpr auto json_fields() {
        using T = TaskOnWire;
        return std::tuple{optional_field("taskArn", &T::task_arn), optional_field("containerMetrics", &T::containers)};
    }
};

struct RoundOnWire {
    std::vector<TaskOnWire> tasks;
    static constexpr auto json_fields() { return std::tuple{optional_field("taskMetrics", &RoundOnWire::tasks)}; }
};

/// An empty set for one that no samples can have.
StatisticSet checked(const SetOnWire& set) {
    const bool possible = set.sample_count >= 1 && set.min >= 0 && set.min <= set.max && std::isfinite(set.max) &&
                          std::isfinite(set.sum) && set.sum >= 0;
    if (!possible) return {};
    return {.count = set.sample_count, .sum = set.sum, .minimum = set.min, .maximum = set.max};
}

}  // namespace

Json PublishRound::take() {
    complete_id_ = std::exchange(open_id_, {});
    open_size_ = 0;
    return *std::exchange(open_, std::nullopt);
}

std::vector<Json> PublishRound::add(Json request, std::size_t size) {
    std::vector<Json> complete;
    const auto head = decode_document<RoundHead>(request);
    const RoundMetadata metadata = head ? head->metadata : RoundMetadata{};
    if (open_ && open_id_ != metadata.message_id) complete.push_back(take());
    if (!metadata.message_id.empty() && metadata.message_id == complete_id_) return complete;
    if (open_) {
        Json tasks = std::move((*open_)["taskMetrics"]);
        Json& more = request["taskMetrics"];
        if (tasks.is_array() && more.is_array()) {
            for (Json& task : more) tasks.push_back(std::move(task));
        }
        if (tasks.is_array()) more = std::move(tasks);
    }
    open_ = std::move(request);
    open_id_ = metadata.message_id;
    open_size_ += size;
    if (metadata.fin || metadata.message_id.empty()) {
        complete.push_back(take());
    } else if (open_size_ >= kRoundAtMost) {
        complete.push_back(take());
        complete_id_.clear();  // the rest of it is still to come
    }
    return complete;
}

std::vector<TaskUse> tasks_in(const Json& request) {
    std::vector<TaskUse> tasks;
    const auto round = decode_document<RoundOnWire>(request);
    if (!round) return tasks;
    for (const TaskOnWire& task : round->tasks) {
        TaskUse use{.task_arn = task.task_arn, .containers = {}};
        for (const ContainerOnWire& container : task.containers) {
            use.containers.push_back(
                {.name = container.name, .cpu = checked(container.cpu), .memory = checked(container.memory)});
        }
        tasks.push_back(std::move(use));
    }
    return tasks;
}

}  // namespace nodeagent::local
