#pragma once
// Which images this agent has pulled, by which names, and which containers use them: what `once` asks and what image
// clean-up decides on. Changes are saved with the next task that is saved. task-engine.md 7.3, 7.4.

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/clock.hpp"
#include "agent/engine/state_store.hpp"
#include "runtime/types.hpp"

namespace nodeagent::engine {

struct ImageRecord {
    std::string id;
    std::vector<std::string> names;  ///< as payloads spell them
    std::int64_t size = 0;
    WallTime pulled_at{};
    WallTime last_used_at{};
    bool pull_succeeded = false;                          ///< at least one real pull of it went well
    std::vector<std::string> region_keys;                 ///< AWS_REGION, AWS_DEFAULT_REGION of its own environment
    std::set<std::pair<std::string, std::string>> users;  ///< task ARN, container name; not saved
};

/// The store's text of a record, its users aside.
[[nodiscard]] std::string encode_image_record(const ImageRecord& record);

class ImageLedger {
  public:
    /// Takes up saved records; gives the ids of those that cannot be read, with the reason.
    std::vector<std::pair<std::string, std::string>> restore(const std::map<std::string, std::string>& texts);

    /// The container runs, or is about to run, from this image. A name seen on a new image leaves the old one.
    void use(const std::string& task_arn, const std::string& container, const std::string& name,
             const runtime::ImageView& image, bool pulled, WallTime now);
    /// After a restart: the container refers to an image that may be recorded.
    void use_again(const std::string& task_arn, const std::string& container, const std::string& image_id);
    void release(const std::string& task_arn, WallTime now);
    void release(const std::string& task_arn, const std::string& container, WallTime now);
    /// The name is gone from the host; with its last name the record goes.
    void forget_name(const std::string& image_id, const std::string& name);
    void forget(const std::string& image_id);

    [[nodiscard]] bool pulled_before(const std::string& name) const;
    /// "KEY=" entries that stand for the image's own region settings; see SpecContext::image_env.
    [[nodiscard]] std::vector<std::string> region_env(const std::string& image_id) const;
    [[nodiscard]] const std::map<std::string, ImageRecord>& records() const { return records_; }

    /// What has changed since the last call, for the store.
    [[nodiscard]] std::vector<StoreChange> take_changes();
    /// Every record, for a store that has none.
    [[nodiscard]] std::vector<StoreChange> all() const;

  private:
    [[nodiscard]] StoreChange change_of(const std::string& id) const;

    std::map<std::string, ImageRecord> records_;
    std::set<std::string> changed_;
};

}  // namespace nodeagent::engine
