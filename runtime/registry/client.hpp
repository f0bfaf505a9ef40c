#pragma once
// Client of image registries: the OCI distribution API over HTTPS. Knows nothing of where images are kept. Every call
// blocks, may be made by any thread, and ends soon after a stop is asked for.
//
// Error::what is what ECS users should read, in Docker's words where the engine or users' tools know them:
//   NotFound     "manifest for busybox:9 not found: manifest unknown: ..."
//   Denied       "pull access denied for busybox, repository does not exist or may require 'docker login': denied:
//   ...",
//                "Head \"https://.../manifests/1\": no basic auth credentials"
//   Throttled    "toomanyrequests: ..."
//   Malformed    the registry's answer cannot be used: too large, another digest, schema 1, ...
//   Timeout      asked to stop; Unavailable: no connection, 5xx, a transfer that broke off too often

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/net/proxy.hpp"
#include "runtime/registry/manifest.hpp"
#include "runtime/registry/reference.hpp"
#include "runtime/types.hpp"

namespace nodeagent::runtime::registry {

struct RegistryOptions {
    /// Registry host ("docker.io") -> base URLs to ask first, in order; the registry itself is asked last.
    std::map<std::string, std::vector<std::string>> mirrors{};
    /// Hosts ("registry.local:5000", "10.0.0.0/8") that may be spoken to in plain http, and whose certificates are not
    /// checked. Loopback always is.
    std::vector<std::string> insecure{};
    std::string ca_file{};  ///< AWS_CA_BUNDLE or SSL_CERT_FILE; "" the system's
    std::string ca_dir{};   ///< SSL_CERT_DIR
    net::ProxySettings proxy{};
    std::string user_agent = "ecs-node-agent/" NODEAGENT_VERSION;
    std::chrono::nanoseconds connect_timeout = std::chrono::seconds(30);
    /// A request that neither sends nor receives a byte for so long is broken off, and made again.
    std::chrono::nanoseconds idle_timeout = std::chrono::seconds(30);
    /// Pause before the second, third, ... attempt at a transfer doubles from here on, up to 10 s.
    std::chrono::nanoseconds retry_pause = std::chrono::milliseconds(250);
    int attempts = 6;  ///< in a row without a byte of progress
};

/// A manifest or index as the registry sent it; the digest has been verified.
struct Document {
    BlobDescriptor descriptor;
    std::string body;
};

/// Takes a blob's bytes in order. An Error ends the transfer and is what fetch_blob returns.
using BlobSink = std::function<Result<void>(std::string_view bytes)>;

/// One repository with one user's credentials: tokens and connections live as long as it does. Thread-safe.
class Repository {
  public:
    virtual ~Repository() = default;
    /// What the reference's digest or tag names now. HEAD, then GET where a registry does not answer it in full.
    virtual Result<BlobDescriptor> resolve(std::stop_token stop) = 0;
    /// The manifest or index of that digest.
    virtual Result<Document> fetch_manifest(const std::string& digest, std::stop_token stop) = 0;
    /// The reference's own document: one request instead of two.
    virtual Result<Document> fetch_top(std::stop_token stop) = 0;
    /// Bytes of the blob from `offset` on, resumed as often as the transfer breaks. Whoever stores the bytes verifies
    /// their digest. Malformed when the registry has more or fewer than the descriptor says.
    virtual Result<void> fetch_blob(const BlobDescriptor& blob, std::int64_t offset, const BlobSink& sink,
                                    std::stop_token stop) = 0;
};

class RegistryClient {
  public:
    explicit RegistryClient(RegistryOptions options);
    ~RegistryClient();
    RegistryClient(const RegistryClient&) = delete;
    RegistryClient& operator=(const RegistryClient&) = delete;

    [[nodiscard]] std::unique_ptr<Repository> open(const Reference& reference, const RegistryAuth& auth);

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace nodeagent::runtime::registry
