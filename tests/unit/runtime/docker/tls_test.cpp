// DOCKER_HOST=tcp://... with the certificates of DOCKER_CERT_PATH.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "runtime/docker/backend.hpp"
#include "tests/unit/runtime/docker/certificate.hpp"
#include "tests/unit/runtime/docker/raw_daemon.hpp"

namespace nodeagent::runtime::docker {
namespace {

using ::testing::HasSubstr;

/// Says it is a daemon to whoever has a certificate of the folder's authority.
class TlsDaemon {
  public:
    TlsDaemon(asio::io_context& io, const std::string& certificates)
        : acceptor_(io, {asio::ip::address_v4::loopback(), 0}) {
        tls_.load_verify_file(certificates + "/ca.pem");
        tls_.use_certificate_chain_file(certificates + "/cert.pem");
        tls_.use_private_key_file(certificates + "/key.pem", asio::ssl::context::pem);
        tls_.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
        asio::co_spawn(io, serve(), asio::detached);
    }
    [[nodiscard]] std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }

  private:
    asio::awaitable<void> serve() {
        boost::system::error_code failed;
        for (;;) {
            asio::ip::tcp::socket socket(acceptor_.get_executor());
            co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, failed));
            if (failed) co_return;
            asio::ssl::stream<asio::ip::tcp::socket> stream(std::move(socket), tls_);
            co_await stream.async_handshake(asio::ssl::stream_base::server,
                                            asio::redirect_error(asio::use_awaitable, failed));
            std::string pending;
            while (!failed) {
                auto buffer = asio::dynamic_buffer(pending);
                co_await asio::async_read_until(stream, buffer, "\r\n\r\n",
                                                asio::redirect_error(asio::use_awaitable, failed));
                if (failed) break;
                pending.clear();
                co_await asio::async_write(stream, asio::buffer(answer_),
                                           asio::redirect_error(asio::use_awaitable, failed));
            }
        }
    }
    const std::string answer_ = http_answer(200, R"({"ApiVersion":"1.41","MinAPIVersion":"1.12"})");
    asio::ssl::context tls_{asio::ssl::context::tls_server};
    asio::ip::tcp::acceptor acceptor_;
};

class DockerTlsTest : public ::testing::Test {
  protected:
    Result<void> ping(const std::string& host, const std::string& folder, bool verify) {
        Options options;
        options.host = "tcp://" + host + ":" + daemon.port();
        options.tls = true;
        options.tls_verify = verify;
        options.cert_path = folder;
        auto backend = make_backend(io.get_executor(), options);
        if (!backend) return backend.error();
        return run_on(io, (*backend)->ping(std::chrono::seconds(20)));
    }
    CertificateFolder certificates;
    asio::io_context io;
    TlsDaemon daemon{io, certificates.path()};
};

TEST_F(DockerTlsTest, TrustsTheAuthorityAndShowsItsOwnCertificate) {
    const auto done = ping("localhost", certificates.path(), true);
    EXPECT_TRUE(done) << done.error().what;
}

TEST_F(DockerTlsTest, RefusesADaemonOfAnotherName) {
    const auto done = ping("127.0.0.1", certificates.path(), true);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::Unavailable);
    EXPECT_THAT(done.error().what, HasSubstr("certificate verify failed"));
    EXPECT_TRUE(ping("127.0.0.1", certificates.path(), false));
}

TEST_F(DockerTlsTest, RefusesADaemonOfAnotherAuthority) {
    const CertificateFolder others;
    const auto done = ping("localhost", others.path(), true);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::Unavailable);
}

}  // namespace
}  // namespace nodeagent::runtime::docker
