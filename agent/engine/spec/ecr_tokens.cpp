#include "agent/engine/spec/ecr_tokens.hpp"

#include <random>

#include "agent/base/random.hpp"

#include <utility>

namespace nodeagent::engine {

using std::chrono::hours;
using std::chrono::minutes;

namespace {

constexpr std::size_t kTokensKept = 100;
constexpr hours kKeptAtMost{12};
constexpr std::chrono::seconds kLeastLeft =
    minutes(30);  // plus as much again at random, so that a fleet does not refresh at once

}  // namespace

EcrTokens::EcrTokens(EcrApi& api, credentials::Provider& instance, const credentials::Registry& roles,
                     const Clock& clock)
    : api_(api), instance_(instance), roles_(roles), clock_(clock) {}

asio::awaitable<Result<runtime::RegistryAuth>> EcrTokens::get(model::EcrAuthData request,
                                                              std::string execution_credentials_id) {
    credentials::AwsCredentials signer;
    std::string role_arn;
    if (request.use_execution_role) {
        const auto role = roles_.get(execution_credentials_id);
        if (!role) co_return Error{.kind = ErrorKind::NotFound, .what = "engine ecr credentials: not found"};
        signer.access_key_id = role->role.access_key_id;
        signer.secret_access_key = role->role.secret_access_key;
        signer.session_token = role->role.session_token;
        signer.source = "execution role";
        role_arn = role->role.role_arn;
    } else {
        execution_credentials_id.clear();
    }
    std::string key = execution_credentials_id + '\n' + role_arn + '\n' + request.region + '\n' + request.registry_id +
                      '\n' + request.endpoint_override;
    if (auto known = cached(key)) co_return std::move(*known);
    if (!request.use_execution_role) {
        Result<credentials::AwsCredentials> own = co_await instance_.get();
        if (!own) co_return std::move(own).error();
        signer = std::move(*own);
    }
    Result<EcrToken> token = co_await api_.authorization_token(std::move(request), std::move(signer));
    if (!token) co_return std::move(token).error();
    runtime::RegistryAuth auth = token->auth;
    keep(std::move(key), std::move(*token));
    co_return auth;
}

std::optional<runtime::RegistryAuth> EcrTokens::cached(const std::string& key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return std::nullopt;
    const auto entry = found->second;
    const Instant now = clock_.now();
    const std::chrono::seconds least_left(
        std::uniform_int_distribution<std::int64_t>(kLeastLeft.count(), 2 * kLeastLeft.count())(thread_random()));
    const bool expiring = entry->token.expires_at && now.wall + least_left >= *entry->token.expires_at;
    if (expiring || now.steady >= entry->kept_until) {
        entries_.erase(entry);
        by_key_.erase(found);
        return std::nullopt;
    }
    entries_.splice(entries_.begin(), entries_, entry);
    return entry->token.auth;
}

void EcrTokens::keep(std::string key, EcrToken token) {
    if (const auto old = by_key_.find(key); old != by_key_.end()) {  // two pulls asked at once
        entries_.erase(old->second);
        by_key_.erase(old);
    }
    entries_.push_front({.key = key, .token = std::move(token), .kept_until = clock_.now().steady + kKeptAtMost});
    by_key_.emplace(std::move(key), entries_.begin());
    if (entries_.size() > kTokensKept) {
        by_key_.erase(entries_.back().key);
        entries_.pop_back();
    }
}

}  // namespace nodeagent::engine
