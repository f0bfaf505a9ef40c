#pragma once
// The Docker Engine behind runtime::Backend. Lives on the shard of the executor it was made with.

#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "runtime/backend.hpp"

namespace nodeagent::runtime::docker {

struct Options {
    std::string host = "unix:///var/run/docker.sock";  ///< unix://path or tcp://host:port (DOCKER_HOST)
    bool tls = false;                                  ///< tcp only (a non-empty DOCKER_CERT_PATH or DOCKER_TLS_VERIFY)
    bool tls_verify = false;                           ///< DOCKER_TLS_VERIFY is not empty
    std::string cert_path;                             ///< directory of ca.pem, cert.pem, key.pem (DOCKER_CERT_PATH)
};

/// Malformed when `options.host` is no address, or a certificate cannot be read. Nothing is connected yet.
[[nodiscard]] Result<std::unique_ptr<Backend>> make_backend(asio::any_io_executor shard, Options options);

}  // namespace nodeagent::runtime::docker
