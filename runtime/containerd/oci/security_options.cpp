#include "runtime/containerd/oci/security_options.hpp"

#include <optional>
#include <string_view>

#include "runtime/containerd/oci/documents.hpp"

namespace nodeagent::runtime::containerd::oci {

namespace {

/// What Go's ParseBool takes.
std::optional<bool> truth_of(std::string_view text) {
    for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
        if (text == yes) return true;
    }
    for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
        if (text == no) return false;
    }
    return std::nullopt;
}

}  // namespace

Result<SecurityOptions> security_options(const Json& host_config) {
    SecurityOptions options;
    for (const std::string& option : texts_of(host_config, "SecurityOpt")) {
        if (option == "no-new-privileges") {
            options.no_new_privileges = true;
            continue;
        }
        if (option == "disable") continue;  // of SELinux, in an old way of writing
        std::size_t separator = option.find('=');
        if (separator == std::string::npos) separator = option.find(':');
        if (separator == std::string::npos) return malformed("invalid --security-opt 1: " + in_quotes(option));
        const std::string_view name = std::string_view(option).substr(0, separator);
        const std::string value = option.substr(separator + 1);
        if (name == "label") continue;
        if (name == "apparmor") {
            options.apparmor = value;
        } else if (name == "seccomp") {
            options.seccomp = value;
        } else if (const auto truth = truth_of(value); name == "no-new-privileges" && truth) {
            options.no_new_privileges = *truth;
        } else {
            return malformed("invalid --security-opt 2: " + in_quotes(option));
        }
    }
    return options;
}

}  // namespace nodeagent::runtime::containerd::oci
