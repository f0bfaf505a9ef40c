#pragma once
// Puts blobs into the content store, under a lease: from memory or from a registry, resuming what an earlier attempt
// left.

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "agent/base/error.hpp"
#include "runtime/containerd/client.hpp"
#include "runtime/containerd/images/shared_work.hpp"
#include "runtime/registry/client.hpp"

namespace nodeagent::runtime::containerd {

class BlobKeeper {
  public:
    BlobKeeper(Client& client, SharedWork& work) : client_(client), work_(work) {}

    /// `kind` names the ingest: "manifest", "index", "config", "layer". The labels are set also where the blob is there
    /// already.
    Result<void> keep(std::string_view kind, std::string_view bytes, const std::string& digest, const Labels& labels,
                      const std::string& lease, const std::stop_token& stop);

    /// `received` is told how much of the blob is here. Malformed when the registry's bytes have another digest: none
    /// of them stay.
    Result<void> fetch(std::string_view kind, const registry::BlobDescriptor& blob, registry::Repository& from,
                       const Labels& labels, const std::string& lease, const std::stop_token& stop,
                       const std::function<void(std::int64_t)>& received);

  private:
    /// Waits while another writer holds the ref.
    Result<std::unique_ptr<ContentWriter>> open(const std::string& ref, std::int64_t size, const std::string& digest,
                                                const std::string& lease, const std::stop_token& stop);

    Client& client_;
    SharedWork& work_;
};

}  // namespace nodeagent::runtime::containerd
