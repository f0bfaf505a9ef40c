#include "agent/host_setup/sysctls.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "agent/base/fd.hpp"
#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::host_setup {

namespace {
std::string path_of_key(const std::string& key) { return "/proc/sys/" + key; }
}  // namespace

std::optional<std::string> read_sysctl(const std::string& key) {
    const auto value = read_file(path_of_key(key), 4096);
    return value ? std::optional(std::string(trimmed(*value))) : std::nullopt;
}

Result<void> write_sysctl(const std::string& key, const std::string& value) {
    const std::string path = path_of_key(key);
    const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file) return from_errno("open " + path);
    if (::write(file.get(), value.data(), value.size()) < 0) return from_errno("write " + value + " to " + path);
    return {};
}

}  // namespace nodeagent::host_setup
