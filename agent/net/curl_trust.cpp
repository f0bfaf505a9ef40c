#include "agent/net/curl_trust.hpp"

#include <filesystem>

namespace nodeagent::net {

namespace {

constexpr const char* kSystemCertificates = "/etc/ssl/certs";

// Certificates named by their subject hash: OpenSSL then reads the one it needs instead of a bundle of 140.
bool is_hashed(const std::string& directory) {
    std::error_code failure;
    for (std::filesystem::directory_iterator entry(directory, failure), end; !failure && entry != end;
         entry.increment(failure)) {
        if (entry->path().extension() == ".0") return true;
    }
    return false;
}

std::string bundle_in(const std::string& directory) {
    for (const char* name : {"ca-certificates.crt", "ca-bundle.crt", "tls-ca-bundle.pem"}) {
        std::error_code failure;
        const std::string path = directory + '/' + name;
        if (std::filesystem::exists(path, failure)) return path;
    }
    return {};
}

}  // namespace

CurlTrust curl_trust(const std::string& ca_file, const std::string& ca_dir) {
    if (!ca_file.empty()) return {ca_file, {}};
    const std::string directory = ca_dir.empty() ? kSystemCertificates : ca_dir;
    if (is_hashed(directory)) return {{}, directory};
    return {bundle_in(directory), {}};
}

std::string curl_no_proxy(const ProxySettings& proxy) {
    if (proxy.no_proxy == "*") return proxy.no_proxy;
    return proxy.no_proxy + (proxy.no_proxy.empty() ? "" : ",") + "localhost,127.0.0.0/8,::1";
}

}  // namespace nodeagent::net
