#pragma once
// What libcurl is told about certificates and proxies, the same for each client of ours.

#include <string>

#include "agent/net/proxy.hpp"

namespace nodeagent::net {

/// A file, a directory of certificates named by their subject's hash, or neither: libcurl's own default.
struct CurlTrust {
    std::string file;
    std::string directory;
};

/// `ca_file` replaces the system's certificates, `ca_dir` its directory, which may hold the distribution's bundle.
[[nodiscard]] CurlTrust curl_trust(const std::string& ca_file, const std::string& ca_dir);

/// Value of CURLOPT_NOPROXY: loopback never goes through a proxy, as in Go's transport.
[[nodiscard]] std::string curl_no_proxy(const ProxySettings& proxy);

}  // namespace nodeagent::net
