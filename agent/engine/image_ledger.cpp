#include "agent/engine/image_ledger.hpp"

#include <algorithm>

#include "agent/base/json.hpp"

namespace nodeagent::engine {

namespace {

/// Times are milliseconds since the epoch.
struct SavedImage {
    std::vector<std::string> names;
    std::int64_t size = 0;
    std::int64_t pulled_at = 0;
    std::int64_t last_used_at = 0;
    bool pull_succeeded = false;
    std::vector<std::string> region_keys;
    static constexpr auto json_fields() {
        using T = SavedImage;
        return std::tuple{required_field("names", &T::names),
                          optional_field("size", &T::size),
                          required_field("pulledAt", &T::pulled_at),
                          required_field("lastUsedAt", &T::last_used_at),
                          optional_field("pullSucceeded", &T::pull_succeeded),
                          optional_field("regionKeys", &T::region_keys)};
    }
};

std::int64_t to_milliseconds(WallTime when) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count();
}
WallTime from_milliseconds(std::int64_t count) { return WallTime(std::chrono::milliseconds(count)); }

std::vector<std::string> region_keys_of(const std::vector<std::string>& env) {
    std::vector<std::string> keys;
    for (const std::string& entry : env) {
        const std::string key = entry.substr(0, entry.find('='));
        if (key == "AWS_REGION" || key == "AWS_DEFAULT_REGION") keys.push_back(key);
    }
    return keys;
}

}  // namespace

std::string encode_image_record(const ImageRecord& record) {
    return encode(SavedImage{.names = record.names,
                             .size = record.size,
                             .pulled_at = to_milliseconds(record.pulled_at),
                             .last_used_at = to_milliseconds(record.last_used_at),
                             .pull_succeeded = record.pull_succeeded,
                             .region_keys = record.region_keys});
}

std::vector<std::pair<std::string, std::string>> ImageLedger::restore(const std::map<std::string, std::string>& texts) {
    std::vector<std::pair<std::string, std::string>> unreadable;
    for (const auto& [id, text] : texts) {
        auto saved = decode<SavedImage>(text);
        if (!saved) {
            unreadable.emplace_back(id, saved.error().what);
            continue;
        }
        ImageRecord& record = records_[id];
        record.id = id;
        record.names = std::move(saved->names);
        record.size = saved->size;
        record.pulled_at = from_milliseconds(saved->pulled_at);
        record.last_used_at = from_milliseconds(saved->last_used_at);
        record.pull_succeeded = saved->pull_succeeded;
        record.region_keys = std::move(saved->region_keys);
    }
    return unreadable;
}

void ImageLedger::use(const std::string& task_arn, const std::string& container, const std::string& name,
                      const runtime::ImageView& image, bool pulled, WallTime now) {
    for (auto& [id, other] : records_) {
        if (id == image.id) continue;
        if (std::erase(other.names, name) > 0) changed_.insert(id);
    }
    auto [found, is_new] = records_.try_emplace(image.id);
    ImageRecord& record = found->second;
    if (is_new) {
        record.id = image.id;
        record.pulled_at = now;
        record.last_used_at = now;
        record.region_keys = region_keys_of(image.env);
    }
    const bool named = std::find(record.names.begin(), record.names.end(), name) != record.names.end();
    if (is_new || !named || record.size != image.size || (pulled && !record.pull_succeeded)) changed_.insert(image.id);
    if (!named) record.names.push_back(name);
    record.size = image.size;
    record.pull_succeeded = record.pull_succeeded || pulled;
    record.users.emplace(task_arn, container);
}

void ImageLedger::use_again(const std::string& task_arn, const std::string& container, const std::string& image_id) {
    const auto found = records_.find(image_id);
    if (found != records_.end()) found->second.users.emplace(task_arn, container);
}

void ImageLedger::release(const std::string& task_arn, WallTime now) {
    for (auto& [id, record] : records_) {
        const auto left = std::erase_if(record.users, [&](const auto& user) { return user.first == task_arn; });
        if (left == 0) continue;
        record.last_used_at = now;
        changed_.insert(id);
    }
}

void ImageLedger::release(const std::string& task_arn, const std::string& container, WallTime now) {
    for (auto& [id, record] : records_) {
        if (record.users.erase({task_arn, container}) == 0) continue;
        record.last_used_at = now;
        changed_.insert(id);
    }
}

void ImageLedger::forget_name(const std::string& image_id, const std::string& name) {
    const auto found = records_.find(image_id);
    if (found == records_.end()) return;
    std::erase(found->second.names, name);
    changed_.insert(image_id);
    if (found->second.names.empty()) records_.erase(found);
}

void ImageLedger::forget(const std::string& image_id) {
    if (records_.erase(image_id) > 0) changed_.insert(image_id);
}

bool ImageLedger::pulled_before(const std::string& name) const {
    return std::any_of(records_.begin(), records_.end(), [&](const auto& entry) {
        const auto& names = entry.second.names;
        return entry.second.pull_succeeded && std::find(names.begin(), names.end(), name) != names.end();
    });
}

std::vector<std::string> ImageLedger::region_env(const std::string& image_id) const {
    std::vector<std::string> entries;
    if (const auto found = records_.find(image_id); found != records_.end()) {
        for (const std::string& key : found->second.region_keys) entries.push_back(key + "=");
    }
    return entries;
}

StoreChange ImageLedger::change_of(const std::string& id) const {
    StoreChange change{.shelf = Shelf::Images, .key = id, .text = std::nullopt};
    const auto found = records_.find(id);
    if (found == records_.end()) return change;
    const ImageRecord& record = found->second;
    change.text = encode_image_record(record);
    return change;
}

std::vector<StoreChange> ImageLedger::take_changes() {
    std::vector<StoreChange> changes;
    for (const std::string& id : changed_) changes.push_back(change_of(id));
    changed_.clear();
    return changes;
}

std::vector<StoreChange> ImageLedger::all() const {
    std::vector<StoreChange> changes;
    for (const auto& [id, record] : records_) changes.push_back(change_of(id));
    return changes;
}

}  // namespace nodeagent::engine
