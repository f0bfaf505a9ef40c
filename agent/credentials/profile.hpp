#pragma once
// The INI files of the AWS tools: ~/.aws/credentials, ~/.aws/config, and the rotating file of external instances.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/error.hpp"

namespace nodeagent::credentials {

using Profile = std::map<std::string, std::string, std::less<>>;  ///< keys in lower case

enum class ProfileFile : bool {
    Credentials,  ///< sections are profile names
    Config,       ///< sections are "default" and "profile NAME"
};

/// The profile's keys; nothing when the text has no such section. Lines that are no key=value are passed over.
[[nodiscard]] std::optional<Profile> find_profile(std::string_view text, std::string_view name, ProfileFile kind);

}  // namespace nodeagent::credentials
