#pragma once
// How often something was tried again, by what it was and why. Retry loops are in every layer, so the counts belong to
// the process, as the log does: count_retry() stands where a loop goes round again. Thread-safe.

#include <array>
#include <cstdint>
#include <string_view>

#include "agent/base/error.hpp"

namespace nodeagent {

enum class Retried : std::uint8_t {
    AwsCall,      ///< a request to an AWS service
    StateChange,  ///< a state change that ECS did not take, after the call's own retries
    ImageDigest,
    ImagePull,
    RuntimeCall,  ///< to the container runtime
    Save,         ///< a commit to the state store
    AcsSession,
    TcsSession,
};
inline constexpr std::array kRetried{Retried::AwsCall,    Retried::StateChange, Retried::ImageDigest,
                                     Retried::ImagePull,  Retried::RuntimeCall, Retried::Save,
                                     Retried::AcsSession, Retried::TcsSession};
[[nodiscard]] std::string_view to_string(Retried what);

void count_retry(Retried what, ErrorKind why);
[[nodiscard]] std::uint64_t retries(Retried what, ErrorKind why);

}  // namespace nodeagent
