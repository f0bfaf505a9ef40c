#include "agent/local/pagination.hpp"

#include <algorithm>

#include "agent/base/strings.hpp"

namespace nodeagent::local {

ApiOutcome<Page> paginate(std::vector<std::string> items, const PageRequest& request, std::int64_t limit) {
    const std::int64_t size = request.max_results.value_or(limit);
    if (size < 1 || size > limit) {
        return invalid_parameter("maxResults must be between 1 and " + std::to_string(limit) + ".");
    }
    auto first = items.begin();
    if (!request.next_token.empty()) {
        const auto last_seen = base64_decode(request.next_token);
        if (!last_seen) return invalid_parameter("Invalid nextToken.");
        // an item that went away meanwhile leaves its place: everything before it was shown
        first = std::find(items.begin(), items.end(), *last_seen);
        if (first != items.end()) {
            ++first;
        } else {
            const bool descending = items.size() > 1 && items.front() > items.back();
            first = std::find_if(items.begin(), items.end(), [&](const std::string& item) {
                return descending ? item < *last_seen : item > *last_seen;
            });
        }
    }
    Page page;
    const auto count = std::min<std::ptrdiff_t>(items.end() - first, static_cast<std::ptrdiff_t>(size));
    page.items.assign(first, first + count);
    if (first + count != items.end()) page.next_token = base64_encode(page.items.back());
    return page;
}

}  // namespace nodeagent::local
