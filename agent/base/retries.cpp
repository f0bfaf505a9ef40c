#include "agent/base/retries.hpp"

#include <atomic>
#include <cstddef>

namespace nodeagent {

namespace {

std::atomic<std::uint64_t>& counter(Retried what, ErrorKind why) {
    static std::array<std::array<std::atomic<std::uint64_t>, kErrorKinds.size()>, kRetried.size()> counts{};
    return counts.at(static_cast<std::size_t>(what)).at(static_cast<std::size_t>(why));
}

}  // namespace

std::string_view to_string(Retried what) {
    switch (what) {
        case Retried::AwsCall: return "aws_call";
        case Retried::StateChange: return "state_change";
        case Retried::ImageDigest: return "image_digest";
        case Retried::ImagePull: return "image_pull";
        case Retried::RuntimeCall: return "runtime_call";
        case Retried::Save: return "save";
        case Retried::AcsSession: return "acs_session";
        case Retried::TcsSession: return "tcs_session";
    }
    return "aws_call";
}

void count_retry(Retried what, ErrorKind why) { counter(what, why).fetch_add(1, std::memory_order_relaxed); }

std::uint64_t retries(Retried what, ErrorKind why) { return counter(what, why).load(std::memory_order_relaxed); }

}  // namespace nodeagent
