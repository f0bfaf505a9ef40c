#include "runtime/docker/tls.hpp"

#include <unistd.h>

#include <string>

#include <boost/asio/ssl/context.hpp>

namespace nodeagent::runtime::docker {

namespace ssl = boost::asio::ssl;

Result<std::unique_ptr<ssl::context>> make_tls_context(const Options& options) {
    if (!options.tls || options.host.starts_with("unix://")) return std::unique_ptr<ssl::context>();
    auto context = std::make_unique<ssl::context>(ssl::context::tls_client);
    boost::system::error_code failed;
    const auto unreadable = [&failed](const std::string& file) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "read " + file + ": " + failed.message() + "; check DOCKER_CERT_PATH",
                     .cause = failed};
    };
    context->set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1, failed);

    const std::string ca = options.cert_path + "/ca.pem";
    if (options.tls_verify) {
        context->set_verify_mode(ssl::verify_peer, failed);
        if (options.cert_path.empty()) {
            context->set_default_verify_paths(failed);
        } else if (context->load_verify_file(ca, failed); failed) {
            return unreadable(ca);
        }
    } else {
        context->set_verify_mode(ssl::verify_none, failed);
    }

    const std::string certificate = options.cert_path + "/cert.pem";
    const std::string key = options.cert_path + "/key.pem";
    if (!options.cert_path.empty() && ::access(certificate.c_str(), F_OK) == 0) {
        if (context->use_certificate_chain_file(certificate, failed); failed) return unreadable(certificate);
        if (context->use_private_key_file(key, ssl::context::pem, failed); failed) return unreadable(key);
    }
    return context;
}

}  // namespace nodeagent::runtime::docker
