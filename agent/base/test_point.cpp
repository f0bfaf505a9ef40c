#include "agent/base/test_point.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string>

#include "agent/base/fd.hpp"
#include "agent/base/log.hpp"

namespace nodeagent::test_points {

namespace {

struct Chosen {
    std::size_t index = kPoints.size();
    int passes_left = 0;
    std::string socket;
};

Chosen from_environment() {
    Chosen chosen;
    const char* wanted = std::getenv("NODEAGENT_TEST_POINT");
    const char* socket = std::getenv("NODEAGENT_TEST_POINT_SOCKET");
    if (wanted == nullptr || socket == nullptr) return chosen;
    const std::string_view text(wanted);
    const std::size_t mark = text.find('#');
    chosen.passes_left = 1;
    if (mark != std::string_view::npos) {
        std::from_chars(text.data() + mark + 1, text.data() + text.size(), chosen.passes_left);
    }
    chosen.socket = socket;
    for (std::size_t i = 0; i < kPoints.size(); ++i) {
        if (kPoints[i].name == text.substr(0, mark)) chosen.index = i;
    }
    if (chosen.index == kPoints.size()) log::error("there is no such test point", {{"point", text}});
    return chosen;
}

std::atomic<std::chrono::seconds::rep> shift_of_wall{0};

/// One question to the harness and its answer; "" when it is not there (any more).
std::string ask(const std::string& socket, std::string_view name) {
    const Fd connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket.size() >= sizeof address.sun_path) return {};
    std::memcpy(address.sun_path, socket.c_str(), socket.size() + 1);
    if (::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
    const std::string line = std::string(name) + '\n';
    if (::write(connection.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) return {};
    std::string answer;
    char one = 0;
    while (::read(connection.get(), &one, 1) == 1 && one != '\n') answer.push_back(one);
    return answer;
}

}  // namespace

void pass(std::size_t index) {
    static Chosen chosen = from_environment();
    if (index != chosen.index || --chosen.passes_left != 0) return;
    log::warn("test point reached", {{"point", kPoints.at(index).name}});
    const std::string answer = ask(chosen.socket, kPoints.at(index).name);
    constexpr std::string_view kShift = "go ";
    if (answer.starts_with(kShift)) {
        std::chrono::seconds::rep seconds = 0;
        std::from_chars(answer.data() + kShift.size(), answer.data() + answer.size(), seconds);
        shift_of_wall = seconds;
    }
}

std::chrono::seconds wall_shift() { return std::chrono::seconds(shift_of_wall.load()); }

}  // namespace nodeagent::test_points
