#include "runtime/registry/digest.hpp"

#include <array>

#include <openssl/evp.h>

#include "agent/base/strings.hpp"

namespace nodeagent::runtime::registry {

void Digester::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Digester::Digester() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }

Digester::~Digester() = default;

void Digester::add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }

std::string Digester::finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &length);
    return "sha256:" + hex(std::string_view(reinterpret_cast<const char*>(digest.data()), length));
}

std::string digest_of(std::string_view bytes) {
    Digester digester;
    digester.add(bytes);
    return digester.finish();
}

}  // namespace nodeagent::runtime::registry
