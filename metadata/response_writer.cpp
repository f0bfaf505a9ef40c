#include "metadata/response_writer.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>

namespace nodeagent::metadata {

namespace {

// Go buffers this much of a body before it decides that the length is unknown.
constexpr std::size_t kBufferedBody = 2048;

void append_number(std::string& out, std::size_t value, int base) {
    std::array<char, 24> digits{};
    const auto [end, failure] = std::to_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (failure == std::errc{}) out.append(digits.data(), end);
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ");
    for (const char c : value) out += c == '\r' || c == '\n' ? ' ' : c;
    out.append("\r\n");
}

void append_status_line(std::string& out, unsigned status, bool http_1_1) {
    out.append(http_1_1 ? "HTTP/1.1 " : "HTTP/1.0 ");
    append_number(out, status, 10);
    out.append(" ").append(reason_phrase(status)).append("\r\n");
}

}  // namespace

std::string_view reason_phrase(unsigned status) {
    switch (status) {
        case 200: return "OK";
        case 301: return "Moved Permanently";
        case 400: return "Bad Request";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 409: return "Conflict";
        case 413: return "Request Entity Too Large";
        case 417: return "Expectation Failed";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 505: return "HTTP Version Not Supported";
        default: return "Status";
    }
}

std::string http_date(std::chrono::system_clock::time_point when) {
    constexpr std::array<std::string_view, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::time_t time = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(when));
    std::tm utc{};
    gmtime_r(&time, &utc);
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                  days[static_cast<std::size_t>(utc.tm_wday)].data(), utc.tm_mday,
                  months[static_cast<std::size_t>(utc.tm_mon)].data(), utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                  utc.tm_sec);
    return text.data();
}

bool write_response(const Response& response, const Framing& framing, std::string_view common_headers,
                    std::string_view date, std::string& out) {
    const std::string_view body = response.content();
    const bool whole = body.size() <= kBufferedBody;
    // Without a length HTTP/1.0 can only say the end by closing.
    const bool keep = framing.keep_alive && !response.close && (framing.http_1_1 || whole);

    append_status_line(out, response.status, framing.http_1_1);
    if (!response.content_type.empty()) append_header(out, "Content-Type", response.content_type);
    for (const auto& [name, value] : response.headers) append_header(out, name, value);
    out.append(common_headers);
    out.append("Date: ").append(date).append("\r\n");
    if (whole && (!framing.head || !body.empty())) {
        out.append("Content-Length: ");
        append_number(out, body.size(), 10);
        out.append("\r\n");
    }
    if (response.content_type.empty() && !body.empty()) append_header(out, "Content-Type", kTextType);
    if (!keep && framing.http_1_1) out.append("Connection: close\r\n");
    if (keep && !framing.http_1_1) out.append("Connection: keep-alive\r\n");
    const bool chunked = !whole && framing.http_1_1 && !framing.head;
    if (chunked) out.append("Transfer-Encoding: chunked\r\n");
    out.append("\r\n");
    if (framing.head) return keep;
    if (!chunked) {
        out.append(body);
        return keep;
    }
    append_number(out, body.size(), 16);
    out.append("\r\n").append(body).append("\r\n0\r\n\r\n");
    return keep;
}

void write_refusal(unsigned status, std::string_view detail, std::string& out) {
    append_status_line(out, status, true);
    out.append("Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n");
    append_number(out, status, 10);
    out.append(" ").append(reason_phrase(status));
    if (!detail.empty()) out.append(": ").append(detail);
}

}  // namespace nodeagent::metadata
