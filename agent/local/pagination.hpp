#pragma once
// nextToken and maxResults of the list operations. A token is the last item of the page before, so pages stay right
// when items come and go between calls.

#include <optional>
#include <string>
#include <vector>

#include "agent/local/errors.hpp"

namespace nodeagent::local {

struct PageRequest {
    std::string next_token;
    std::optional<std::int64_t> max_results;
};

struct Page {
    std::vector<std::string> items;
    std::string next_token;  ///< empty on the last page
};

/// `items` are in the order to show them, ascending or descending. `limit` is the operation's largest page.
[[nodiscard]] ApiOutcome<Page> paginate(std::vector<std::string> items, const PageRequest& request,
                                        std::int64_t limit = 100);

}  // namespace nodeagent::local
