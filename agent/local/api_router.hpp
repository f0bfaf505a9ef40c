#pragma once
// X-Amz-Target -> operation.

#include <string_view>

#include "agent/local/api.hpp"

namespace nodeagent::local {

/// Runs the operation named by the X-Amz-Target header on the request body. Unknown targets, bodies that are not JSON
/// objects and bugs become the error the service would give.
[[nodiscard]] ApiResult route(Api& api, std::string_view target, std::string_view body);

}  // namespace nodeagent::local
