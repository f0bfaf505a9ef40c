#pragma once
// Where the daemon listens: the words of DOCKER_HOST.

#include <string>
#include <string_view>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::docker {

struct Endpoint {
    std::string path;  ///< of a unix socket; empty: tcp
    std::string host;
    std::string port;
    std::string address;  ///< as it was given, for people
};

/// unix:///path, tcp://host[:port], http://host[:port]; the port is 2375, with TLS 2376. Malformed otherwise.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view address, bool tls);

}  // namespace nodeagent::runtime::docker
