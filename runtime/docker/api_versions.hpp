#pragma once
// Which Docker API version a call is made with. task-engine.md 5.1: the reference asks for the lowest version the
// daemon accepts, not the newest, because old versions have other defaults (IpcMode, CgroupnsMode) that tasks rely on.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::docker {

struct ApiVersion {
    int major = 1;
    int minor = 0;
    friend auto operator<=>(const ApiVersion&, const ApiVersion&) = default;
};

[[nodiscard]] std::optional<ApiVersion> parse_api_version(std::string_view text);
[[nodiscard]] std::string to_string(ApiVersion version);

class ApiVersions {
  public:
    /// From what GET /version says. Malformed if the daemon's newest version is older than 1.21.
    [[nodiscard]] static Result<ApiVersions> of_daemon(ApiVersion lowest, ApiVersion highest);

    /// Used for every call without a wish of its own.
    [[nodiscard]] ApiVersion standard() const { return standard_; }
    [[nodiscard]] bool usable(ApiVersion version) const { return version >= lowest_ && version <= highest_; }
    /// For create: max(wish, standard()); standard() when `wish` is no version. Malformed, in the reference's words,
    /// when the daemon does not speak it.
    [[nodiscard]] Result<ApiVersion> for_payload(std::string_view wish) const;
    /// Every version an ECS capability may name, ascending: those the daemon accepts and, when it accepts only 1.24 and
    /// newer, also the older ones.
    [[nodiscard]] std::vector<std::string> advertised() const;

  private:
    ApiVersion lowest_{1, 21}, highest_{1, 21}, standard_{1, 21};
};

}  // namespace nodeagent::runtime::docker
