#pragma once
// AppArmor's profile for containers. Docker loads "docker-default" when it starts; where there is no Docker, nobody
// does, and a runtime that is told to use it fails. So we load our own of that name and of the same effect.

#include <string>
#include <string_view>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::containerd {

inline constexpr const char* kContainerProfile = "docker-default";

struct AppArmorPlaces {
    std::string enabled = "/sys/module/apparmor/parameters/enabled";
    std::string profiles = "/sys/kernel/security/apparmor/profiles";
    std::string includes = "/etc/apparmor.d";
    std::string parser{};  ///< apparmor_parser; "": looked for
};

/// Whether containers can be confined: the kernel has AppArmor and the profile is loaded, by this call if it was not.
/// As with Docker, a host without apparmor_parser does not confine: false. Blocks; once, at the start of the agent.
/// An error is the parser's, and means false.
[[nodiscard]] Result<bool> ensure_container_profile(const AppArmorPlaces& places = {});

/// What the parser reads. `abi`: abi/3.0 can be included; `base`: tunables/global and abstractions/base can. Pure.
[[nodiscard]] std::string container_profile(bool abi, bool base);
/// Whether the kernel's list of profiles ("name (mode)" a line) has it. Pure.
[[nodiscard]] bool lists_profile(std::string_view list, std::string_view name);

}  // namespace nodeagent::runtime::containerd
