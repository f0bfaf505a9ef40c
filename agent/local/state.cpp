#include "agent/local/state.hpp"

#include <algorithm>
#include <cstdlib>

#include "agent/base/json.hpp"
#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::local {
namespace {

constexpr std::string_view kClusters = "cluster";
constexpr std::string_view kDefinitions = "task-definition";
constexpr std::string_view kInstances = "container-instance";
constexpr std::string_view kTasks = "task";

void must(const Result<void>& written) {
    if (written) return;
    log::critical("the control plane's state cannot be written; free space in --data and start ecs-local again",
                  {{"error", written.error().what}});
    std::_Exit(1);
}

template <class T>
Result<void> load_kind(Store& store, std::string_view kind, std::map<std::string, T, std::less<>>& into) {
    return store.each(kind, [&](std::string_view key, std::string_view body) {
        auto record = decode<T>(body);
        if (!record) {
            log::warn("a row of the store is set aside",
                      {{"kind", kind}, {"key", key}, {"error", record.error().what}});
            return false;
        }
        into.emplace(key, std::move(*record));
        return true;
    });
}

template <class Map>
auto* find_in(Map& map, std::string_view key) {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : &found->second;
}

}  // namespace

Result<void> State::load() {
    if (auto r = load_kind(store_, kClusters, clusters_); !r) return r;
    if (auto r = load_kind(store_, kDefinitions, definitions_); !r) return r;
    if (auto r = load_kind(store_, kInstances, instances_); !r) return r;
    return load_kind(store_, kTasks, tasks_);
}

Cluster* State::cluster(std::string_view name_or_arn) { return find_in(clusters_, cluster_name_of(name_or_arn)); }

Cluster* State::active_cluster(std::string_view name_or_arn) {
    Cluster* found = cluster(name_or_arn);
    return found != nullptr && found->status == "ACTIVE" ? found : nullptr;
}

StoredTaskDefinition* State::task_definition(std::string_view reference) {
    std::string name(reference);
    if (const auto arn = parse_arn(reference)) name = arn->rest;
    if (name.find(':') != std::string::npos) return find_in(definitions_, name);
    StoredTaskDefinition* latest = nullptr;
    for (auto& [key, stored] : definitions_) {
        const TaskDefinition& candidate = stored.definition;
        if (candidate.family != name || candidate.status != "ACTIVE") continue;
        if (latest == nullptr || candidate.revision > latest->definition.revision) latest = &stored;
    }
    return latest;
}

ContainerInstance* State::instance(std::string_view arn) { return find_in(instances_, arn); }
Task* State::task(std::string_view arn) { return find_in(tasks_, arn); }

ContainerInstance* State::instance(std::string_view cluster_name, std::string_view arn_or_id) {
    const std::string id(last_segment(arn_or_id));
    const std::string resource = "container-instance/" + std::string(cluster_name) + "/" + id;
    return instance(make_arn(identity_, resource));
}

Task* State::task(std::string_view cluster_name, std::string_view arn_or_id) {
    const std::string id(last_segment(arn_or_id));
    return task(make_arn(identity_, "task/" + std::string(cluster_name) + "/" + id));
}

std::vector<Task*> State::live_tasks(std::string_view instance_arn) {
    std::vector<Task*> live;
    for (auto& [arn, record] : tasks_) {
        if (record.instance_arn == instance_arn && !record.stopped()) live.push_back(&record);
    }
    std::stable_sort(live.begin(), live.end(),
                     [](const Task* a, const Task* b) { return a->created_at < b->created_at; });
    return live;
}

Cluster& State::save(Cluster record) {
    auto& kept = clusters_[record.name] = std::move(record);
    save(&kept);
    return kept;
}
StoredTaskDefinition& State::save(StoredTaskDefinition record) {
    const std::string key = record.definition.family_revision();
    auto& kept = definitions_[key] = std::move(record);
    save(&kept);
    return kept;
}
ContainerInstance& State::save(ContainerInstance record) {
    const std::string key = record.arn;
    auto& kept = instances_[key] = std::move(record);
    save(&kept);
    return kept;
}
Task& State::save(Task record) {
    const std::string key = record.arn;
    auto& kept = tasks_[key] = std::move(record);
    save(&kept);
    return kept;
}

void State::save(const Cluster* record) { must(store_.put(kClusters, record->name, encode(*record))); }
void State::save(const StoredTaskDefinition* record) {
    must(store_.put(kDefinitions, record->definition.family_revision(), encode(*record)));
}
void State::save(const ContainerInstance* record) { must(store_.put(kInstances, record->arn, encode(*record))); }
void State::save(const Task* record) { must(store_.put(kTasks, record->arn, encode(*record))); }

std::int64_t State::next_revision(std::string_view family) const {
    std::int64_t highest = 0;
    for (const auto& [key, stored] : definitions_) {
        if (stored.definition.family == family) highest = std::max(highest, stored.definition.revision);
    }
    return highest + 1;
}

void State::append_history(std::string_view task_arn, std::string_view entry) {
    must(store_.append_history(task_arn, entry));
}

std::vector<std::string> State::history(std::string_view task_arn) {
    auto entries = store_.history(task_arn);
    if (entries) return std::move(*entries);
    log::error("the history cannot be read", {{"task", task_arn}, {"error", entries.error().what}});
    return {};
}

void State::forget_before(double horizon) {
    for (auto it = tasks_.begin(); it != tasks_.end();) {
        if (!it->second.stopped() || it->second.stopped_at >= horizon) {
            ++it;
            continue;
        }
        must(store_.transaction([&]() -> Result<void> {
            if (auto r = store_.erase(kTasks, it->first); !r) return r;
            return store_.erase_history(it->first);
        }));
        it = tasks_.erase(it);
    }
    for (auto it = instances_.begin(); it != instances_.end();) {
        if (it->second.status != "INACTIVE" || it->second.deregistered_at >= horizon) {
            ++it;
            continue;
        }
        must(store_.erase(kInstances, it->first));
        it = instances_.erase(it);
    }
}

}  // namespace nodeagent::local
