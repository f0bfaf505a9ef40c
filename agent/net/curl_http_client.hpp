#pragma once
// HttpClient on libcurl's easy interface. A request occupies one thread of the pool; handles, and with them their open
// connections, are kept between requests. Usable from any shard.

#include <memory>
#include <string>

#include "agent/base/blocking_pool.hpp"
#include "agent/net/http_client.hpp"
#include "agent/net/proxy.hpp"

namespace nodeagent::net {

struct CurlOptions {
    std::string ca_file;    ///< AWS_CA_BUNDLE or SSL_CERT_FILE; replaces the system's certificates
    std::string ca_dir;     ///< SSL_CERT_DIR; hashed, or with the distribution's bundle in it
    bool insecure = false;  ///< -k: any certificate is accepted
    ProxySettings proxy;
};

class CurlHttpClient final : public HttpClient {
  public:
    CurlHttpClient(BlockingPool& pool, CurlOptions options);
    ~CurlHttpClient() override;

    /// Redirects are not followed. A cancelled caller still waits for the attempt's own deadline.
    asio::awaitable<Result<HttpResponse>> send(HttpRequest request) override;

  private:
    struct State;
    BlockingPool& pool_;
    std::shared_ptr<State> state_;
};

}  // namespace nodeagent::net
