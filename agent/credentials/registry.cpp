#include "agent/credentials/registry.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include <cstring>

#include "agent/base/random.hpp"

namespace nodeagent::credentials {

namespace {

std::string random_text(std::size_t size) {
    constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text(size, '\0');
    for (char& c : text) c = kLetters[thread_random()() % kLetters.size()];
    return text;
}

std::shared_ptr<const TaskRoleCredentials> make_decoy() {
    TaskRoleCredentials decoy;
    decoy.task_arn = random_text(90);
    decoy.role.role_arn = random_text(50);
    decoy.role.access_key_id = random_text(20);
    decoy.role.secret_access_key = Secret(random_text(40));
    decoy.role.session_token = Secret(random_text(800));
    decoy.role.expiration = random_text(20);
    return std::make_shared<const TaskRoleCredentials>(std::move(decoy));
}

}  // namespace

IdDigests::IdDigests() {
    // waits for entropy, if at all, only early in the boot; so few bytes are never cut short
    while (getrandom(key_.data(), key_.size(), 0) != static_cast<ssize_t>(key_.size())) {
    }
}

IdDigests::Digest IdDigests::of(std::string_view id) const {
    Digest digest{};
    HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), reinterpret_cast<const unsigned char*>(id.data()),
         id.size(), digest.data(), nullptr);
    return digest;
}

std::size_t Registry::DigestHash::operator()(const IdDigests::Digest& digest) const {
    std::size_t hash = 0;
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash;
}

bool Registry::SameDigest::operator()(const IdDigests::Digest& a, const IdDigests::Digest& b) const {
    return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Registry::Registry() : decoy_(make_decoy()) {}

bool Registry::put(TaskRoleCredentials credentials) {
    if (credentials.role.credentials_id.empty() || credentials.task_arn.empty()) return false;
    const IdDigests::Digest digest = digests_.of(credentials.role.credentials_id);
    auto stored = std::make_shared<const TaskRoleCredentials>(std::move(credentials));
    const std::lock_guard lock(mutex_);
    by_digest_[digest] = std::move(stored);
    return true;
}

void Registry::announce(const std::string& credentials_id) {
    if (credentials_id.empty()) return;
    const IdDigests::Digest digest = digests_.of(credentials_id);
    const std::lock_guard lock(mutex_);
    by_digest_.try_emplace(digest);
}

void Registry::forget(const std::string& credentials_id) {
    const IdDigests::Digest digest = digests_.of(credentials_id);
    const std::lock_guard lock(mutex_);
    by_digest_.erase(digest);
}

Registry::Found Registry::find(std::string_view credentials_id) const {
    const IdDigests::Digest digest = digests_.of(credentials_id);
    const std::lock_guard lock(mutex_);
    const auto found = by_digest_.find(digest);
    if (found == by_digest_.end()) return {Standing::Unknown, decoy_};
    if (found->second == nullptr) return {Standing::Awaited, decoy_};
    return {Standing::Granted, found->second};
}

std::shared_ptr<const TaskRoleCredentials> Registry::get(const std::string& credentials_id) const {
    Found found = find(credentials_id);
    return found.standing == Standing::Granted ? std::move(found.role) : nullptr;
}

bool Registry::known(const std::string& credentials_id) const {
    return find(credentials_id).standing != Standing::Unknown;
}

}  // namespace nodeagent::credentials
