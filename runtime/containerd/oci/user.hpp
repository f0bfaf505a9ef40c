#pragma once
// Who a container's process is: Config.User or the image's, by the image's own /etc/passwd and /etc/group. Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/base/json.hpp"
#include "runtime/containerd/image_config.hpp"

namespace nodeagent::runtime::containerd::oci {

struct User {
    std::uint32_t uid = 0, gid = 0;
    std::vector<std::uint32_t> groups{};  ///< supplementary; as Docker's, the first is gid again
    friend bool operator==(const User&, const User&) = default;
};

/// Config.User, else the image's: "", "app", "1000:1000".
[[nodiscard]] std::string user_word(const Json& config, const ImageConfig& image);

/// user[:group], each a name or a number, plus HostConfig.GroupAdd. `passwd` and `group` are the files' content, ""
/// where the image has none. A number that passwd lists takes its group and supplementary groups; one that it does not
/// list is taken as it is. Malformed with Docker's text: "unable to find user app: no matching entries in passwd file".
[[nodiscard]] Result<User> resolve_user(std::string_view word, const std::vector<std::string>& group_add,
                                        std::string_view passwd, std::string_view group);

}  // namespace nodeagent::runtime::containerd::oci
