#include "runtime/containerd/network/plugin.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "agent/base/fd.hpp"
#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::runtime::containerd {

namespace {

constexpr std::size_t kAnswerLimit = 1U << 20U;

Result<std::string> find_plugin(const std::vector<std::string>& folders, const std::string& type) {
    for (const std::string& folder : folders) {
        std::string path = folder + "/" + type;
        if (::access(path.c_str(), X_OK) == 0) return path;
    }
    return Error{.kind = ErrorKind::NotFound,
                 .what = "the network plugin " + type + " is in none of " + join(folders, ", ") +
                         "; apt-get install containernetworking-plugins, or set ECS_CONTAINERD_CNI_PATH"};
}

struct Pipe {
    Fd read, write;
};
Result<Pipe> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return from_errno("make a pipe");
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

/// Feeds `input`, takes what comes, until the plugin closes its output or `until` has come.
Result<std::string> converse(Fd to, Fd from, std::string_view input, std::chrono::steady_clock::time_point until) {
    ::fcntl(to.get(), F_SETFL, O_NONBLOCK);
    std::string answer;
    for (;;) {
        if (input.empty()) to.reset();
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        if (left.count() <= 0) return Error{.kind = ErrorKind::Timeout, .what = "no answer"};
        struct pollfd events[2] = {{from.get(), POLLIN, 0}, {to.get(), POLLOUT, 0}};
        const int ready = ::poll(events, input.empty() ? 1 : 2, static_cast<int>(left.count()));
        if (ready < 0 && errno != EINTR) return from_errno("wait for a plugin");
        if (!input.empty() && (events[1].revents & (POLLOUT | POLLERR)) != 0) {
            const ssize_t written = ::write(to.get(), input.data(), input.size());
            if (written > 0) input.remove_prefix(static_cast<std::size_t>(written));
            if (written < 0 && errno != EAGAIN && errno != EINTR) input = {};  // it reads no more; its answer says why
        }
        if ((events[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
        char bytes[16384];
        const ssize_t count = ::read(from.get(), bytes, sizeof bytes);
        if (count == 0) return answer;
        if (count < 0 && errno != EINTR) return from_errno("read a plugin's answer");
        if (count > 0) answer.append(bytes, static_cast<std::size_t>(count));
        if (answer.size() > kAnswerLimit) return Error{.kind = ErrorKind::Malformed, .what = "the answer is too long"};
    }
}

/// What failed, in the plugin's words: {"code": 11, "msg": ..., "details": ...}.
std::string words_of(const std::string& answer) {
    const auto document = parse_json(answer);
    if (!document || !document->is_object()) return truncated(trimmed(answer), 1024);
    std::string words = document->value("msg", "");
    if (const std::string details = document->value("details", ""); !details.empty()) words += "; " + details;
    return words;
}

}  // namespace

Result<nlohmann::json> call_plugin(const std::vector<std::string>& folders, const PluginCall& call) {
    const std::string type = call.config.value("type", "");
    const auto path = find_plugin(folders, type);
    if (!path) return path.error();
    const std::string doing = "network plugin " + type + " " + call.command;
    auto input = make_pipe();
    if (!input) return with_context(doing, std::move(input).error());
    auto output = make_pipe();
    if (!output) return with_context(doing, std::move(output).error());

    std::vector<std::string> variables{
        "CNI_COMMAND=" + call.command,    "CNI_CONTAINERID=" + call.container_id,
        "CNI_NETNS=" + call.netns,        "CNI_IFNAME=" + call.interface,
        "CNI_PATH=" + join(folders, ":"), "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
    std::vector<char*> environment;
    for (std::string& variable : variables) environment.push_back(variable.data());
    environment.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, input->read.get(), 0);
    posix_spawn_file_actions_adddup2(&files, output->write.get(), 1);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    std::string program = *path;
    char* const arguments[] = {program.data(), nullptr};
    pid_t child = 0;
    const int failed = ::posix_spawn(&child, program.c_str(), &files, nullptr, arguments, environment.data());
    posix_spawn_file_actions_destroy(&files);
    if (failed != 0) return with_context(doing, from_error_code("run " + program, {failed, std::generic_category()}));
    input->read.reset();
    output->write.reset();

    const std::string document = dump_json(call.config);
    auto answer = converse(std::move(input->write), std::move(output->read), document,
                           std::chrono::steady_clock::now() + call.limit);
    if (!answer) ::kill(child, SIGKILL);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!answer) return with_context(doing, std::move(answer).error());
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return Error{.kind = ErrorKind::Internal, .what = doing + ": " + words_of(*answer)};
    }
    if (trimmed(*answer).empty()) return Result<nlohmann::json>(boost::system::in_place_value);
    auto result = parse_json(*answer);
    if (!result) return with_context(doing, std::move(result).error());
    return result;
}

}  // namespace nodeagent::runtime::containerd
