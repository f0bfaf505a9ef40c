#pragma once
// Writes JSON as Go's encoder does: members in call order, HTML-escaped strings, shortest numbers. endpoints.md 0.
//   JsonWriter out; out.begin_object(); out.member("Cluster", cluster); out.end_object(); std::move(out).text()

#include <chrono>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nodeagent::metadata {

/// The shortest text that reads back as `value`; exponent form below 1e-6 and from 1e21 on. Not for NaN and infinities,
/// which Go cannot write either.
[[nodiscard]] std::string go_number(double value);
/// RFC 3339 with nanoseconds in the host's zone: "...+02:00", or "Z" where that is UTC.
[[nodiscard]] std::string rfc3339_nanos_local(std::chrono::system_clock::time_point when);

class JsonWriter {
  public:
    using WallTime = std::chrono::system_clock::time_point;

    void begin_object() { open('{'); }
    void end_object() { close('}'); }
    void begin_array() { open('['); }
    void end_array() { close(']'); }
    void key(std::string_view name);

    void value(std::string_view text);
    void value(const char* text) { value(std::string_view(text)); }
    void value(const std::string& text) { value(std::string_view(text)); }
    void value(bool truth) { raw(truth ? "true" : "false"); }
    void value(std::integral auto number) { raw(std::to_string(number)); }
    void value(double number) { raw(go_number(number)); }
    /// UTC.
    void value(WallTime when);
    void value(const std::map<std::string, std::string>& entries);
    void value(const std::vector<std::string>& items);
    void null() { raw("null"); }
    /// A finished JSON value.
    void raw(std::string_view json);

    template <class T>
    void member(std::string_view name, const T& content) {
        key(name);
        value(content);
    }
    /// Go's omitempty: nothing for "", 0, false, an empty list or map, an absent optional.
    template <class T>
    void member_unless_empty(std::string_view name, const T& content) {
        if (!empty(content)) member(name, content);
    }
    template <class T>
    void member_unless_empty(std::string_view name, const std::optional<T>& content) {
        if (content) member(name, *content);
    }

    [[nodiscard]] std::string text() && { return std::move(out_); }

  private:
    template <class T>
    static bool empty(const T& content) {
        if constexpr (std::is_arithmetic_v<T>) {
            return content == T{};
        } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
            return std::string_view(content).empty();
        } else {
            return content.empty();
        }
    }
    void open(char bracket);
    void close(char bracket);
    void separate();

    std::string out_;
    bool first_ = true;  ///< nothing before this position in the innermost object or array
};

}  // namespace nodeagent::metadata
