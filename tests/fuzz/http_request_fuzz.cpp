// Any bytes as what a connection sends: they are read without a fault, the same in one piece and in many.
#include <algorithm>
#include <string>

#include <boost/asio/buffer.hpp>

#include "metadata/request_parser.hpp"
#include "tests/fuzz/fuzz.hpp"

using nodeagent::fuzz::require;
using nodeagent::metadata::RequestParser;

namespace {

struct Read {
    bool refused = false, whole = false;
    std::string method, target, body, user_agent, forwarded_for, expectation;
    std::size_t hosts = 0;
    friend bool operator==(const Read&, const Read&) = default;
};

/// As a connection reads: what the parser leaves is given again, with more behind it.
Read read_in_pieces(std::string_view text, std::size_t piece) {
    RequestParser parser;
    parser.header_limit(4096);
    parser.body_limit(std::uint64_t{64} << 20U);  // as metadata/connection.cpp
    parser.eager(true);
    Read read;
    std::string waiting;
    while (!text.empty() && !parser.is_done() && !read.refused) {
        waiting += text.substr(0, piece);
        text.remove_prefix(std::min(piece, text.size()));
        while (!parser.is_done() && waiting.size() >= parser.least()) {
            boost::system::error_code failure;
            waiting.erase(0, parser.put(boost::asio::buffer(waiting), failure));
            read.refused = failure && failure != boost::beast::http::error::need_more;
            if (failure) break;
        }
    }
    if (read.refused || !parser.is_header_done()) return read;
    read.whole = parser.is_done();
    read.method = std::string(parser.get().method_string());
    read.target = std::string(parser.get().target());
    if (read.whole) read.body = parser.get().body();
    read.user_agent = parser.user_agent();
    read.forwarded_for = parser.forwarded_for();
    read.expectation = parser.expectation().value_or("");
    read.hosts = parser.hosts();
    require(parser.kept_bytes() >= read.body.size(), "what is kept is counted");
    return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = nodeagent::fuzz::text_of(bytes, size);
    const Read whole = read_in_pieces(text, text.size());
    require(whole.user_agent.size() + whole.body.size() <= text.size(), "nothing is made up");
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}}) {
        const Read pieces = read_in_pieces(text, piece);
        // What is wrong may be seen at once or wait for more, which then does not come; but it is no request.
        if (whole.refused || pieces.refused || text.size() > 4096) {
            require(!pieces.whole || text.size() > 4096, "what is refused is no request in pieces either", text);
        } else {
            require(pieces == whole, "the same in pieces", text);
        }
    }
    return 0;
}
