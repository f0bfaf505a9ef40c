#pragma once
// Tokens as docker-registry takes them: JSON web tokens signed by a certificate that its configuration trusts. The
// service that gives them is a FakeRegistry with an interceptor; this makes what it answers.

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::test {

class TokenSigner {
  public:
    TokenSigner() : key_(EVP_RSA_gen(2048), &EVP_PKEY_free), certificate_(X509_new(), &X509_free) {
        X509* certificate = certificate_.get();
        X509_set_version(certificate, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
        X509_set_pubkey(certificate, key_.get());
        X509_NAME* name = X509_get_subject_name(certificate);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("tokens"), -1, -1,
                                   0);
        X509_set_issuer_name(certificate, name);
        if (X509_sign(certificate, key_.get(), EVP_sha256()) == 0) throw std::runtime_error("no certificate");
    }
    void write_certificate(const std::string& path) const {
        const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "w"), &std::fclose);
        if (file == nullptr || PEM_write_X509(file.get(), certificate_.get()) == 0) throw std::runtime_error(path);
    }
    /// `actions`: what may be done with `repository`; none: a token that allows nothing.
    [[nodiscard]] std::string token(const std::string& repository, const std::vector<std::string>& actions) const {
        unsigned char* der = nullptr;
        const int size = i2d_X509(certificate_.get(), &der);
        const std::string certificate(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
        OPENSSL_free(der);
        const auto now =
            std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
                .count();
        Json claims = {{"iss", "tokens"}, {"aud", "registry"}, {"sub", "tester"}, {"exp", now + 300},
                       {"nbf", now - 60}, {"iat", now},        {"jti", uuid4()},  {"access", Json::array()}};
        if (!actions.empty()) {
            claims["access"].push_back({{"type", "repository"}, {"name", repository}, {"actions", actions}});
        }
        const Json header = {{"alg", "RS256"}, {"typ", "JWT"}, {"x5c", {base64_encode(certificate)}}};
        const std::string text = bare(dump_json(header)) + "." + bare(dump_json(claims));
        const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
        std::string signature(512, '\0');
        std::size_t length = signature.size();
        auto* out = reinterpret_cast<unsigned char*>(signature.data());
        const auto* in = reinterpret_cast<const unsigned char*>(text.data());
        if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
            EVP_DigestSign(context.get(), out, &length, in, text.size()) != 1) {
            throw std::runtime_error("no signature");
        }
        signature.resize(length);
        return text + "." + bare(signature);
    }

  private:
    static std::string bare(const std::string& bytes) {
        std::string text = base64url_encode(bytes);
        while (text.ends_with('=')) text.pop_back();
        return text;
    }
    std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
    std::unique_ptr<X509, void (*)(X509*)> certificate_;
};

}  // namespace nodeagent::test
