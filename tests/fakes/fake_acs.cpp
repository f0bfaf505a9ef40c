#include "tests/fakes/fake_acs.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <deque>
#include <functional>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include "agent/base/strings.hpp"

namespace nodeagent::fakes {

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

struct Certificate {
    std::string certificate;
    std::string key;
};

std::string drained(BIO* bio) {
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio, &text);
    std::string out(text, static_cast<std::size_t>(size));
    BIO_free(bio);
    return out;
}

Certificate self_signed() {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME* name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("fake acs"), -1, -1, 0);
    X509_set_issuer_name(cert, name);
    for (const auto& [nid, value] :
         {std::pair{NID_subject_alt_name, "IP:127.0.0.1"}, std::pair{NID_basic_constraints, "critical,CA:TRUE"}}) {
        X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
        X509_add_ext(cert, extension, -1);
        X509_EXTENSION_free(extension);
    }
    X509_sign(cert, key, EVP_sha256());
    BIO* cert_out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(cert_out, cert);
    BIO* key_out = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(key_out, key, nullptr, nullptr, 0, nullptr, nullptr);
    X509_free(cert);
    EVP_PKEY_free(key);
    return {drained(cert_out), drained(key_out)};
}

struct Outgoing {
    enum class Kind { Text, Binary, Ping, Close, Raw, Cut } kind;
    std::string payload;
    std::uint16_t code = 0;
};

}  // namespace

struct FakeAcs::State : std::enable_shared_from_this<State> {
    State(asio::io_context& context, Options o)
        : io(context), options(std::move(o)), acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}

    // One connection's queue; the writer coroutine ends with it.
    struct Lane {
        explicit Lane(asio::io_context& io) : wake(io, asio::steady_timer::time_point::max()) {}
        std::deque<Outgoing> items;
        asio::steady_timer wake;
        bool open = true;
        std::function<void()> cut;  // closes the socket
    };

    asio::io_context& io;
    Options options;
    tcp::acceptor acceptor;
    asio::ssl::context tls{asio::ssl::context::tls_server};
    std::string ca_path;
    bool stopped = false;

    std::size_t attempts = 0;
    std::size_t upgrades = 0;
    std::string target;
    std::map<std::string, std::string> headers;
    std::vector<std::string> received;
    std::vector<std::string> pongs;
    std::optional<std::uint16_t> close_code;
    std::string close_reason;
    std::shared_ptr<Lane> latest;
    std::vector<std::weak_ptr<Lane>> lanes;

    void push(Outgoing item) {
        if (!latest) return;
        latest->items.push_back(std::move(item));
        latest->wake.cancel();
    }

    template <class Stream>
    static asio::awaitable<void> write_loop(std::shared_ptr<websocket::stream<Stream>> ws, std::shared_ptr<Lane> lane) {
        error_code failed;
        while (lane->open && !failed) {
            if (lane->items.empty()) {
                error_code woken;
                co_await lane->wake.async_wait(asio::redirect_error(asio::use_awaitable, woken));
                continue;
            }
            const Outgoing item = std::move(lane->items.front());
            lane->items.pop_front();
            auto token = asio::redirect_error(asio::use_awaitable, failed);
            switch (item.kind) {
                case Outgoing::Kind::Text:
                case Outgoing::Kind::Binary:
                    ws->binary(item.kind == Outgoing::Kind::Binary);
                    co_await ws->async_write(asio::buffer(item.payload), token);
                    break;
                case Outgoing::Kind::Ping: {
                    const websocket::ping_data data(item.payload);
                    co_await ws->async_ping(data, token);
                    break;
                }
                case Outgoing::Kind::Close: {
                    const websocket::close_reason reason(static_cast<websocket::close_code>(item.code), item.payload);
                    co_await ws->async_close(reason, token);
                    break;
                }
                case Outgoing::Kind::Raw:
                    co_await asio::async_write(ws->next_layer(), asio::buffer(item.payload), token);
                    break;
                case Outgoing::Kind::Cut:
                    lane->open = false;
                    lane->cut();
                    break;
            }
        }
    }

    template <class Stream>
    static asio::awaitable<void> serve(std::shared_ptr<State> self, std::shared_ptr<websocket::stream<Stream>> ws) {
        error_code failed;
        beast::flat_buffer buffer;
        http::request<http::empty_body> request;
        co_await http::async_read(ws->next_layer(), buffer, request, asio::redirect_error(asio::use_awaitable, failed));
        if (failed || self->stopped) co_return;
        ++self->attempts;
        self->target = std::string(request.target());
        self->headers.clear();
        for (const auto& field : request)
            self->headers[lower(std::string(field.name_string()))] = std::string(field.value());
        if (self->options.refuse_status != 0) {
            http::response<http::string_body> response(static_cast<http::status>(self->options.refuse_status), 11);
            response.body() = self->options.refuse_body;
            response.prepare_payload();
            co_await http::async_write(ws->next_layer(), response, asio::redirect_error(asio::use_awaitable, failed));
            co_return;
        }
        ws->read_message_max(std::size_t{64} << 20U);
        ws->control_callback([self](websocket::frame_type kind, beast::string_view payload) {
            if (kind == websocket::frame_type::pong) self->pongs.emplace_back(payload);
        });
        co_await ws->async_accept(request, asio::redirect_error(asio::use_awaitable, failed));
        if (failed || self->stopped) co_return;
        ++self->upgrades;
        auto lane = std::make_shared<Lane>(self->io);
        lane->cut = [weak = std::weak_ptr(ws)] {
            error_code ignored;
            if (const auto live = weak.lock()) beast::get_lowest_layer(*live).close(ignored);
        };
        self->latest = lane;
        self->lanes.push_back(lane);
        asio::co_spawn(self->io, write_loop<Stream>(ws, lane), asio::detached);
        while (!failed) {
            beast::flat_buffer message;
            co_await ws->async_read(message, asio::redirect_error(asio::use_awaitable, failed));
            if (!failed) self->received.push_back(beast::buffers_to_string(message.data()));
        }
        if (failed == websocket::error::closed) {
            self->close_code = ws->reason().code;
            self->close_reason = ws->reason().reason.c_str();
        }
        lane->open = false;
        lane->wake.cancel();
        lane->cut();
    }

    static asio::awaitable<void> accept_loop(std::shared_ptr<State> self) {
        for (;;) {
            error_code failed;
            tcp::socket socket(self->io);
            co_await self->acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, failed));
            if (failed) co_return;
            if (!self->options.tls) {
                auto ws = std::make_shared<websocket::stream<tcp::socket>>(std::move(socket));
                asio::co_spawn(self->io, serve<tcp::socket>(self, ws), asio::detached);
            } else {
                asio::co_spawn(self->io, accept_tls(self, std::move(socket)), asio::detached);
            }
        }
    }

    static asio::awaitable<void> accept_tls(std::shared_ptr<State> self, tcp::socket socket) {
        using Tls = asio::ssl::stream<tcp::socket>;
        auto ws = std::make_shared<websocket::stream<Tls>>(std::move(socket), self->tls);
        error_code failed;
        co_await ws->next_layer().async_handshake(asio::ssl::stream_base::server,
                                                  asio::redirect_error(asio::use_awaitable, failed));
        if (!failed) co_await serve<Tls>(self, ws);
    }
};

FakeAcs::FakeAcs(asio::io_context& io, Options options) : state_(std::make_shared<State>(io, std::move(options))) {
    if (state_->options.tls) {
        const Certificate pair = self_signed();
        state_->tls.use_certificate_chain(asio::buffer(pair.certificate));
        state_->tls.use_private_key(asio::buffer(pair.key), asio::ssl::context::pem);
        std::string path = "/tmp/fake-acs-XXXXXX";
        const int file = ::mkstemp(path.data());
        if (file < 0) throw std::runtime_error("cannot write the fake's certificate");
        const auto written = ::write(file, pair.certificate.data(), pair.certificate.size());
        ::close(file);
        if (written != static_cast<ssize_t>(pair.certificate.size())) throw std::runtime_error("short write");
        state_->ca_path = path;
    }
    asio::co_spawn(io, State::accept_loop(state_), asio::detached);
}

FakeAcs::~FakeAcs() {
    state_->stopped = true;
    error_code ignored;
    state_->acceptor.close(ignored);
    for (const auto& weak : state_->lanes) {
        if (const auto lane = weak.lock(); lane && lane->open) {
            lane->open = false;
            lane->wake.cancel();
            lane->cut();
        }
    }
    if (!state_->ca_path.empty()) ::unlink(state_->ca_path.c_str());
}

std::uint16_t FakeAcs::port() const { return state_->acceptor.local_endpoint().port(); }
std::string FakeAcs::endpoint() const {
    return std::string(state_->options.tls ? "https" : "http") + "://127.0.0.1:" + std::to_string(port()) + "/acs";
}
std::string FakeAcs::ca_file() const { return state_->ca_path; }
void FakeAcs::refuse(int status, std::string body) {
    state_->options.refuse_status = status;
    state_->options.refuse_body = std::move(body);
}
std::size_t FakeAcs::upgrades() const { return state_->upgrades; }
std::size_t FakeAcs::attempts() const { return state_->attempts; }
bool FakeAcs::connected() const { return state_->latest && state_->latest->open; }
std::string FakeAcs::target() const { return state_->target; }
const std::map<std::string, std::string>& FakeAcs::headers() const { return state_->headers; }
const std::vector<std::string>& FakeAcs::received() const { return state_->received; }
const std::vector<std::string>& FakeAcs::pongs() const { return state_->pongs; }
std::optional<std::uint16_t> FakeAcs::close_code() const { return state_->close_code; }
std::string FakeAcs::close_reason() const { return state_->close_reason; }
void FakeAcs::send(std::string text) { state_->push({Outgoing::Kind::Text, std::move(text), 0}); }
void FakeAcs::send_binary(std::string bytes) { state_->push({Outgoing::Kind::Binary, std::move(bytes), 0}); }
void FakeAcs::ping(std::string payload) { state_->push({Outgoing::Kind::Ping, std::move(payload), 0}); }
void FakeAcs::close(std::uint16_t code, std::string reason) {
    state_->push({Outgoing::Kind::Close, std::move(reason), code});
}
void FakeAcs::send_raw(std::string bytes) { state_->push({Outgoing::Kind::Raw, std::move(bytes), 0}); }
void FakeAcs::cut() { state_->push({Outgoing::Kind::Cut, {}, 0}); }

}  // namespace nodeagent::fakes
