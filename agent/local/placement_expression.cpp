#include "agent/local/placement_expression.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>
#include <optional>
#include <regex>
#include <vector>

#include "agent/base/strings.hpp"

namespace nodeagent::local {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxLength = 2000;  // the service's own limit; std::regex recursion stays harmless below it

struct Token {
    enum class Kind : unsigned char { Word, Operator, Open, Close, ListOpen, ListClose, Comma, End };
    Kind kind = Kind::End;
    std::string text;
    std::size_t at = 0;
};

Error malformed(const std::string& what, std::size_t at) {
    return {.kind = ErrorKind::Malformed, .what = what + " at position " + std::to_string(at)};
}

Result<std::vector<Token>> tokenize(std::string_view text) {
    std::vector<Token> tokens;
    std::size_t i = 0;
    const auto operators = {"==", "!=", ">=", "<=", "=~", "!~", "&&", "||", ">", "<", "!"};
    while (i < text.size()) {
        const char c = text[i];
        if (std::isspace(static_cast<unsigned char>(c)) != 0) {
            ++i;
            continue;
        }
        const std::size_t at = i;
        using enum Token::Kind;
        if (c == '(' || c == ')' || c == '[' || c == ']' || c == ',') {
            const auto kind = c == '(' ? Open : c == ')' ? Close : c == '[' ? ListOpen : c == ']' ? ListClose : Comma;
            tokens.push_back({kind, std::string(1, c), at});
            ++i;
            continue;
        }
        if (c == '"' || c == '\'') {
            const auto end = text.find(c, i + 1);
            if (end == std::string_view::npos) return malformed("a quoted text has no end", at);
            tokens.push_back({Word, std::string(text.substr(i + 1, end - i - 1)), at});
            i = end + 1;
            continue;
        }
        const auto found = std::find_if(operators.begin(), operators.end(),
                                        [&](const char* op) { return text.substr(i).starts_with(op); });
        if (found != operators.end()) {
            tokens.push_back({Operator, *found, at});
            i += std::string_view(*found).size();
            continue;
        }
        while (i < text.size() && std::isspace(static_cast<unsigned char>(text[i])) == 0 &&
               std::string_view("()[],=!<>&|").find(text[i]) == std::string_view::npos) {
            ++i;
        }
        if (i == at) return malformed("unexpected '" + std::string(1, c) + "'", at);
        tokens.push_back({Word, std::string(text.substr(at, i - at)), at});
    }
    tokens.push_back({Token::Kind::End, "", text.size()});
    return tokens;
}

std::optional<double> number(const std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool compare(const std::string& left, const std::string& op, const std::string& right) {
    if (op == "==") return left == right;
    const auto a = number(left);
    const auto b = number(right);
    const int order = a && b ? (*a < *b ? -1 : *a > *b ? 1 : 0) : left.compare(right);
    if (op == ">") return order > 0;
    if (op == ">=") return order >= 0;
    if (op == "<") return order < 0;
    return order <= 0;
}

class Parser {
  public:
    Parser(std::vector<Token> tokens, const Facts& facts) : tokens_(std::move(tokens)), facts_(facts) {}

    Result<bool> whole() {
        auto value = disjunction(0);
        if (value && peek().kind != Token::Kind::End) return malformed("unexpected '" + peek().text + "'", peek().at);
        return value;
    }

  private:
    const Token& peek() const { return tokens_[position_]; }
    Token take() { return tokens_[peek().kind == Token::Kind::End ? position_ : position_++]; }
    bool take_if(std::initializer_list<std::string_view> texts) {
        for (const std::string_view text : texts) {
            if (equals_ignoring_case(peek().text, text)) {
                take();
                return true;
            }
        }
        return false;
    }

    Result<bool> disjunction(int depth) {
        auto left = conjunction(depth);
        while (left && take_if({"or", "||"})) {
            auto right = conjunction(depth);
            if (!right) return right;
            left = *left || *right;
        }
        return left;
    }

    Result<bool> conjunction(int depth) {
        auto left = factor(depth);
        while (left && take_if({"and", "&&"})) {
            auto right = factor(depth);
            if (!right) return right;
            left = *left && *right;
        }
        return left;
    }

    Result<bool> factor(int depth) {
        if (depth > kMaxDepth) return malformed("nested too deeply", peek().at);
        if (take_if({"not", "!"})) {
            auto inner = factor(depth + 1);
            if (!inner) return inner;
            return !*inner;
        }
        if (peek().kind == Token::Kind::Open) {
            take();
            auto inner = disjunction(depth + 1);
            if (!inner) return inner;
            if (peek().kind != Token::Kind::Close) return malformed("expected ')'", peek().at);
            take();
            return inner;
        }
        return comparison();
    }

    Result<bool> comparison() {
        const Token subject = take();
        if (subject.kind != Token::Kind::Word)
            return malformed("expected a subject such as attribute:name", subject.at);
        const auto [first, last] = facts_.equal_range(subject.text);
        const auto any = [first = first, last = last](const std::function<bool(const std::string&)>& test) {
            return std::any_of(first, last, [&](const auto& fact) { return test(fact.second); });
        };
        const bool negated = take_if({"!"});
        if (take_if({"exists"})) return (first != last) != negated;
        if (negated || peek().text == "in") {
            if (!take_if({"in"})) return malformed("expected in or exists", peek().at);
            auto values = list();
            if (!values) return std::move(values).error();
            const bool inside = any(
                [&](const std::string& v) { return std::find(values->begin(), values->end(), v) != values->end(); });
            return inside != negated;
        }
        const Token op = take();
        if (op.kind != Token::Kind::Operator) return malformed("expected an operator after " + subject.text, op.at);
        const Token value = take();
        if (value.kind != Token::Kind::Word) return malformed("expected a value after " + op.text, value.at);
        if (op.text == "=~" || op.text == "!~") {
            try {
                const std::regex pattern(value.text);
                const bool hit = any([&](const std::string& v) { return std::regex_match(v, pattern); });
                return hit == (op.text == "=~");
            } catch (const std::regex_error&) {
                return malformed("not a regular expression", value.at);
            }
        }
        if (op.text == "!=") return !any([&](const std::string& v) { return v == value.text; });
        return any([&](const std::string& v) { return compare(v, op.text, value.text); });
    }

    Result<std::vector<std::string>> list() {
        if (take().kind != Token::Kind::ListOpen) return malformed("expected '[' after in", peek().at);
        std::vector<std::string> values;
        while (true) {
            const Token value = take();
            if (value.kind != Token::Kind::Word) return malformed("expected a value in the list", value.at);
            values.push_back(value.text);
            const Token next = take();
            if (next.kind == Token::Kind::ListClose) return values;
            if (next.kind != Token::Kind::Comma) return malformed("expected ',' or ']'", next.at);
        }
    }

    std::vector<Token> tokens_;
    std::size_t position_ = 0;
    const Facts& facts_;
};

}  // namespace

Result<bool> matches_expression(std::string_view expression, const Facts& facts) {
    if (expression.size() > kMaxLength) return malformed("longer than 2000 characters", kMaxLength);
    auto tokens = tokenize(expression);
    if (!tokens) return std::move(tokens).error();
    return Parser(std::move(*tokens), facts).whole();
}

}  // namespace nodeagent::local
