#include "agent/local/cloudwatch/cbor.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include "agent/base/strings.hpp"
#include "agent/local/cloudwatch/query_protocol.hpp"

namespace nodeagent::local {
namespace {

constexpr int kLevelsAtMost = 32;
constexpr std::size_t kItemsAtMost = 1'000'000;
constexpr unsigned kIndefinite = 31;
constexpr unsigned char kBreak = 0xFF;

enum Major : unsigned { Unsigned, Negative, Bytes, Text, Array, Map, Tag, Simple };

Error malformed_cbor(const char* what) { return {.kind = ErrorKind::Malformed, .what = what}; }

class CborReader {
  public:
    explicit CborReader(std::string_view bytes) : left_(bytes) {}

    Result<Json> item(int level) {
        if (level > kLevelsAtMost || ++items_ > kItemsAtMost) return malformed_cbor("too much is nested");
        const auto head = next_head();
        if (!head) return head.error();
        switch (head->major) {
            case Unsigned: return json(head->argument);
            case Negative: return negative(head->argument);
            case Text: return text(*head);
            case Array: return array(*head, level);
            case Map: return map(*head, level);
            case Tag: return item(level + 1);
            case Simple: return simple(*head);
            default: return malformed_cbor("byte strings are not expected");
        }
    }
    [[nodiscard]] bool at_end() const { return left_.empty(); }

  private:
    struct Head {
        unsigned major = 0;
        unsigned info = 0;
        std::uint64_t argument = 0;
        [[nodiscard]] bool indefinite() const { return info == kIndefinite; }
    };

    /// A Json converts from nearly anything, so the plain conversion to a Result would be ambiguous.
    template <class T>
    static Result<Json> json(T value) {
        return Result<Json>(boost::system::in_place_value, Json(std::move(value)));
    }

    Result<Head> next_head() {
        if (left_.empty()) return malformed_cbor("it ends within an item");
        const unsigned first = static_cast<unsigned char>(left_.front());
        left_.remove_prefix(1);
        Head head{.major = first >> 5U, .info = first & 31U, .argument = first & 31U};
        if (head.info < 24 || head.indefinite()) {
            const bool has_end = head.major == Text || head.major == Array || head.major == Map;
            if (head.indefinite() && !has_end) return malformed_cbor("an item has no length");
            return head;
        }
        if (head.info > 27) return malformed_cbor("an item's length is reserved");
        const std::size_t size = std::size_t{1} << (head.info - 24);
        if (left_.size() < size) return malformed_cbor("it ends within an item");
        head.argument = 0;
        for (const char c : left_.substr(0, size)) head.argument = head.argument << 8U | static_cast<unsigned char>(c);
        left_.remove_prefix(size);
        return head;
    }

    bool take_break() {
        if (left_.empty() || static_cast<unsigned char>(left_.front()) != kBreak) return false;
        left_.remove_prefix(1);
        return true;
    }

    static Result<Json> negative(std::uint64_t argument) {
        constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        if (argument > kMost) return malformed_cbor("a number is out of range");
        return json(-1 - static_cast<std::int64_t>(argument));
    }

    Result<std::string> string_of(const Head& head) {
        std::string out;
        if (!head.indefinite()) {
            if (left_.size() < head.argument) return malformed_cbor("it ends within a text");
            out = left_.substr(0, head.argument);
            left_.remove_prefix(head.argument);
        }
        while (head.indefinite() && !take_break()) {
            const auto part = next_head();
            if (!part) return part.error();
            if (part->major != Text || part->indefinite() || left_.size() < part->argument) {
                return malformed_cbor("a text has a part that is none");
            }
            out += left_.substr(0, part->argument);
            left_.remove_prefix(part->argument);
        }
        if (!is_utf8(out)) return malformed_cbor("a text is no UTF-8");
        return out;
    }

    Result<Json> text(const Head& head) {
        auto string = string_of(head);
        if (!string) return string.error();
        return json(std::move(*string));
    }

    Result<Json> array(const Head& head, int level) {
        Json out = Json::array();
        for (std::uint64_t n = 0; head.indefinite() ? !take_break() : n < head.argument; ++n) {
            auto element = item(level + 1);
            if (!element) return element;
            out.push_back(std::move(*element));
        }
        return json(std::move(out));
    }

    Result<Json> map(const Head& head, int level) {
        Json out = Json::object();
        for (std::uint64_t n = 0; head.indefinite() ? !take_break() : n < head.argument; ++n) {
            const auto name_head = next_head();
            if (!name_head) return name_head.error();
            if (name_head->major != Text) return malformed_cbor("a member's name is no text");
            const auto name = string_of(*name_head);
            if (!name) return name.error();
            auto value = item(level + 1);
            if (!value) return value;
            out[*name] = std::move(*value);
        }
        return json(std::move(out));
    }

    static Result<Json> simple(const Head& head) {
        switch (head.info) {
            case 20: return json(false);
            case 21: return json(true);
            case 22:
            case 23: return json(nullptr);
            case 25: return json(half(static_cast<unsigned>(head.argument)));
            case 26: return json(double{std::bit_cast<float>(static_cast<std::uint32_t>(head.argument))});
            case 27: return json(std::bit_cast<double>(head.argument));
            default: return malformed_cbor("a simple value is unknown");
        }
    }

    static double half(unsigned bits) {
        const int exponent = static_cast<int>(bits >> 10U & 31U);
        const double fraction = bits & 1023U;
        double value = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1024, exponent - 25);
        if (exponent == 31) {
            value = fraction == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
        }
        return (bits & 0x8000U) != 0 ? -value : value;
    }

    std::string_view left_;
    std::size_t items_ = 0;
};

void append_head(std::string& out, Major major, std::uint64_t argument) {
    const unsigned size = argument < 24            ? 0
                          : argument <= 0xFF       ? 1
                          : argument <= 0xFFFF     ? 2
                          : argument <= 0xFFFFFFFF ? 4
                                                   : 8;
    const unsigned info = size == 0   ? static_cast<unsigned>(argument)
                          : size == 1 ? 24U
                          : size == 2 ? 25U
                          : size == 4 ? 26U
                                      : 27U;
    out += static_cast<char>(major << 5U | info);
    for (unsigned left = size; left > 0; --left) out += static_cast<char>(argument >> (left - 1) * 8U & 0xFFU);
}

void append_item(std::string& out, const OrderedJson& value, bool time) {
    if (value.is_object()) {
        append_head(out, Map, value.size());
        for (const auto& [name, member] : value.items()) {
            append_head(out, Text, name.size());
            out += name;
            append_item(out, member, is_time_member(name));
        }
    } else if (value.is_array()) {
        append_head(out, Array, value.size());
        for (const OrderedJson& element : value) append_item(out, element, time);
    } else {
        constexpr std::uint64_t kEpochSeconds = 1;
        if (time) append_head(out, Tag, kEpochSeconds);
        OrderedJson::to_cbor(value, out);
    }
}

}  // namespace

Result<Json> parse_cbor(std::string_view bytes) {
    CborReader reader(bytes);
    auto item = reader.item(0);
    if (item && !reader.at_end()) return malformed_cbor("something follows the item");
    return item;
}

std::string dump_cbor(const OrderedJson& document) {
    std::string out;
    append_item(out, document, false);
    return out;
}

}  // namespace nodeagent::local
