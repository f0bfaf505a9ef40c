#include "runtime/registry/challenge.hpp"

#include <optional>

#include "agent/base/strings.hpp"

namespace nodeagent::runtime::registry {

namespace {

constexpr std::size_t kLongestHeader = 8192;
constexpr std::size_t kMostChallenges = 8;

bool is_token_char(char c) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
    return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

class Reader {
  public:
    explicit Reader(std::string_view text) : text_(text) {}
    void skip(std::string_view characters) {
        while (at_ < text_.size() && characters.find(text_[at_]) != std::string_view::npos) ++at_;
    }
    [[nodiscard]] bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }
    bool take(char c) {
        if (!next_is(c)) return false;
        ++at_;
        return true;
    }
    std::string_view token() {
        const std::size_t begin = at_;
        while (at_ < text_.size() && is_token_char(text_[at_])) ++at_;
        return text_.substr(begin, at_ - begin);
    }
    /// After the opening quote; nothing when it is never closed.
    std::optional<std::string> quoted() {
        std::string out;
        while (at_ < text_.size()) {
            const char c = text_[at_++];
            if (c == '"') return out;
            if (c == '\\' && at_ < text_.size()) {
                out += text_[at_++];
            } else {
                out += c;
            }
        }
        return std::nullopt;
    }
    /// A value without quotes: registries put slashes and colons in it.
    std::string_view bare() {
        const std::size_t begin = at_;
        while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != ' ' && text_[at_] != '\t') ++at_;
        return text_.substr(begin, at_ - begin);
    }
    [[nodiscard]] std::size_t position() const { return at_; }
    void back_to(std::size_t position) { at_ = position; }

  private:
    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

std::vector<Challenge> parse_challenges(std::string_view header) {
    std::vector<Challenge> out;
    if (header.size() > kLongestHeader) return out;
    Reader reader(header);
    while (out.size() < kMostChallenges) {
        reader.skip(" \t,");
        const std::string_view scheme = reader.token();
        if (scheme.empty()) return out;
        Challenge challenge{.scheme = lower(scheme), .values = {}};
        for (;;) {
            reader.skip(" \t,");
            const std::size_t begin = reader.position();
            const std::string_view name = reader.token();
            reader.skip(" \t");
            if (name.empty() || !reader.take('=')) {
                reader.back_to(begin);  // the next challenge's scheme, or rubbish
                break;
            }
            reader.skip(" \t");
            std::string value;
            if (reader.take('"')) {
                auto text = reader.quoted();
                if (!text) return out;
                value = *std::move(text);
            } else {
                value = std::string(reader.bare());
            }
            challenge.values.emplace(lower(name), std::move(value));
        }
        out.push_back(std::move(challenge));
    }
    return out;
}

}  // namespace nodeagent::runtime::registry
