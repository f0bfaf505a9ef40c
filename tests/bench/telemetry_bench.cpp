// What statistics cost on a host full of containers, daemon and shims included:
//   telemetry_bench --agent build/bench/ecs-node-agent --docker DIR/docker.sock [--idle 100] [--busy 50] [--seconds 60]
// Root, wrk, busybox:latest; the daemon must be one of its own whose socket lies in its own directory (its processes are
// known by that), ports 51678 and 51679 must be free.
//   1. idle tasks: CPU of agent + dockerd + containerd + shims, resident set of the agent
//   2. /v4/<id>/task and /v4/<id>/stats under load, then beside 500 clients that send one byte a second
//   3. busy tasks: CPU of dockerd, containerd and shims while the agent samples, then while `docker stats` streams
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "tests/harness/agent_process.hpp"
#include "tests/harness/control_plane.hpp"
#include "tests/harness/docker_client.hpp"

namespace nodeagent::bench {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using harness::AgentProcess;
using harness::ControlPlane;
using harness::DockerClient;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

struct Options {
    std::string agent;
    std::string docker;
    std::size_t idle = 100;
    std::size_t busy = 50;
    int seconds = 60;
};

template <class... Args>
void row(const char* format, Args... args) {
    std::printf(format, args...);
    std::printf("\n");
    std::fflush(stdout);
}

std::string contents(const fs::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

/// CPU seconds so far of dockerd, its containerd and its shims: all whose command line names the daemon's directory.
double daemons_cpu(const std::string& directory) {
    const double tick = static_cast<double>(::sysconf(_SC_CLK_TCK));
    double sum = 0;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string name = contents(entry.path() / "comm");
        const bool daemon = name.starts_with("dockerd") || name.starts_with("containerd");
        if (!daemon || contents(entry.path() / "cmdline").find(directory) == std::string::npos) continue;
        const std::string stat = contents(entry.path() / "stat");
        std::istringstream fields(stat.substr(stat.rfind(')') + 2));
        std::string skipped;
        for (int i = 0; i < 11; ++i) fields >> skipped;
        double user = 0;
        double system = 0;
        fields >> user >> system;
        sum += (user + system) / tick;
    }
    return sum;
}

/// Clients that never get so far as to have asked.
class SlowClients {
  public:
    explicit SlowClients(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            sockets_.emplace_back(io_);
            sockets_.back().connect({asio::ip::address_v4::loopback(), 51679});
        }
        thread_ = std::thread([this] { send(); });
    }
    ~SlowClients() {
        stop_ = true;
        thread_.join();
    }

  private:
    void send() {
        const std::string request = "GET /v4/00000000-0000-0000-0000-000000000000/task HTTP/1.1\r\nHost: x\r\n";
        for (std::size_t at = 0; !stop_ && at < request.size(); ++at) {
            for (auto& socket : sockets_) {
                boost::system::error_code failure;
                asio::write(socket, asio::buffer(&request[at], 1), failure);
                if (!failure) continue;
                socket = asio::ip::tcp::socket(io_);  // cut off: it comes again
                socket.connect({asio::ip::address_v4::loopback(), 51679}, failure);
            }
            std::this_thread::sleep_for(std::chrono::seconds(1));
        }
    }
    asio::io_context io_;
    std::vector<asio::ip::tcp::socket> sockets_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

/// `docker stats` of every container, read and thrown away.
class StatsStreams {
  public:
    StatsStreams(const std::string& docker, const std::vector<std::string>& ids) {
        for (const std::string& id : ids) {
            auto socket = std::make_shared<asio::local::stream_protocol::socket>(io_);
            socket->connect({docker});
            const std::string request = "GET /v1.41/containers/" + id + "/stats?stream=1 HTTP/1.1\r\nHost: d\r\n\r\n";
            asio::write(*socket, asio::buffer(request));
            sockets_.push_back(socket);
            threads_.emplace_back([socket] {
                std::array<char, 8192> buffer{};
                boost::system::error_code failure;
                while (socket->read_some(asio::buffer(buffer), failure) > 0 && !failure) {
                }
            });
        }
    }
    ~StatsStreams() {
        boost::system::error_code ignored;
        for (const auto& socket : sockets_) socket->shutdown(asio::socket_base::shutdown_both, ignored);
        for (std::thread& thread : threads_) thread.join();
    }

  private:
    asio::io_context io_;
    std::vector<std::shared_ptr<asio::local::stream_protocol::socket>> sockets_;
    std::vector<std::thread> threads_;
};

class TelemetryBench {
  public:
    explicit TelemetryBench(Options options)
        : options_(std::move(options)), docker_(options_.docker), directory_(fs::path(options_.docker).parent_path()) {}

    void run() {
        std::array<char, 40> pattern{"/tmp/nodeagent-bench.XXXXXX"};
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
        work_ = pattern.data();
        start_agent();

        launch(options_.idle, {"sleep", "86400"});
        const auto idle = cpu_over(options_.seconds);
        row("%zu idle tasks, %d s: agent %.2f %%, dockerd + containerd + shims %.2f %%, together %.2f %% of a core",
            options_.idle, options_.seconds, idle.agent, idle.daemons, idle.agent + idle.daemons);
        row("resident set of the agent with them: %.2f MiB", agent_->resident_mib());
        agent_->finish(SIGKILL);
        std::this_thread::sleep_for(std::chrono::seconds(15));
        const double before = daemons_cpu(directory_);
        std::this_thread::sleep_for(std::chrono::seconds(options_.seconds));
        row("the same containers without an agent: dockerd + containerd + shims %.2f %%",
            (daemons_cpu(directory_) - before) * 100 / options_.seconds);
        start_agent();
        metadata("");
        {
            const SlowClients slow(500);
            metadata(", beside 500 slow clients");
        }
        stop_all();

        launch(options_.busy, {"sh", "-c", "while :; do i=0; while [ $i -lt 300 ]; do i=$((i+1)); done; usleep 200000; done"});
        const auto ours = cpu_over(options_.seconds);
        const auto streams = std::make_unique<StatsStreams>(options_.docker, container_ids());
        const auto theirs = cpu_over(options_.seconds);
        row("%zu busy tasks, %d s: sampled by the agent: agent %.2f %%, daemons %.2f %%; streamed by docker stats "
            "besides: daemons %.2f %%",
            options_.busy, options_.seconds, ours.agent, ours.daemons, theirs.daemons);
        stop_all();
        agent_.reset();
        fs::remove_all(work_);
    }

  private:
    void start_agent() {
        agent_.reset();
        const auto asked = Clock::now();
        agent_ = std::make_unique<AgentProcess>(
            options_.agent, control_plane_.endpoint(), work_, "unix://" + options_.docker,
            std::vector<std::string>{"ECS_TASK_METADATA_RPS_LIMIT=1000000,1000000"});
        if (!control_plane_.session_since(asked, std::chrono::seconds(30)))
            throw std::runtime_error("the agent did not connect; see " + work_ + "/agent.log");
    }

    struct Percent {
        double agent = 0, daemons = 0;
    };
    Percent cpu_over(int seconds) {
        std::this_thread::sleep_for(std::chrono::seconds(15));  // the launch has settled
        const double agent = std::chrono::duration<double>(agent_->cpu_time()).count();
        const double daemons = daemons_cpu(directory_);
        std::this_thread::sleep_for(std::chrono::seconds(seconds));
        return {.agent = (std::chrono::duration<double>(agent_->cpu_time()).count() - agent) * 100 / seconds,
                .daemons = (daemons_cpu(directory_) - daemons) * 100 / seconds};
    }

    void send(std::size_t number, const std::string& desired, const std::vector<std::string>& command) {
        char id[33];
        std::snprintf(id, sizeof id, "%032zx", 0xbe000000 + number);
        const json config{{"StopSignal", "SIGKILL"}};
        const json host_config{{"NetworkMode", "bridge"}};
        const json container{
            {"name", "c"},
            {"image", "busybox:latest"},
            {"essential", true},
            {"cpu", 2},
            {"memory", 16},
            {"command", command},
            {"dockerConfig", {{"config", config.dump()}, {"hostConfig", host_config.dump()}, {"version", "1.21"}}}};
        const json task{{"arn", "arn:aws:ecs:us-west-2:123456789012:task/bench/" + std::string(id)},
                        {"family", "bench"},
                        {"version", "1"},
                        {"desiredStatus", desired},
                        {"networkMode", "bridge"},
                        {"containers", {container}}};
        ++messages_;
        control_plane_.send(json{{"type", "PayloadMessage"},
                                 {"message",
                                  {{"messageId", "m" + std::to_string(messages_)},
                                   {"clusterArn", "bench"},
                                   {"containerInstanceArn",
                                    "arn:aws:ecs:us-west-2:123456789012:container-instance/bench/"
                                    "0123456789abcdef0123456789abcdef"},
                                   {"seqNum", messages_},
                                   {"tasks", {task}}}}}
                                .dump());
    }

    void launch(std::size_t count, const std::vector<std::string>& command) {
        control_plane_.forget();
        command_ = command;
        for (std::size_t i = 0; i < count; ++i) send(next_++, "RUNNING", command);
        if (!control_plane_.reported("RUNNING", count, std::chrono::seconds(300)))
            throw std::runtime_error("tasks did not reach RUNNING");
    }
    void stop_all() {
        control_plane_.forget();
        const std::size_t count = next_ - stopped_;
        for (; stopped_ < next_; ++stopped_) send(stopped_, "STOPPED", command_);
        if (!control_plane_.reported("STOPPED", count, std::chrono::seconds(300)))
            throw std::runtime_error("tasks did not stop");
        for (const std::string& id : container_ids()) docker_.call("DELETE", "/containers/" + id + "?force=1&v=1");
    }
    std::vector<std::string> container_ids() {
        std::vector<std::string> ids;
        for (const auto& one : docker_.call("GET",
                                            "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22com.amazonaws.ecs."
                                            "cluster%3Dbench%22%5D%7D"))
            ids.push_back(one.at("Id"));
        return ids;
    }

    void metadata(const std::string& circumstances) {
        const auto inspected = docker_.call("GET", "/containers/" + container_ids().at(0) + "/json");
        std::string path;
        for (const std::string entry : inspected.at("Config").at("Env")) {
            constexpr std::string_view name = "ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2";
            if (entry.starts_with(name)) path = entry.substr(name.size());
        }
        for (const std::string document : {"/task", "/stats"}) {
            const auto before = agent_->cpu_time();
            const std::string command = "wrk -t1 -c16 -d6s --latency http://127.0.0.1:51679" + path + document;
            std::FILE* pipe = ::popen(command.c_str(), "r");
            std::string output;
            for (char line[256]; std::fgets(line, sizeof line, pipe) != nullptr;) output += line;
            ::pclose(pipe);
            const double cpu = std::chrono::duration<double, std::micro>(agent_->cpu_time() - before).count();
            double requests = 1;
            if (const auto at = output.find(" requests in "); at != std::string::npos)
                requests = std::stod(output.substr(output.rfind('\n', at) + 1));
            std::string p99 = "?";
            if (const auto at = output.find("99%"); at != std::string::npos)
                p99 = output.substr(at + 3, output.find('\n', at) - at - 3);
            row("/v4/<id>%-6s 16 connections%s: %.1f us of CPU per request, p99 %s, %.0f requests/s%s",
                document.c_str(), circumstances.c_str(), cpu / requests, p99.c_str(), requests / 6,
                output.find("Non-2xx") == std::string::npos ? "" : " (some refused)");
        }
    }

    Options options_;
    DockerClient docker_;
    std::string directory_;  ///< the daemon's
    std::string work_;       ///< the agent's
    ControlPlane control_plane_;
    std::unique_ptr<AgentProcess> agent_;
    std::vector<std::string> command_;
    std::size_t next_ = 0;
    std::size_t stopped_ = 0;
    int messages_ = 0;
};

}  // namespace
}  // namespace nodeagent::bench

int main(int argc, char** argv) {
    nodeagent::bench::Options options;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        const std::string value = argv[i + 1];
        if (name == "--agent") options.agent = value;
        if (name == "--docker") options.docker = value;
        if (name == "--idle") options.idle = std::stoul(value);
        if (name == "--busy") options.busy = std::stoul(value);
        if (name == "--seconds") options.seconds = std::stoi(value);
    }
    if (options.agent.empty() || options.docker.empty()) {
        std::cerr << "usage: telemetry_bench --agent BINARY --docker SOCKET [--idle N] [--busy N] [--seconds N]\n";
        return 2;
    }
    try {
        nodeagent::bench::TelemetryBench(options).run();
    } catch (const std::exception& failure) {
        std::cerr << "telemetry_bench: " << failure.what() << '\n';
        return 1;
    }
}
