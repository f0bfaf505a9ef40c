#include "agent/net/http_client.hpp"

#include "agent/base/strings.hpp"

namespace nodeagent::net {

std::string HttpResponse::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (equals_ignoring_case(key, name)) return value;
    }
    return {};
}

}  // namespace nodeagent::net
