// Any bytes from a server. The first byte chooses: bit 0, whether the upgrade succeeds first; bits 1-7, the chunk size.
#include <openssl/sha.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/base/strings.hpp"
#include "agent/net/ws_codec.hpp"

namespace {

std::string accept_answer(const std::string& request) {
    const std::string name = "Sec-WebSocket-Key: ";
    const auto at = request.find(name) + name.size();
    const std::string keyed =
        request.substr(at, request.find("\r\n", at) - at) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA1(reinterpret_cast<const unsigned char*>(keyed.data()), keyed.size(), digest);
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
           nodeagent::base64_encode(std::string_view(reinterpret_cast<const char*>(digest), sizeof digest)) +
           "\r\n\r\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) return 0;
    std::string_view input(reinterpret_cast<const char*>(bytes) + 1, size - 1);
    const bool upgrade = (bytes[0] & 1U) != 0;
    const std::size_t chunk = (bytes[0] >> 1U) + 1U;

    std::string written;
    int ends = 0;
    const auto ended = [&ends] {
        if (++ends > 1) std::abort();  // the header promises exactly one
    };
    const auto still_open = [&ends] {
        if (ends > 0) std::abort();
    };
    nodeagent::net::WsCodec* inside = nullptr;
    nodeagent::net::WsHandlers handlers;
    handlers.write = [&](std::string_view out) { written += out; };
    handlers.open = [&] { still_open(); };
    handlers.refused = [&](int, std::string) { ended(); };
    handlers.message = [&](std::string payload, bool) {
        still_open();
        inside->send(payload.substr(0, 8));
    };
    handlers.closed = [&](std::uint16_t, std::string) { ended(); };
    handlers.failed = [&](std::string) { ended(); };
    nodeagent::net::WsCodecOptions options;
    options.url = "ws://fuzz/";
    options.max_message = 1U << 16U;
    nodeagent::net::WsCodec codec(std::move(options), std::move(handlers));
    inside = &codec;
    codec.start();
    if (upgrade) codec.feed(accept_answer(written));
    while (!input.empty()) {
        codec.feed(input.substr(0, chunk));
        input.remove_prefix(std::min(chunk, input.size()));
        written.clear();
    }
    codec.end_of_stream();
    if (ends != 1) std::abort();
    return 0;
}
