#pragma once
// Docker's default seccomp profile as a table: what is allowed, and when. Everything else fails with EPERM.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace nodeagent::runtime::containerd::oci {

struct SeccompArgument {
    unsigned index = 0;
    std::uint64_t value = 0;
    std::string_view op;
};

struct SeccompRule {
    std::string_view calls{};                   ///< names, blanks between; so are the other lists
    std::optional<SeccompArgument> argument{};  ///< only with this argument
    int error = 0;                              ///< fails with this number instead of being allowed
    std::string_view with_capability{};         ///< of the bounding set
    std::string_view without_capability{};
    std::string_view on_architectures{};
    std::string_view not_on_architectures{};
    int since_major = 0, since_minor = 0;  ///< of the kernel
};

[[nodiscard]] std::span<const SeccompRule> default_seccomp_rules();

}  // namespace nodeagent::runtime::containerd::oci
