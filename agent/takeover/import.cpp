#include "agent/takeover/import.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"
#include "agent/core/saved_task.hpp"
#include "agent/core/stop_reason.hpp"
#include "agent/engine/image_ledger.hpp"
#include "agent/takeover/reference_task.hpp"

namespace nodeagent::takeover {

namespace {

constexpr std::array kIdentityKeys{engine::kAvailabilityZoneKey, engine::kClusterKey, engine::kContainerInstanceArnKey,
                                   engine::kEc2InstanceIdKey, engine::kManifestSequenceKey};

struct ReferenceImage {
    struct Image {
        std::string id;
        std::vector<std::string> names;
        std::int64_t size = 0;
        static constexpr auto json_fields() {
            return std::tuple{required_field("ImageID", &Image::id), optional_field("Names", &Image::names),
                              optional_field("Size", &Image::size)};
        }
    } image;
    std::string pulled_at, last_used_at;
    bool pull_succeeded = false;
    std::map<std::string, bool> managed_env_keys;
    static constexpr auto json_fields() {
        using T = ReferenceImage;
        return std::tuple{required_field("Image", &T::image), optional_field("PulledAt", &T::pulled_at),
                          optional_field("LastUsedAt", &T::last_used_at),
                          optional_field("PullSucceeded", &T::pull_succeeded),
                          optional_field("ManagedEnvKeys", &T::managed_env_keys)};
    }
};

/// What agents before 1.44 wrote: the same records, in one document.
struct LegacyFile {
    struct Engine {
        std::vector<Json> tasks, images;
        std::map<std::string, Json> containers;      ///< by Docker id
        std::map<std::string, std::string> task_of;  ///< Docker id -> task ARN
        static constexpr auto json_fields() {
            using T = Engine;
            return std::tuple{optional_field("Tasks", &T::tasks), optional_field("ImageStates", &T::images),
                              optional_field("IdToContainer", &T::containers), optional_field("IdToTask", &T::task_of)};
        }
    };
    struct Data {
        std::string cluster, arn, instance_id, zone;
        std::int64_t sequence = 0;
        Engine engine;
        static constexpr auto json_fields() {
            using T = Data;
            return std::tuple{optional_field("Cluster", &T::cluster),
                              optional_field("ContainerInstanceArn", &T::arn),
                              optional_field("EC2InstanceID", &T::instance_id),
                              optional_field("availabilityZone", &T::zone),
                              optional_field("latestSeqNumberTaskManifest", &T::sequence),
                              optional_field("TaskEngine", &T::engine)};
        }
    } data;
    std::int64_t version = 0;
    static constexpr auto json_fields() {
        return std::tuple{required_field("Data", &LegacyFile::data), required_field("Version", &LegacyFile::version)};
    }
};

std::string text_at(const Json& object, std::string_view name) {
    const Json* value = object.is_object() ? json_detail::member(object, name) : nullptr;
    return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

/// As the newer agents copy it into their database.
BoltBucket database_of(const LegacyFile::Data& data) {
    BoltBucket root;
    const auto keep = [&](std::string_view key, const std::string& value) {
        root.buckets["metadata"].values[std::string(key)] = dump_json(Json(value));
    };
    keep(engine::kAgentVersionKey, "before 1.44");
    keep(engine::kClusterKey, data.cluster);
    keep(engine::kContainerInstanceArnKey, data.arn);
    keep(engine::kEc2InstanceIdKey, data.instance_id);
    keep(engine::kAvailabilityZoneKey, data.zone);
    if (data.sequence > 0) keep(engine::kManifestSequenceKey, std::to_string(data.sequence));
    for (const Json& task : data.engine.tasks) {
        root.buckets["tasks"].values[core::task_id(text_at(task, "Arn"))] = dump_json(task);
    }
    for (const auto& [id, container] : data.engine.containers) {
        const auto task = data.engine.task_of.find(id);
        const Json* own = container.is_object() ? json_detail::member(container, "Container") : nullptr;
        if (task == data.engine.task_of.end() || own == nullptr) continue;
        root.buckets["containers"].values[core::task_id(task->second) + "-" + text_at(*own, "Name")] =
            dump_json(container);
    }
    for (std::size_t i = 0; i < data.engine.images.size(); ++i) {
        root.buckets["images"].values["number " + std::to_string(i + 1)] = dump_json(data.engine.images[i]);
    }
    return root;
}

struct Attachment {
    std::string task_arn;
    Json status;
    std::string expires_at, type;
    bool sent = false;
    static constexpr auto json_fields() {
        using T = Attachment;
        return std::tuple{optional_field("taskArn", &T::task_arn), optional_field("status", &T::status),
                          optional_field("expiresAt", &T::expires_at), optional_field("attachmentType", &T::type),
                          optional_field("attachSent", &T::sent)};
    }
};

class Importing {
  public:
    Importing(const BoltBucket& database, const core::Identity& identity) : database_(database), identity_(identity) {}

    Import run() {
        read_metadata();
        read_tasks();
        read_images();
        read_attachments("eniattachments", "network interface");
        read_attachments("resattachments", "volume");
        return std::move(import_);
    }

  private:
    [[nodiscard]] const std::map<std::string, std::string, std::less<>>& values(std::string_view bucket) const {
        static const std::map<std::string, std::string, std::less<>> kNone;
        const BoltBucket* found = database_.find(bucket);
        return found == nullptr ? kNone : found->values;
    }
    void note(std::string text) { import_.notes.push_back(std::move(text)); }

    void read_metadata() {
        for (const auto& [key, text] : values("metadata")) {
            const auto value = parse_json(text);
            if (!value || !value->is_string()) {
                note("metadata " + key + " cannot be read");
            } else if (key == engine::kAgentVersionKey) {
                import_.agent_version = *value;
            } else if (std::find(kIdentityKeys.begin(), kIdentityKeys.end(), key) != kIdentityKeys.end() &&
                       !value->get_ref<const std::string&>().empty()) {
                import_.metadata[key] = *value;
            }
        }
    }

    void read_tasks() {
        std::map<std::string, Json> containers;
        for (const auto& [key, text] : values("containers")) {
            auto record = parse_json(text);
            if (record) containers.emplace(key, *std::move(record));
        }
        for (const auto& [key, text] : values("tasks")) {
            const auto record = parse_json(text);
            auto translated =
                record ? translate_task(*record, containers, identity_, 0) : Result<TranslatedTask>(record.error());
            if (!translated) {
                note("task " + key + ": its record cannot be read (" + translated.error().what +
                     "); it is made again from its containers");
            } else if (translated->internal) {
                import_.own_tasks.push_back(translated->task.arn);
                note("task " + key + " is the old agent's own daemon; its containers are removed");
            } else {
                import_.tasks.push_back({std::move(translated->task), std::move(translated->missing)});
            }
        }
        // the order of acceptance is not recorded; that of the first pull is close to it
        std::stable_sort(import_.tasks.begin(), import_.tasks.end(), [](const ImportedTask& a, const ImportedTask& b) {
            const auto began = [](const ImportedTask& t) { return t.task.pull_started_at.value_or(WallTime::max()); };
            return began(a) < began(b);
        });
        for (std::size_t i = 0; i < import_.tasks.size(); ++i) import_.tasks[i].task.arrival = i + 1;
        for (const ImportedTask& one : import_.tasks) {
            if (one.missing.empty() || one.task.known == model::TaskStatus::Stopped) continue;
            note("task " + core::task_id(one.task.arn) +
                 " uses what this agent does not have: " + join(one.missing, ", ") +
                 (one.task.stop_reason.empty() ? "; it runs on, and is not set up again" : "; it is stopped"));
        }
    }

    void read_images() {
        for (const auto& [key, text] : values("images")) {
            auto image = decode<ReferenceImage>(text);
            if (!image) {
                note("image " + key + ": its record cannot be read; it counts as one this agent did not pull");
                continue;
            }
            engine::ImageRecord record;
            record.id = image->image.id.empty() ? key : image->image.id;
            record.names = std::move(image->image.names);
            record.size = image->image.size;
            record.pulled_at = parse_rfc3339(image->pulled_at).value_or(WallTime{});
            record.last_used_at = parse_rfc3339(image->last_used_at).value_or(WallTime{});
            record.pull_succeeded = image->pull_succeeded;
            for (const auto& [name, there] : image->managed_env_keys) {
                if (there) record.region_keys.push_back(name);
            }
            import_.images[record.id] = engine::encode_image_record(record);
        }
    }

    void read_attachments(std::string_view bucket, const std::string& what) {
        for (const auto& [key, text] : values(bucket)) {
            const auto attachment = decode<Attachment>(text);
            const std::string task = attachment ? core::task_id(attachment->task_arn) : "";
            const bool detached = attachment && (attachment->status == 2 || attachment->status == "DETACHED");
            const bool ended =
                attachment && std::any_of(import_.tasks.begin(), import_.tasks.end(), [&](const auto& one) {
                    return one.task.arn == attachment->task_arn && one.task.known == model::TaskStatus::Stopped;
                });
            if (detached || ended) continue;
            note(what + " attachment " + key + (task.empty() ? "" : " of task " + task) +
                 " is not supported by this agent: it stays as it is, and ECS is not told when it changes");
        }
    }

    const BoltBucket& database_;
    const core::Identity& identity_;
    Import import_;
};

}  // namespace

std::string Import::value(std::string_view key) const {
    const auto found = metadata.find(std::string(key));
    return found == metadata.end() ? std::string() : found->second;
}

std::size_t Import::live() const {
    return static_cast<std::size_t>(std::count_if(
        tasks.begin(), tasks.end(), [](const auto& one) { return one.task.known != model::TaskStatus::Stopped; }));
}

Import import_database(const BoltBucket& database, const core::Identity& identity) {
    return Importing(database, identity).run();
}

Result<Import> import_legacy_file(std::string_view text, const core::Identity& identity) {
    const auto file = decode<LegacyFile>(text);
    if (!file) return file.error();
    return import_database(database_of(file->data), identity);
}

void match_containers(Import& import, const std::vector<core::Listed>& listing) {
    using S = model::ContainerStatus;
    for (ImportedTask& one : import.tasks) {
        for (core::ContainerState& container : one.task.containers) {
            const bool lost = container.runtime_id.empty() && container.known >= S::Created;
            if (!lost || container.known == S::Stopped) continue;
            const auto found = std::find_if(listing.begin(), listing.end(), [&](const core::Listed& listed) {
                const bool named = !container.docker_name.empty() && listed.name == container.docker_name;
                return named || (listed.task_arn == one.task.arn && listed.container_name == container.name);
            });
            if (found != listing.end()) {
                container.runtime_id = found->runtime_id;
                container.docker_name = found->name;
                continue;
            }
            container.known = S::Stopped;
            if (!container.error) container.error = core::vanished();
        }
    }
}

engine::StoredState to_stored_state(const Import& import) {
    engine::StoredState state;
    state.metadata = import.metadata;
    state.images = import.images;
    for (const ImportedTask& one : import.tasks) state.tasks[one.task.arn] = core::encode_saved_task(one.task);
    for (const std::string& arn : import.own_tasks) state.metadata[std::string(engine::kGivenUpPrefix) + arn] = "";
    return state;
}

}  // namespace nodeagent::takeover
