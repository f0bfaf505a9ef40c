// The driver journald: one datagram a line, in the journal's native protocol, with the fields Docker gives it.

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "agent/base/fd.hpp"
#include "agent/base/random.hpp"
#include "agent/base/time_format.hpp"
#include "runtime/logs/sink.hpp"
#include "runtime/logs/tag.hpp"

namespace nodeagent::runtime::logs {
namespace {

// Upper case, digits and underscores, none of these first.
std::string journal_name(std::string_view name) {
    std::string out;
    for (char c : name) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) c = '_';
        if (out.empty() && c == '_') continue;
        out += c;
    }
    return out;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    if (value.find('\n') == std::string_view::npos) {
        out.append("=").append(value).append("\n");
        return;
    }
    out += '\n';
    for (std::uint64_t length = value.size(), i = 0; i < 8; ++i) out += static_cast<char>(length >> (8 * i) & 0xffU);
    out.append(value).append("\n");
}

std::string hex_id(std::uint64_t seed) {
    Random random(seed);
    std::string out;
    char text[17];
    for (int i = 0; i < 4; ++i) {
        std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(random()));
        out += text;
    }
    return out;
}

class Journald final : public Sink {
  public:
    Journald(const LoggerConfig& config, SinkTools tools, const std::string& tag)
        : tools_(std::move(tools)), socket_path_(config.journal_socket) {
        const std::string& full = config.container_name;
        append_field(fixed_, "CONTAINER_ID", std::string_view(config.container_id).substr(0, 12));
        append_field(fixed_, "CONTAINER_ID_FULL", config.container_id);
        append_field(fixed_, "CONTAINER_NAME", full.starts_with('/') ? full.substr(1) : full);
        append_field(fixed_, "CONTAINER_TAG", tag);
        append_field(fixed_, "SYSLOG_IDENTIFIER", tag);
        append_field(fixed_, "IMAGE_NAME", config.image);
        append_field(fixed_, "CONTAINER_LOG_EPOCH", hex_id(thread_random()()));
        for (const auto& [name, value] : extra_attributes(config)) append_field(fixed_, journal_name(name), value);
    }

    void add(const Message& line) override {
        std::string out;
        append_field(out, "MESSAGE", line.text);
        append_field(out, "PRIORITY", line.stream == Stream::Stderr ? "3" : "6");
        out += fixed_;
        append_field(out, "SYSLOG_TIMESTAMP",
                     rfc3339_nanos(std::chrono::system_clock::time_point(std::chrono::nanoseconds(line.time))));
        append_field(out, "CONTAINER_LOG_ORDINAL", std::to_string(++ordinal_));
        if (line.partial()) {
            append_field(out, "CONTAINER_PARTIAL_ID", hex_id(line.partial_id));
            append_field(out, "CONTAINER_PARTIAL_ORDINAL", std::to_string(line.ordinal));
            append_field(out, "CONTAINER_PARTIAL_LAST", line.last ? "true" : "false");
            if (!line.last) append_field(out, "CONTAINER_PARTIAL_MESSAGE", "true");
        }
        while (!tools_.pair.over() && !send(out)) {
            tools_.status.failed("the journal does not take lines: " + from_errno("send to " + socket_path_).what);
            tools_.pair.wait(-1, 0, std::chrono::steady_clock::now() + std::chrono::milliseconds(500));
        }
        added_ = true;
        if (tools_.pair.over()) return;
        ++tools_.state.counts.events;
        tools_.state.counts.event_bytes += line.text.size();
    }
    void flush(bool) override {
        added_ = false;
        tools_.status.worked();
        tools_.sent();
    }
    [[nodiscard]] bool waiting() const override { return added_; }
    [[nodiscard]] std::chrono::milliseconds interval() const override { return std::chrono::milliseconds(0); }

  private:
    bool send(const std::string& datagram) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, socket_path_.c_str(), sizeof address.sun_path - 1);
        if (!socket_) socket_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        while (true) {
            const ssize_t sent = ::sendto(socket_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL,
                                          reinterpret_cast<const sockaddr*>(&address), sizeof address);
            if (sent >= 0) return true;
            if (errno == EMSGSIZE || errno == ENOBUFS) return send_as_file(datagram, address);
            if (errno != EAGAIN) return false;
            if (!tools_.pair.wait(socket_.get(), POLLOUT, std::chrono::steady_clock::now() + std::chrono::seconds(1)) &&
                tools_.pair.over()) {
                return false;
            }
        }
    }

    // The journal takes what is too long for a datagram as a sealed file.
    bool send_as_file(const std::string& datagram, const sockaddr_un& to) {
        const Fd file(::memfd_create("ecs-awslogs", MFD_ALLOW_SEALING | MFD_CLOEXEC));
        if (!file || ::write(file.get(), datagram.data(), datagram.size()) != static_cast<ssize_t>(datagram.size())) {
            return false;
        }
        ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
        sockaddr_un address = to;
        msghdr message{};
        message.msg_name = &address;
        message.msg_namelen = sizeof address;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        const int descriptor = file.get();
        std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
        return ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL) >= 0;
    }

    SinkTools tools_;
    std::string socket_path_;
    std::string fixed_;
    Fd socket_;
    std::uint64_t ordinal_ = 0;
    bool added_ = false;
};

}  // namespace

Result<std::unique_ptr<Sink>> make_journald(const LoggerConfig& config, SinkTools tools) {
    auto tag = log_tag(config, "{{.ID}}");
    if (!tag) return std::move(tag).error();
    return std::unique_ptr<Sink>(std::make_unique<Journald>(config, std::move(tools), *tag));
}

}  // namespace nodeagent::runtime::logs
