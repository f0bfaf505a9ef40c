#pragma once
// Merges the sources of configuration field by field (config.md 1): environment, JSON file, EC2 user data, the
// instance's region, defaults. All problems are gathered before any is reported.

#include <functional>
#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/config/config.hpp"
#include "agent/config/environment.hpp"

namespace nodeagent::config {

/// What load asks of the EC2 instance; credentials::InstanceFacts is the real one. Calls block for up to 5 s each.
class InstanceFacts {
  public:
    virtual ~InstanceFacts() = default;
    /// NotFound when the instance has none.
    virtual Result<std::string> user_data() = 0;
    /// `region` of the identity document.
    virtual Result<std::string> identity_region() = 0;
    /// meta-data/placement/region.
    virtual Result<std::string> placement_region() = 0;
};

/// Everything outside the environment that a configuration may come from.
struct Surroundings {
    std::function<Result<std::string>(const std::string& path)> read_file;  ///< empty: the real file system
    InstanceFacts* instance = nullptr;  ///< nullptr: as if every call failed with "blackholed"
    bool blackhole_imds = false;        ///< -blackhole-ec2-metadata; external mode implies it
};

/// One line of `ecs-node config` and of the start-up dump.
struct EffectiveSetting {
    std::string name;   ///< the environment variable, or the JSON key of a setting that only files have
    std::string value;  ///< as it would be written in the environment; "<redacted>" for a secret that is set
    std::string
        source;  ///< "environment", "file /etc/...", "user data", "instance metadata", "command line", "default"
    bool active = true;  ///< false: accepted and checked, but this build lacks the feature
    bool secret = false;
};

struct Loaded {
    Config config;
    std::vector<EffectiveSetting> settings;  ///< in the table's order
    std::vector<std::string> warnings;       ///< values that were replaced or ignored; log each at warn
};

/// Never fails: the configuration as far as it could be read, with what is wrong. For --check-config.
struct Examination {
    Loaded loaded;
    std::vector<std::string> problems;  ///< any entry means: refuse to start, exit 1
};
[[nodiscard]] Examination examine(const Environment& environment, const Surroundings& surroundings);

/// Malformed when examine() finds problems; the text holds all of them.
[[nodiscard]] Result<Loaded> load(const Environment& environment, const Surroundings& surroundings);

}  // namespace nodeagent::config
