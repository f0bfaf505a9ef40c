#include "agent/cli/logs/docker_stream.hpp"

#include <utility>

#include "agent/base/time_format.hpp"

namespace nodeagent::cli {

namespace {

constexpr std::size_t kHeader = 8;

}  // namespace

/// One message of the log driver: a line, or a part of one. Each has a time of its own.
void DockerStream::piece(std::size_t stream, std::string_view text, std::vector<LogLine>& out) {
    LogLine& part = parts_[stream];
    if (const std::size_t space = text.find(' '); space != std::string_view::npos) {
        if (const auto time = parse_rfc3339(text.substr(0, space))) {
            text.remove_prefix(space + 1);
            if (part.time == 0) part.time = std::chrono::nanoseconds(time->time_since_epoch()).count();
        }
    }
    part.stream = stream == 1 ? PrintedTo::Stderr : PrintedTo::Stdout;
    const bool ends = text.ends_with('\n');
    if (ends) text.remove_suffix(1);
    part.text += text;
    if (ends || part.text.size() >= kLongestLine) out.push_back(std::exchange(part, {}));
}

Result<void> DockerStream::feed(std::string_view bytes, std::vector<LogLine>& out) {
    rest_ += bytes;
    std::string_view rest = rest_;
    while (terminal_ && rest.find('\n') != std::string_view::npos) {
        const std::size_t end = rest.find('\n') + 1;
        piece(0, rest.substr(0, end), out);
        rest.remove_prefix(end);
    }
    while (!terminal_ && rest.size() >= kHeader) {
        const auto byte = [&rest](std::size_t i) {
            return static_cast<std::size_t>(static_cast<unsigned char>(rest[i]));
        };
        // 0 input (what Docker's own clients take for output), 1 output, 2 error, 3 a word of the daemon's
        if (byte(0) > 3 || byte(1) != 0 || byte(2) != 0 || byte(3) != 0) {
            return Error{.kind = ErrorKind::Malformed, .what = "Docker's answer is no stream of log frames"};
        }
        const std::size_t length = byte(4) << 24U | byte(5) << 16U | byte(6) << 8U | byte(7);
        if (rest.size() < kHeader + length) break;
        const std::string_view body = rest.substr(kHeader, length);
        if (byte(0) == 3) return Error{.kind = ErrorKind::Unavailable, .what = "Docker: " + std::string(body)};
        piece(byte(0) == 2 ? 1 : 0, body, out);
        rest.remove_prefix(kHeader + length);
    }
    rest_.erase(0, rest_.size() - rest.size());
    return {};
}

void DockerStream::finish(std::vector<LogLine>& out) {
    if (terminal_ && !rest_.empty()) piece(0, std::exchange(rest_, {}), out);
    for (LogLine& part : parts_) {
        if (part.time != 0) out.push_back(std::exchange(part, {}));
    }
}

}  // namespace nodeagent::cli
