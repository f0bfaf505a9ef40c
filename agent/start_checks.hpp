#pragma once
// What must be true before this host may (again) be the container instance it was (control-plane.md 1).

#include <functional>
#include <string>

#include "agent/base/error.hpp"
#include "agent/engine/state_store.hpp"

namespace nodeagent {

/// What the saved state means for this start.
enum class Identity : unsigned char {
    Fresh,         ///< nothing saved
    Same,          ///< go on as the saved container instance
    OtherMachine,  ///< the disk moved to another EC2 instance: forget everything, register anew
    OtherCluster,  ///< exit 5: the operator must choose
};

/// `instance_id` is "" when it cannot be told (not EC2, or no answer): the saved one is then assumed. An empty cluster
/// counts as "default".
[[nodiscard]] Identity compare_identity(const engine::StoredState& stored, const std::string& cluster,
                                        const std::string& instance_id);

/// What an operator can do about a state store in `data_dir` that could not be opened.
[[nodiscard]] std::string state_remedy(ErrorKind kind, const std::string& data_dir);

/// True: cloud-init ended without a data source though the instance has user data, so the configuration it should have
/// written is missing, and running would join the wrong cluster. `result_json` is /var/lib/cloud/data/result.json, ""
/// when it cannot be read.
[[nodiscard]] bool cloud_init_missed_user_data(const std::string& result_json, const std::string& user_data);

}  // namespace nodeagent
