#include "runtime/logs/pattern.hpp"

#include <re2/re2.h>

#include <array>

namespace nodeagent::runtime::logs {
namespace {

class Re2Pattern final : public Pattern {
  public:
    explicit Re2Pattern(const std::string& text) : expression_(text, options()) {}
    [[nodiscard]] bool matches(std::string_view text) const override {
        return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), expression_);
    }
    [[nodiscard]] bool ok() const { return expression_.ok(); }
    [[nodiscard]] const std::string& error() const { return expression_.error(); }

  private:
    static RE2::Options options() {
        RE2::Options out;
        out.set_log_errors(false);
        out.set_max_mem(2 << 20);  // of its automaton, made while it matches
        return out;
    }
    RE2 expression_;
};

struct Sequence {
    char letter;
    std::string_view expression;
};
constexpr std::array kSequences{
    Sequence{'a', "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"},
    Sequence{'A', "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"},
    Sequence{'w', "[0-6]"},
    Sequence{'d', "(?:0[1-9]|[1,2][0-9]|3[0,1])"},
    Sequence{'b', "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"},
    Sequence{'B', "(?:January|February|March|April|May|June|July|August|September|October|November|December)"},
    Sequence{'m', "(?:0[1-9]|1[0-2])"},
    Sequence{'Y', R"(\d{4})"},
    Sequence{'y', R"(\d{2})"},
    Sequence{'H', "(?:[0,1][0-9]|2[0-3])"},
    Sequence{'I', "(?:0[0-9]|1[0-2])"},
    Sequence{'p', "[A,P]M"},
    Sequence{'M', "[0-5][0-9]"},
    Sequence{'S', "[0-5][0-9]"},
    Sequence{'f', R"(\d{6})"},
    Sequence{'z', R"([+-]\d{4})"},
    Sequence{'Z', "[A-Z]{1,4}T"},
    Sequence{'j', "(?:0[0-9][1-9]|[1,2][0-9][0-9]|3[0-5][0-9]|36[0-6])"},
    Sequence{'L', R"(\.\d{3})"},
};

}  // namespace

Result<std::unique_ptr<Pattern>> compile_pattern(const std::string& text) {
    if (text.empty()) return std::unique_ptr<Pattern>();
    auto made = std::make_unique<Re2Pattern>(text);
    if (!made->ok()) {
        return Error{.kind = ErrorKind::Malformed, .what = "error parsing regexp: " + made->error()};
    }
    return std::unique_ptr<Pattern>(std::move(made));
}

std::string datetime_expression(std::string_view format) {
    std::string out;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%' || i + 1 == format.size() || format[i + 1] == '\n') {
            out += format[i];
            continue;
        }
        ++i;
        for (const Sequence& known : kSequences) {
            if (known.letter == format[i]) out += known.expression;
        }
        // a sequence is one character, of whatever length
        while (i + 1 < format.size() && (static_cast<unsigned char>(format[i + 1]) & 0xc0U) == 0x80U) ++i;
    }
    return out;
}

Result<std::unique_ptr<Pattern>> multiline_pattern(const LogOptions& options) {
    std::string text;
    if (const auto set = options.find("awslogs-multiline-pattern"); set != options.end()) text = set->second;
    if (const auto set = options.find("awslogs-datetime-format"); set != options.end() && !set->second.empty()) {
        text = datetime_expression(set->second);
    }
    auto pattern = compile_pattern(text);
    if (!pattern) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "awslogs could not parse multiline pattern key \"" + text + "\": " + pattern.error().what};
    }
    return pattern;
}

}  // namespace nodeagent::runtime::logs
