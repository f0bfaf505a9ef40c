// Compiled as C++17, because websocketpp 0.8.2 is no valid C++20 for g++ 12. Only standard headers and websocketpp may
// be included here: nothing of Asio, so that no Asio code exists under two standards in one program.
#include "agent/net/ws_codec.hpp"

#include <algorithm>
#include <exception>
#include <optional>

#define _WEBSOCKETPP_CPP11_STL_
#define _WEBSOCKETPP_NO_THREADING_
#include <websocketpp/client.hpp>
#include <websocketpp/config/core_client.hpp>
#include <websocketpp/logger/stub.hpp>

namespace nodeagent::net {

namespace {

struct CodecConfig : websocketpp::config::core_client {
    using type = CodecConfig;
    using base = websocketpp::config::core_client;
    using elog_type = websocketpp::log::stub;
    using alog_type = websocketpp::log::stub;
    struct transport_config : base::transport_config {
        using concurrency_type = base::concurrency_type;
        using elog_type = websocketpp::log::stub;
        using alog_type = websocketpp::log::stub;
        using request_type = base::request_type;
        using response_type = base::response_type;
    };
    using transport_type = websocketpp::transport::iostream::endpoint<transport_config>;
    static const std::size_t connection_read_buffer_size = 4096;
};

using Client = websocketpp::client<CodecConfig>;
using Connection = Client::connection_type;

constexpr int kLastKnownStatus = 511;                        // the end of websocketpp's enumeration of statuses
constexpr std::size_t kMaxRefusal = std::size_t{64} << 10U;  // bytes kept of the answer to a refused upgrade

std::string lower_ascii(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
}

// The three digits after the first word of a complete status line; 0 when there are none.
int status_of(const std::string& raw) {
    const auto end = raw.find("\r\n");
    const auto from = raw.find(' ');
    if (end == std::string::npos || from > end) return 0;
    const std::string word = raw.substr(from + 1, std::min(raw.find(' ', from + 1), end) - from - 1);
    if (word.size() != 3 || word.find_first_not_of("0123456789") != std::string::npos) return 0;
    return std::stoi(word);
}

// What is known of an HTTP answer whose headers are complete.
struct Answer {
    std::string body;
    bool complete = false;
};

std::optional<std::size_t> body_start(const std::string& raw) {
    const auto end = raw.find("\r\n\r\n");
    if (end == std::string::npos) return std::nullopt;
    return end + 4;
}

std::string header_value(const std::string& headers_lower, const std::string& name) {
    const auto at = headers_lower.find("\r\n" + name + ":");
    if (at == std::string::npos) return {};
    const auto from = at + name.size() + 3;
    std::string value = headers_lower.substr(from, headers_lower.find("\r\n", from) - from);
    value.erase(0, value.find_first_not_of(" \t"));
    value.erase(value.find_last_not_of(" \t") + 1);
    return value;
}

// Joins the chunks that have arrived; complete once the empty one is there, or the framing is broken.
Answer dechunked(const std::string& in) {
    Answer out;
    std::size_t at = 0;
    for (;;) {
        const auto line_end = in.find("\r\n", at);
        if (line_end == std::string::npos) return out;
        std::size_t size = 0;
        std::size_t digits = 0;
        for (std::size_t i = at; i < line_end && digits < 7; ++i, ++digits) {
            const char c = in[i];
            if (c >= '0' && c <= '9') {
                size = size * 16 + static_cast<std::size_t>(c - '0');
            } else if (c >= 'a' && c <= 'f') {
                size = size * 16 + static_cast<std::size_t>(c - 'a' + 10);
            } else if (c >= 'A' && c <= 'F') {
                size = size * 16 + static_cast<std::size_t>(c - 'A' + 10);
            } else {
                break;
            }
        }
        if (digits == 0 || size == 0) {
            out.complete = true;
            return out;
        }
        at = line_end + 2;
        out.body.append(in, std::min(at, in.size()), size);
        if (in.size() < at + size + 2) return out;
        at += size + 2;
    }
}

Answer parse_answer(const std::string& raw) {
    const auto start = body_start(raw);
    if (!start) return {};
    const std::string headers = lower_ascii(raw.substr(0, *start));
    if (header_value(headers, "transfer-encoding").find("chunked") != std::string::npos) {
        return dechunked(raw.substr(*start));
    }
    Answer out{raw.substr(*start), false};
    const std::string length = header_value(headers, "content-length");
    if (!length.empty() && length.size() < 10 && length.find_first_not_of("0123456789") == std::string::npos) {
        const std::size_t want = std::stoul(length);
        out.complete = out.body.size() >= want;
        if (out.complete) out.body.resize(want);
    }
    return out;
}

}  // namespace

struct WsCodec::Impl {
    Impl(WsCodecOptions o, WsHandlers h) : options(std::move(o)), handlers(std::move(h)) {}

    WsCodecOptions options;
    WsHandlers handlers;
    Client client;
    Client::connection_ptr connection;
    bool upgrading = true;  // until the 101
    bool open = false;
    bool closing = false;    // we sent the first close frame
    bool ended = false;      // refused, closed or failed was called
    int refused_status = 0;  // not 0: collecting the body
    std::string upgrade_bytes;
    bool status_known = false;  // the answer's first line has come

    void end_refused(std::string body) {
        if (ended) return;
        ended = true;
        handlers.refused(refused_status, std::move(body));
    }
    void end_closed(std::uint16_t code, std::string reason) {
        if (ended) return;
        ended = true;
        open = false;
        handlers.closed(code, std::move(reason));
    }
    void end_failed(std::string what) {
        if (ended) return;
        ended = true;
        open = false;
        handlers.failed(std::move(what));
    }

    // Everything websocketpp does runs through here: what it throws ends the connection, not the process.
    template <class F>
    void guarded(F&& work) {
        try {
            work();
        } catch (const std::exception& e) {
            end_failed(std::string("websocket protocol: ") + e.what());
        }
    }

    void start() {
        client.clear_access_channels(websocketpp::log::alevel::all);
        client.clear_error_channels(websocketpp::log::elevel::all);
        client.set_user_agent("");
        client.set_secure(options.url.compare(0, 6, "wss://") == 0);
        websocketpp::lib::error_code bad;
        connection = client.get_connection(options.url, bad);
        if (bad || !connection) return end_failed("websocket url cannot be understood: " + bad.message());
        for (const auto& [name, value] : options.headers) connection->replace_header(name, value);
        connection->set_max_message_size(options.max_message);
        connection->set_write_handler([this](websocketpp::connection_hdl, const char* bytes, std::size_t size) {
            handlers.write(std::string_view(bytes, size));
            return websocketpp::lib::error_code();
        });
        connection->set_vector_write_handler(
            [this](websocketpp::connection_hdl, const std::vector<websocketpp::transport::buffer>& parts) {
                for (const auto& part : parts) {
                    if (part.len > 0) handlers.write(std::string_view(part.buf, part.len));
                }
                return websocketpp::lib::error_code();
            });
        connection->set_open_handler([this](websocketpp::connection_hdl) {
            if (ended) return;  // websocketpp opens a connection whose extension header it just refused
            upgrading = false;
            open = true;
            upgrade_bytes = {};
            handlers.open();
        });
        connection->set_message_handler([this](websocketpp::connection_hdl, const Connection::message_ptr& message) {
            if (ended) return;
            handlers.message(std::move(message->get_raw_payload()),
                             message->get_opcode() == websocketpp::frame::opcode::binary);
        });
        connection->set_fail_handler([this](websocketpp::connection_hdl) { upgrade_failed(); });
        connection->set_close_handler([this](websocketpp::connection_hdl) { terminated(); });
        client.connect(connection);
    }

    void upgrade_failed() {
        upgrading = false;
        const int status = static_cast<int>(connection->get_response_code());
        const auto why = connection->get_ec();
        if (why == websocketpp::processor::error::invalid_http_status && status != 101) {
            refused_status = status;  // websocketpp stops reading here; the body says why, so collect_refusal() goes on
        } else {
            end_failed("websocket upgrade: " + why.message());
        }
    }

    void terminated() {
        const auto code = connection->get_local_close_code();
        if (connection->get_remote_close_code() != websocketpp::close::status::abnormal_close) {
            return end_closed(connection->get_remote_close_code(), connection->get_remote_close_reason());
        }
        if (code == websocketpp::close::status::message_too_big) {
            return end_failed("websocket message exceeds " + std::to_string(options.max_message) + " bytes");
        }
        end_failed("websocket protocol: " + connection->get_local_close_reason());
    }

    // Before websocketpp sees it: it puts any number into an enumeration that cannot hold it.
    void judge_status() {
        if (status_known || upgrade_bytes.find("\r\n") == std::string::npos) return;
        status_known = true;
        const int status = status_of(upgrade_bytes);
        if (status == 0) return end_failed("websocket upgrade: the server's answer has no HTTP status");
        if (status <= kLastKnownStatus) return;
        upgrading = false;
        refused_status = status;
    }

    void collect_refusal() {
        if (ended || refused_status == 0) return;
        Answer answer = parse_answer(upgrade_bytes);
        if (answer.complete || upgrade_bytes.size() >= kMaxRefusal) {
            answer.body.resize(std::min(answer.body.size(), kMaxRefusal));
            end_refused(std::move(answer.body));
        }
    }

    void feed(std::string_view bytes) {
        if (ended || !connection) return;
        if (upgrading || refused_status != 0) {
            const std::size_t room = kMaxRefusal - std::min(upgrade_bytes.size(), kMaxRefusal);
            upgrade_bytes.append(bytes.substr(0, room));
            judge_status();
        }
        while (!bytes.empty() && !ended && refused_status == 0) {
            // one buffer of websocketpp's at a time; nothing taken means it stopped reading
            const std::size_t taken = connection->read_some(bytes.data(), bytes.size());
            bytes.remove_prefix(taken);
            notice_close();
            if (taken == 0) break;
        }
        collect_refusal();
    }

    // websocketpp has no handler for the arrival of a close frame: as a client it waits for the end of the stream.
    void notice_close() {
        if (ended || connection->get_state() != websocketpp::session::state::closing) return;
        const auto code = connection->get_remote_close_code();
        if (!closing) {
            end_closed(code, connection->get_remote_close_reason());
        } else if (code != websocketpp::close::status::abnormal_close) {
            end_closed(code, connection->get_remote_close_reason());
        }
    }

    void end_of_stream() {
        if (ended) return;
        if (refused_status != 0) return end_refused(parse_answer(upgrade_bytes).body);
        if (upgrading) return end_failed("websocket upgrade: the server ended the connection without an answer");
        end_closed(kWsAbnormalClose, {});
    }

    bool send(std::string_view text) {
        if (ended || !open || closing) return false;
        websocketpp::lib::error_code failed =
            connection->send(text.data(), text.size(), websocketpp::frame::opcode::text);
        return !failed;
    }

    void close(std::uint16_t code, std::string_view reason) {
        if (ended || !open || closing) return;
        closing = true;
        websocketpp::lib::error_code failed;
        connection->close(code, std::string(reason), failed);
        if (failed) end_failed("websocket close: " + failed.message());
    }
};

WsCodec::WsCodec(WsCodecOptions options, WsHandlers handlers)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handlers))) {}

WsCodec::~WsCodec() {
    impl_->ended = true;  // nothing is called any more
    impl_->handlers = {};
    impl_->handlers.write = [](std::string_view) {};
    if (!impl_->connection) return;
    try {
        impl_->connection->eof();      // a read that waits holds the connection in a cycle of shared pointers
    } catch (const std::exception&) {  // it goes away anyhow
    }
}

void WsCodec::start() {
    impl_->guarded([this] { impl_->start(); });
}
void WsCodec::feed(std::string_view bytes) {
    impl_->guarded([this, bytes] { impl_->feed(bytes); });
}
void WsCodec::end_of_stream() {
    impl_->guarded([this] { impl_->end_of_stream(); });
}
bool WsCodec::send(std::string_view text) {
    bool sent = false;
    impl_->guarded([this, text, &sent] { sent = impl_->send(text); });
    return sent;
}
void WsCodec::close(std::uint16_t code, std::string_view reason) {
    impl_->guarded([this, code, reason] { impl_->close(code, reason); });
}
bool WsCodec::is_open() const { return impl_->open && !impl_->closing && !impl_->ended; }

}  // namespace nodeagent::net
