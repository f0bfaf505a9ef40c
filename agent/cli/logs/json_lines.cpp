#include "agent/cli/logs/json_lines.hpp"

#include <utility>

#include "agent/base/json.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::cli {

namespace {

struct StoredLine {
    std::string log;
    std::string stream;
    std::string time;
    static constexpr auto json_fields() {
        return std::tuple{required_field("log", &StoredLine::log), optional_field("stream", &StoredLine::stream),
                          required_field("time", &StoredLine::time)};
    }
};

}  // namespace

void JsonLines::one(std::string_view line, std::vector<LogLine>& out) {
    if (line.empty()) return;
    auto stored = decode<StoredLine>(line);
    const auto time = stored ? parse_rfc3339(stored->time) : std::nullopt;
    if (!time) {
        ++damaged_;
        return;
    }
    const bool is_error = stored->stream == "stderr";
    LogLine& part = parts_[is_error ? 1 : 0];
    const bool ends = stored->log.ends_with('\n');
    if (ends) stored->log.pop_back();
    if (part.time == 0) part.time = std::chrono::nanoseconds(time->time_since_epoch()).count();
    part.stream = is_error ? PrintedTo::Stderr : PrintedTo::Stdout;
    part.text += stored->log;
    if (ends || part.text.size() >= kLongestLine) out.push_back(std::exchange(part, {}));
}

void JsonLines::feed(std::string_view bytes, std::vector<LogLine>& out) {
    for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
        if (rest_.empty()) {
            one(bytes.substr(0, end), out);
        } else {
            rest_.append(bytes.substr(0, end));
            one(rest_, out);
            rest_.clear();
        }
        bytes.remove_prefix(end + 1);
    }
    rest_.append(bytes);
}

void JsonLines::end_of_file(std::vector<LogLine>& out) { one(std::exchange(rest_, {}), out); }

void JsonLines::finish(std::vector<LogLine>& out) {
    for (LogLine& part : parts_) {
        if (part.time != 0) out.push_back(std::exchange(part, {}));
    }
}

}  // namespace nodeagent::cli
