#pragma once
// Records as the API's answers show them (botocore's shapes). Pure.

#include <string>
#include <vector>

#include "agent/base/json.hpp"
#include "agent/local/records.hpp"
#include "agent/local/scheduler.hpp"

namespace nodeagent::local {

struct ClusterCounts {
    std::int64_t instances = 0;
    std::int64_t running = 0;
    std::int64_t pending = 0;
};

/// `include` holds the words of DescribeClusters' include: TAGS, SETTINGS, STATISTICS, CONFIGURATIONS.
[[nodiscard]] OrderedJson cluster_view(const Cluster& cluster, const ClusterCounts& counts, const Strings& include);

/// `instance` may be null when it was forgotten.
[[nodiscard]] OrderedJson task_view(const Task& task, const ContainerInstance* instance, bool connected,
                                    bool with_tags);

/// `tasks` are those not STOPPED on the instance.
[[nodiscard]] OrderedJson instance_view(const ContainerInstance& instance, bool connected,
                                        const std::vector<Task*>& tasks, const Strings& include);

[[nodiscard]] OrderedJson failure_view(const std::string& arn, const std::string& reason);

template <class T>
[[nodiscard]] OrderedJson list_view(const std::vector<T>& items) {
    OrderedJson out = OrderedJson::array();
    for (const T& item : items) out.push_back(to_json_document(item));
    return out;
}

}  // namespace nodeagent::local
