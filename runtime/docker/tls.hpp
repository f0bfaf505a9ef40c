#pragma once
// Client certificates for a daemon behind tcp, where the docker command keeps them.

#include <memory>

#include "agent/base/error.hpp"
#include "runtime/docker/backend.hpp"

namespace boost::asio::ssl {
class context;
}

namespace nodeagent::runtime::docker {

/// nullptr when TLS is off. ca.pem is needed to verify, cert.pem and key.pem when they exist. Malformed names the file.
[[nodiscard]] Result<std::unique_ptr<boost::asio::ssl::context>> make_tls_context(const Options& options);

}  // namespace nodeagent::runtime::docker
