// ecs-awslogs: takes what one container prints to where its log configuration says. containerd's shim starts it with
// the container's outputs at 3 and 4 and a pipe at 5 whose closing says that it is ready:
//   ecs-awslogs config <file>
// The agent starts it without them to send what a spool still holds:
//   ecs-awslogs config <file> drain ""

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"
#include "runtime/logs/config.hpp"
#include "runtime/logs/events.hpp"
#include "runtime/logs/pair.hpp"
#include "runtime/logs/reader.hpp"
#include "runtime/logs/sender.hpp"

namespace nodeagent::runtime::logs {
namespace {

constexpr int kStdout = 3;
constexpr int kStderr = 4;
constexpr int kReady = 5;
constexpr int kPipeBytes = 1 << 20;
constexpr std::uint64_t kBlockingBuffer = 4U << 20U;
constexpr std::uint64_t kNonBlockingBuffer = 1'000'000;  // Docker's

struct Arguments {
    std::string config;
    bool drain = false;
};

// Pairs of key and value in any order: containerd makes them of the URL's query.
Arguments parse_arguments(int argc, char** argv) {
    Arguments out;
    for (int i = 1; i < argc; i += 2) {
        const std::string_view key = argv[i];
        const std::string_view value = i + 1 < argc ? argv[i + 1] : "";
        if (key == "config") out.config = value;
        if (key == "drain") out.drain = true;
    }
    return out;
}

LoggerConfig load(const std::string& path) {
    const auto text = read_file(path, 1U << 20U);
    Result<LoggerConfig> config = text ? decode_config(*text) : Result<LoggerConfig>(text.error());
    Result<void> valid;
    if (config) valid = validate(config->driver, config->options);
    if (config && valid) return std::move(*config);
    // the container must not die of it: its lines are read and dropped
    tell_host("configuration " + path + ": " + (config ? valid.error().what : config.error().what) +
              "; the container's lines are dropped");
    LoggerConfig none;
    if (config) none.status_file = config->status_file;
    none.driver = "none";
    return none;
}

std::string option(const LoggerConfig& config, const std::string& key) {
    const auto found = config.options.find(key);
    return found == config.options.end() ? std::string() : found->second;
}

RingLimits ring_limits(const LoggerConfig& config, bool blocking) {
    RingLimits out;
    out.text_bytes =
        blocking ? kBlockingBuffer : ram_bytes(option(config, "max-buffer-size")).value_or(kNonBlockingBuffer);
    if (config.driver != "awslogs") return out;
    // a batch in the making is outside Docker's buffer; here its lines stay until the service has them
    out.text_bytes += kBatchBytes;
    const auto events = parse_integer(option(config, "awslogs-max-buffered-events"));
    if (events && *events > 0) out.messages = static_cast<std::uint64_t>(*events) + kBatchEvents;
    return out;
}

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

void prepare_pipe(int fd) {
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    ::fcntl(fd, F_SETPIPE_SZ, kPipeBytes);  // refused above the user's limit: then it stays as it is
}

int run(int argc, char** argv) {
    const Arguments arguments = parse_arguments(argc, argv);
    if (arguments.config.empty()) {
        std::fputs(
            "usage: ecs-awslogs config FILE [drain \"\"]\n"
            "containerd's shim starts it, one for each container; see README, \"Logs\"\n",
            stderr);
        return 2;
    }
    ::setenv("RES_OPTIONS", "timeout:2 attempts:2", 0);
    const LoggerConfig config = load(arguments.config);
    ReaderSetup reading;
    if (arguments.drain) {
        reading.grace = std::chrono::seconds(0);  // somebody waits for the spool; what is left stays in it
    } else {
        for (int i = 0; i < 2; ++i) {
            const int fd = i == 0 ? kStdout : kStderr;
            if (!is_open(fd)) continue;
            prepare_pipe(fd);
            reading.pipes[i] = fd;
        }
    }
    reading.blocking = option(config, "mode") != "non-blocking";
    reading.discard = config.driver == "none";
    reading.longest_line = config.driver == "awslogs" ? kMaxEvent : kDefaultLine;
    reading.limits = ring_limits(config, reading.blocking);
    reading.spool = {.directory = config.spool.directory, .max_bytes = config.spool.max_bytes};
    if (config.driver != "awslogs") reading.spool = {};

    if (auto ready = Pair::prepare_signals(); !ready) return 1;
    auto memory = SharedMemory::make(ring_memory(reading.limits));
    if (!memory) {
        tell_host(memory.error().what);
        return 1;
    }
    SharedState& state = (*memory)->state();
    state.began =
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    auto lock = open_spool(reading.spool, state);
    if (!lock) {
        tell_host(lock.error().what + "; nothing is spooled");
        reading.spool = {};
        if (arguments.drain) return 1;
    }
    load_rest(**memory, reading.limits, reading.spool);
    const SenderSetup sending{.config = config, .limits = reading.limits, .spool = reading.spool};
    Pair pair(state, {.reader = [&](Pair& p) { return run_reader(p, **memory, reading); },
                      .sender = [&](Pair& p) { return run_sender(p, **memory, sending); }});
    if (arguments.drain) pair.end_in(std::chrono::seconds(config.spool.seconds));
    if (!arguments.drain && is_open(kReady)) ::close(kReady);
    return pair.run();
}

}  // namespace
}  // namespace nodeagent::runtime::logs

int main(int argc, char** argv) { return nodeagent::runtime::logs::run(argc, argv); }
