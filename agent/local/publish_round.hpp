#pragma once
// The requests agents cut a round of metrics into (control-plane.md 8.4): those of one messageId belong together, the
// last says "fin".

#include <optional>
#include <string>
#include <vector>

#include "agent/base/json.hpp"
#include "agent/local/cloudwatch/statistic_set.hpp"

namespace nodeagent::local {

/// What a container used since the round before: percent of the whole instance, and MiB.
struct ContainerUse {
    std::string name;
    StatisticSet cpu;
    StatisticSet memory;
};

struct TaskUse {
    std::string task_arn;
    std::vector<ContainerUse> containers;
};

class PublishRound {
  public:
    /// Takes a PublishMetricsRequest of `size` bytes. Gives the whole round back as one request, taskMetrics of all of
    /// them, once it is complete: at "fin", or when it has 8 MiB. A round that ends without "fin" counts when the next
    /// one begins; what repeats a complete round does not count.
    [[nodiscard]] std::vector<Json> add(Json request, std::size_t size);

  private:
    Json take();

    std::optional<Json> open_;
    std::string open_id_;
    std::size_t open_size_ = 0;
    std::string complete_id_;
};

/// The tasks of a request. Containers, and sets, that make no sense are left out.
[[nodiscard]] std::vector<TaskUse> tasks_in(const Json& request);

}  // namespace nodeagent::local
