#pragma once
// Repository over HTTP: endpoints in turn, authorization, redirects, and transfers that are taken up where they broke.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/registry/authorizer.hpp"
#include "runtime/registry/client.hpp"
#include "runtime/registry/endpoint.hpp"
#include "runtime/registry/http.hpp"

namespace nodeagent::runtime::registry {

/// What all repositories of a client share.
struct ClientState {
    RegistryOptions options;
    std::mutex mutex;
    std::map<std::string, std::size_t> bases;  ///< which of an endpoint's bases answered last, by the first of them
};

class HttpRepository final : public Repository {
  public:
    HttpRepository(std::shared_ptr<ClientState> client, Reference reference, const RegistryAuth& auth);

    Result<BlobDescriptor> resolve(std::stop_token stop) override;
    Result<Document> fetch_manifest(const std::string& digest, std::stop_token stop) override;
    Result<Document> fetch_top(std::stop_token stop) override;
    Result<void> fetch_blob(const BlobDescriptor& blob, std::int64_t offset, const BlobSink& sink,
                            std::stop_token stop) override;

  private:
    struct Source {
        Endpoint endpoint;
        std::unique_ptr<Authorizer> authorizer;
    };
    /// An answer that is final: no challenge to meet, no redirect to follow.
    struct Final {
        HttpAnswer answer;
        bool elsewhere = false;  ///< from a host that a redirect led to
    };
    using Attempt = boost::system::result<Final, HttpFailure>;

    /// One request below /v2/<name>/ of a source.
    Attempt ask(Source& source, const std::string& path, HttpAsk ask, const std::stop_token& stop);
    Attempt ask_base(Source& source, const std::string& base, const std::string& path, HttpAsk& ask,
                     const std::stop_token& stop);
    Attempt follow(const Endpoint& endpoint, HttpAsk ask, const std::stop_token& stop);
    /// The same again while the registry is only in trouble, three times at most.
    Attempt ask_patiently(Source& source, const std::string& path, const HttpAsk& ask, const std::stop_token& stop);

    Result<Document> fetch_document(const std::string& which, std::stop_token stop);
    Result<Document> fetch_document_from(Source& source, const std::string& which, const std::stop_token& stop);
    Result<BlobDescriptor> resolve_at(Source& source, const std::stop_token& stop);
    Result<void> fetch_blob_from(Source& source, const BlobDescriptor& blob, std::int64_t& received,
                                 const BlobSink& sink, const std::stop_token& stop, bool& final);
    [[nodiscard]] Error error_of(const Final& final, const HttpAsk& ask) const;

    std::shared_ptr<ClientState> client_;
    const Reference reference_;
    Http http_;
    std::vector<Source> sources_;
    std::atomic<std::size_t> preferred_{0};  ///< the source that had the manifest
};

}  // namespace nodeagent::runtime::registry
