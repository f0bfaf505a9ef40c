#include "runtime/logs/text.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace nodeagent::runtime::logs {
namespace {

using Byte = unsigned char;

constexpr std::uint64_t kHighBits = 0x8080808080808080U;

bool eight_ascii(const char* at) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return (word & kHighBits) == 0;
}

/// The bytes of the character at the begin, or 0 if there is none: cut off, overlong, a surrogate, above U+10FFFF.
std::size_t character(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<Byte>(text[i]); };
    const auto follows = [&](std::size_t i, Byte low = 0x80, Byte high = 0xbf) {
        return i < text.size() && byte(i) >= low && byte(i) <= high;
    };
    const Byte first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        const Byte low = first == 0xe0 ? 0xa0 : 0x80;
        const Byte high = first == 0xed ? 0x9f : 0xbf;
        return follows(1, low, high) && follows(2) ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const Byte low = first == 0xf0 ? 0x90 : 0x80;
        const Byte high = first == 0xf4 ? 0x8f : 0xbf;
        return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
    }
    return 0;
}

}  // namespace

Piece valid_begin(std::string_view text, std::size_t limit) {
    std::size_t at = 0;
    std::size_t effective = 0;
    while (at < text.size()) {
        if (at + 8 <= text.size() && effective + 8 <= limit && eight_ascii(text.data() + at)) {
            at += 8;
            effective += 8;
            continue;
        }
        const std::size_t length = character(text.substr(at));
        const std::size_t counts = length == 0 ? 3 : length;
        if (effective + counts > limit) break;
        at += length == 0 ? 1 : length;
        effective += counts;
    }
    return {at, effective};
}

std::size_t effective_length(std::string_view text) { return valid_begin(text, ~std::size_t{0} / 2).effective; }

void append_json(std::string& out, std::string_view text, bool html) {
    constexpr std::string_view kHex = "0123456789abcdef";
    out += '"';
    std::size_t start = 0;
    std::size_t at = 0;
    const auto escape = [&](std::size_t length, std::string_view replacement) {
        out.append(text.data() + start, at - start).append(replacement);
        at += length;
        start = at;
    };
    while (at < text.size()) {
        const auto byte = static_cast<Byte>(text[at]);
        if (byte >= 0x80) {
            const std::size_t length = character(text.substr(at));
            const bool separator = html && length == 3 && text[at] == '\xe2' && text[at + 1] == '\x80' &&
                                   (text[at + 2] == '\xa8' || text[at + 2] == '\xa9');
            if (length == 0) {
                escape(1, "\\ufffd");
            } else if (separator) {
                escape(3, text[at + 2] == '\xa8' ? "\\u2028" : "\\u2029");
            } else {
                at += length;
            }
            continue;
        }
        const bool special =
            byte < 0x20 || byte == '"' || byte == '\\' || (html && (byte == '<' || byte == '>' || byte == '&'));
        if (!special) {
            ++at;
        } else if (byte == '"' || byte == '\\') {
            escape(1, byte == '"' ? "\\\"" : "\\\\");
        } else if (byte == '\n') {
            escape(1, "\\n");
        } else if (byte == '\r') {
            escape(1, "\\r");
        } else if (byte == '\t' && !html) {
            escape(1, "\\t");
        } else {
            const std::array<char, 6> code{'\\', 'u', '0', '0', kHex[byte >> 4U], kHex[byte & 15U]};
            escape(1, {code.data(), code.size()});
        }
    }
    out.append(text.data() + start, text.size() - start);
    out += '"';
}

}  // namespace nodeagent::runtime::logs
