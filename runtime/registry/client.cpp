#include "runtime/registry/client.hpp"

#include <utility>

#include "runtime/registry/http_repository.hpp"

namespace nodeagent::runtime::registry {

struct RegistryClient::State : ClientState {};

RegistryClient::RegistryClient(RegistryOptions options) : state_(std::make_shared<State>()) {
    state_->options = std::move(options);
}

RegistryClient::~RegistryClient() = default;

std::unique_ptr<Repository> RegistryClient::open(const Reference& reference, const RegistryAuth& auth) {
    return std::make_unique<HttpRepository>(state_, reference, auth);
}

}  // namespace nodeagent::runtime::registry
