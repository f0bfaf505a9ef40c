#include "agent/local/credential_issuer.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::local {
namespace {

constexpr std::string_view kPrefix = "ASIA";  // as AWS marks temporary keys
constexpr std::size_t kRandomPart = 8;        // base32-like characters that identify the key
constexpr std::size_t kCheckPart = 8;         // characters derived from the seed, so that foreign keys are told apart
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

std::string in_alphabet(std::string_view bytes, std::size_t length) {
    std::string text;
    for (std::size_t i = 0; i < length && i < bytes.size(); ++i) {
        text += kAlphabet[static_cast<unsigned char>(bytes[i]) % kAlphabet.size()];
    }
    return text;
}

std::string random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count));
    return bytes;
}

}  // namespace

CredentialIssuer::CredentialIssuer(Secret seed, std::chrono::seconds lifetime)
    : seed_(seed.empty() ? Secret(random_bytes(32)) : std::move(seed)), lifetime_(lifetime) {}

std::string CredentialIssuer::derive(std::string_view purpose, std::string_view access_key_id) const {
    const std::string text = std::string(purpose) + ":" + std::string(access_key_id);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    HMAC(EVP_sha256(), seed_.reveal().data(), static_cast<int>(seed_.reveal().size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &length);
    return {reinterpret_cast<const char*>(digest.data()), length};
}

const IssuedCredentials& CredentialIssuer::current(const std::string& credentials_id, const std::string& role_arn,
                                                   WallTime now, std::chrono::seconds remaining) {
    IssuedCredentials& credentials = issued_[credentials_id];
    if (!credentials.access_key_id.empty() && credentials.expires_at - now > remaining) return credentials;
    const std::string random = std::string(kPrefix) + in_alphabet(random_bytes(kRandomPart), kRandomPart);
    const std::string key = random + in_alphabet(derive("id", random), kCheckPart);
    credentials.access_key_id = key;
    credentials.secret_access_key = Secret(base64_encode(derive("secret", key)));
    credentials.session_token = Secret(base64_encode(derive("token", key)));
    credentials.role_arn = role_arn;
    credentials.expires_at = now + lifetime_;
    credentials.expiration = rfc3339_seconds(credentials.expires_at);
    return credentials;
}

std::optional<WallTime> CredentialIssuer::expiry(const std::string& credentials_id) const {
    const auto found = issued_.find(credentials_id);
    if (found == issued_.end()) return std::nullopt;
    return found->second.expires_at;
}

void CredentialIssuer::forget(const std::string& credentials_id) { issued_.erase(credentials_id); }

std::optional<Secret> CredentialIssuer::secret_of(std::string_view access_key_id) const {
    if (!access_key_id.starts_with(kPrefix) || access_key_id.size() != kPrefix.size() + kRandomPart + kCheckPart) {
        return std::nullopt;
    }
    const std::string_view random = access_key_id.substr(0, kPrefix.size() + kRandomPart);
    if (access_key_id.substr(random.size()) != in_alphabet(derive("id", random), kCheckPart)) return std::nullopt;
    return Secret(base64_encode(derive("secret", access_key_id)));
}

}  // namespace nodeagent::local
