#pragma once
// How often and how many images are pulled. Pure.

#include <cstddef>
#include <optional>

#include "agent/base/error.hpp"

namespace nodeagent::core {

/// What a failed pull or digest request says about trying again.
enum class PullFailure : std::uint8_t {
    Passing,    ///< a network, a registry or a daemon in trouble
    Permanent,  ///< no such image, no permission, no valid reference: another try is for registries that lag behind
    NoSpace,    ///< the disk for images is full: another try helps only after something was removed
};
[[nodiscard]] PullFailure kind_of_failure(const Error& error);

/// Attempts in total, the first included, of an action that makes `usual` when failures may pass.
[[nodiscard]] int attempts_after(PullFailure failure, int usual);

/// Pulls at the same time: `wanted` when the operator says (> 0); else twice the cores within 4 and 16, and 2 on a disk
/// that rotates, whose seeks several pulls would multiply. Nothing known of the disk: as if it does not rotate.
[[nodiscard]] std::size_t parallel_pulls(int wanted, unsigned cores, std::optional<bool> rotates);

}  // namespace nodeagent::core
