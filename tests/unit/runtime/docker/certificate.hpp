#pragma once
// A throw-away certificate for "localhost" that is its own authority, laid out as DOCKER_CERT_PATH wants it.

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::runtime::docker {

class CertificateFolder {
  public:
    CertificateFolder() {
        const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
        const std::unique_ptr<X509, void (*)(X509*)> certificate(X509_new(), X509_free);
        X509_set_version(certificate.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
        X509_set_pubkey(certificate.get(), key.get());
        X509_NAME* name = X509_get_subject_name(certificate.get());
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1,
                                   -1, 0);
        X509_set_issuer_name(certificate.get(), name);
        add(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
        add(certificate.get(), NID_subject_alt_name, "DNS:localhost");
        X509_sign(certificate.get(), key.get(), EVP_sha256());
        for (const char* file : {"/ca.pem", "/cert.pem"}) {
            write(file, [&](std::FILE* out) { PEM_write_X509(out, certificate.get()); });
        }
        write("/key.pem",
              [&](std::FILE* out) { PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    }
    [[nodiscard]] const std::string& path() const { return folder_.path(); }

  private:
    static void add(X509* certificate, int id, const char* value) {
        X509V3_CTX context;
        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
        X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
    }
    template <class Writer>
    void write(const char* file, const Writer& writer) const {
        std::FILE* out = std::fopen((folder_ + file).c_str(), "w");
        if (out == nullptr) throw std::runtime_error("fopen");
        writer(out);
        std::fclose(out);
    }
    fakes::TempDirectory folder_;
};

}  // namespace nodeagent::runtime::docker
