#include "agent/core/pull_rules.hpp"

#include <algorithm>
#include <string>

#include "agent/base/strings.hpp"

namespace nodeagent::core {

PullFailure kind_of_failure(const Error& error) {
    const std::string words = lower(error.what);
    const auto says = [&words](std::string_view part) { return words.find(part) != std::string::npos; };
    if (says("no space left on device") || says("disk quota exceeded")) return PullFailure::NoSpace;
    if (error.kind == ErrorKind::NotFound || error.kind == ErrorKind::Denied) return PullFailure::Permanent;
    if (error.kind == ErrorKind::Malformed || says("invalid reference format")) return PullFailure::Permanent;
    return PullFailure::Passing;
}

int attempts_after(PullFailure failure, int usual) {
    switch (failure) {
        case PullFailure::Permanent: return std::min(usual, std::max(2, usual / 2));
        case PullFailure::NoSpace: return std::min(usual, 3);
        case PullFailure::Passing: break;
    }
    return usual;
}

std::size_t parallel_pulls(int wanted, unsigned cores, std::optional<bool> rotates) {
    constexpr std::size_t kRotating = 2;
    if (wanted > 0) return static_cast<std::size_t>(wanted);
    if (rotates.value_or(false)) return kRotating;
    return std::clamp<std::size_t>(std::size_t{2} * cores, 4, 16);
}

}  // namespace nodeagent::core
