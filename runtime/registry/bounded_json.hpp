#pragma once
// JSON of strangers: a document's size in memory is known before it is built. Pure.

#include <cstddef>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::registry {

struct JsonBounds {
    std::size_t bytes;
    std::size_t depth = 32;       ///< of lists and objects in each other
    std::size_t values = 100000;  ///< members and items in all: some 100 bytes of memory each
};

/// Malformed when a bound is passed or it is no JSON; `what` names the document: "the manifest".
[[nodiscard]] Result<nlohmann::json> parse_bounded(std::string_view what, std::string_view text,
                                                   const JsonBounds& bounds);

}  // namespace nodeagent::runtime::registry
