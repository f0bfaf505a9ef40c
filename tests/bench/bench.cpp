// Launch, start-up, memory, idle CPU and metadata figures of an agent binary against a bare Docker client, in one run.
//   bench --agent build/release/ecs-node-agent [--docker /var/run/docker.sock] [--tasks 50] [--rounds 3] [--idle 20]
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <thread>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "tests/harness/agent_process.hpp"
#include "tests/harness/control_plane.hpp"
#include "tests/harness/docker_client.hpp"

namespace nodeagent::bench {
namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using harness::AgentProcess;
using harness::ControlPlane;
using harness::DockerClient;
using Clock = std::chrono::steady_clock;
using Millis = std::chrono::duration<double, std::milli>;

struct Options {
    std::string agent;
    std::string docker = "/var/run/docker.sock";
    std::string image = "busybox:latest";
    std::size_t tasks = 50;
    int rounds = 3;
    int idle_seconds = 20;
};

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() / 2];
}

template <class... Args>
void row(const char* format, Args... args) {
    std::printf(format, args...);
    std::printf("\n");
    std::fflush(stdout);
}

class Bench {
  public:
    explicit Bench(Options options) : options_(std::move(options)), docker_(options_.docker) {}

    void run() {
        struct stat binary {};
        ::stat(options_.agent.c_str(), &binary);
        row("binary                              %8.2f MB", static_cast<double>(binary.st_size) / 1e6);
        start_up();
        ControlPlane control_plane;
        const std::string directory = fresh_directory();
        const auto asked = Clock::now();
        auto agent = std::make_unique<AgentProcess>(options_.agent, control_plane.endpoint(), directory,
                                                    "unix://" + options_.docker);
        require(control_plane.session_since(asked, std::chrono::seconds(30)),
                "the agent did not connect; see " + directory + "/agent.log");
        wait(std::chrono::seconds(1));
        row("resident set, idle                  %8.2f MiB (PSS %.2f)", agent->resident_mib(),
            agent->proportional_mib());
        idle(*agent, "no task");
        one_by_one(control_plane);
        at_once(control_plane, *agent);
        recover(control_plane, agent, directory);
        stop_tasks(control_plane);
        std::filesystem::remove_all(directory);
    }

  private:
    static void wait(std::chrono::nanoseconds duration) { std::this_thread::sleep_for(duration); }

    template <class T>
    static T require(std::optional<T> value, const std::string& complaint) {
        if (!value) throw std::runtime_error(complaint);
        return *value;
    }

    static std::string fresh_directory() {
        std::array<char, 32> pattern{"/tmp/nodeagent-bench.XXXXXX"};
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
        return pattern.data();
    }

    void start_up() {
        std::vector<double> connect;
        for (int i = 0; i < 7; ++i) {
            ControlPlane control_plane;
            const std::string directory = fresh_directory();
            const auto asked = Clock::now();
            AgentProcess agent(options_.agent, control_plane.endpoint(), directory, "unix://" + options_.docker);
            const auto at = require(control_plane.session_since(asked, std::chrono::seconds(30)),
                                    "the agent did not connect; see " + directory);
            connect.push_back(Millis(at - agent.executed_at()).count());
            std::filesystem::remove_all(directory);
        }
        row("exec to session connected, p50 of 7 %8.1f ms", median(connect));
    }

    void idle(const AgentProcess& agent, const std::string& label) {
        wait(std::chrono::seconds(2));
        const auto before = agent.cpu_time();
        wait(std::chrono::seconds(options_.idle_seconds));
        const double percent =
            100.0 * std::chrono::duration<double>(agent.cpu_time() - before).count() / options_.idle_seconds;
        row("CPU while idle, %-8s            %8.2f %% of a core over %d s", label.c_str(), percent,
            options_.idle_seconds);
    }

    std::string payload(std::size_t number, const std::string& desired) {
        char id[33];
        std::snprintf(id, sizeof id, "%032zx", 0xbe000000 + number);
        const nlohmann::json config{{"StopSignal", "SIGKILL"}};
        const nlohmann::json host_config{{"NetworkMode", "bridge"}};
        const nlohmann::json container{
            {"name", "c"},
            {"image", options_.image},
            {"essential", true},
            {"cpu", 2},
            {"memory", 16},
            {"command", {"sleep", "600"}},
            {"dockerConfig", {{"config", config.dump()}, {"hostConfig", host_config.dump()}, {"version", "1.21"}}}};
        const nlohmann::json task{{"arn", "arn:aws:ecs:us-west-2:123456789012:task/bench/" + std::string(id)},
                                  {"family", "bench"},
                                  {"version", "1"},
                                  {"desiredStatus", desired},
                                  {"networkMode", "bridge"},
                                  {"containers", {container}}};
        return nlohmann::json{
            {"type", "PayloadMessage"},
            {"message",
             {{"messageId", "m" + std::to_string(++messages_)},
              {"clusterArn", "bench"},
              {"containerInstanceArn",
               "arn:aws:ecs:us-west-2:123456789012:container-instance/bench/0123456789abcdef0123456789abcdef"},
              {"seqNum", messages_},
              {"tasks", {task}}}}}
            .dump();
    }

    double launch_agent(ControlPlane& control_plane, std::size_t count) {
        control_plane.forget();
        std::vector<std::string> frames;
        for (std::size_t i = 0; i < count; ++i) frames.push_back(payload(next_task_ + i, "RUNNING"));
        next_task_ += count;
        const auto began = Clock::now();
        for (std::string& frame : frames) control_plane.send(std::move(frame));
        return Millis(require(control_plane.reported("RUNNING", count, std::chrono::seconds(120)),
                              "tasks did not reach RUNNING") -
                      began)
            .count();
    }

    double launch_bare(std::size_t count) {
        std::vector<std::string> ids(count);
        std::vector<std::thread> threads;
        const auto began = Clock::now();
        for (std::size_t i = 0; i < count; ++i) {
            threads.emplace_back(
                [&, i] { ids[i] = DockerClient(options_.docker).launch(options_.image, "nodeagent-bench"); });
        }
        for (std::thread& thread : threads) thread.join();
        const double took = Millis(Clock::now() - began).count();
        remove("nodeagent-bench");
        return took;
    }

    void remove(const std::string& label) {
        const auto listed =
            docker_.call("GET", "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22" + label + "%22%5D%7D");
        for (const auto& container : listed)
            docker_.call("DELETE", "/containers/" + container.at("Id").get<std::string>() + "?force=1&v=1");
    }

    void stop_tasks(ControlPlane& control_plane) {
        control_plane.forget();
        const std::size_t count = next_task_ - stopped_;
        for (; stopped_ < next_task_; ++stopped_) control_plane.send(payload(stopped_, "STOPPED"));
        require(control_plane.reported("STOPPED", count, std::chrono::seconds(120)), "tasks did not stop");
        remove("com.amazonaws.ecs.cluster=bench");
    }

    void one_by_one(ControlPlane& control_plane) {
        std::vector<double> bare;
        std::vector<double> ours;
        for (int i = 0; i < 10; ++i) {
            bare.push_back(launch_bare(1));
            ours.push_back(launch_agent(control_plane, 1));
            stop_tasks(control_plane);
        }
        row("one task: bare %.1f ms, agent %.1f ms, difference of medians %.1f ms", median(bare), median(ours),
            median(ours) - median(bare));
    }

    void at_once(ControlPlane& control_plane, const AgentProcess& agent) {
        std::vector<double> bare;
        std::vector<double> ours;
        std::vector<double> cpu;
        for (int i = 0; i < options_.rounds; ++i) {
            bare.push_back(launch_bare(options_.tasks));
            const auto before = agent.cpu_time();
            ours.push_back(launch_agent(control_plane, options_.tasks));
            cpu.push_back(Millis(agent.cpu_time() - before).count() / static_cast<double>(options_.tasks));
            row("  round %d: bare %.0f ms, agent %.0f ms, ratio %.2f", i + 1, bare.back(), ours.back(),
                ours.back() / bare.back());
            if (i + 1 < options_.rounds) stop_tasks(control_plane);
        }
        row("%zu tasks at once: bare %.0f ms, agent %.0f ms, ratio %.2f", options_.tasks, median(bare), median(ours),
            median(ours) / median(bare));
        row("CPU of the agent per launched task  %8.2f ms", median(cpu));
        wait(std::chrono::seconds(1));
        row("resident set, %3zu tasks             %8.2f MiB (PSS %.2f)", options_.tasks, agent.resident_mib(),
            agent.proportional_mib());
        idle(agent, std::to_string(options_.tasks) + " tasks");
        metadata(agent);
    }

    /// Tasks that introspection shows as RUNNING.
    static std::size_t known_running() {
        try {
            net::io_context io;
            net::ip::tcp::socket socket(io);
            socket.connect({net::ip::address_v4::loopback(), 51678});
            http::request<http::empty_body> request(http::verb::get, "/v1/tasks", 11);
            request.set(http::field::host, "localhost");
            http::write(socket, request);
            http::response<http::string_body> response;
            boost::beast::flat_buffer buffer;
            http::read(socket, buffer, response);
            const auto document = nlohmann::json::parse(response.body(), nullptr, false);
            if (!document.is_object() || !document.contains("Tasks")) return 0;
            const auto& tasks = document.at("Tasks");
            return static_cast<std::size_t>(std::count_if(tasks.begin(), tasks.end(), [](const nlohmann::json& task) {
                return task.value("KnownStatus", "") == "RUNNING";
            }));
        } catch (const boost::system::system_error&) {
            return 0;  // not listening yet
        }
    }

    /// kill -9 with all tasks running, then a new process: until it shows them all RUNNING and has its session.
    void recover(ControlPlane& control_plane, std::unique_ptr<AgentProcess>& agent, const std::string& directory) {
        std::vector<double> took;
        for (int i = 0; i < 5; ++i) {
            agent->finish(SIGKILL);
            agent.reset();
            const auto asked = Clock::now();
            agent = std::make_unique<AgentProcess>(options_.agent, control_plane.endpoint(), directory,
                                                   "unix://" + options_.docker);
            while (known_running() < options_.tasks) {
                if (Clock::now() - asked > std::chrono::seconds(60)) throw std::runtime_error("tasks not taken up");
                wait(std::chrono::milliseconds(2));
            }
            const auto shown = Clock::now();
            const auto connected =
                require(control_plane.session_since(asked, std::chrono::seconds(30)), "no session after the restart");
            took.push_back(Millis(std::max(shown, connected) - agent->executed_at()).count());
            wait(std::chrono::seconds(1));
        }
        row("recovery, %3zu tasks after kill -9   %8.1f ms (p50 of 5; all known RUNNING, session connected)",
            options_.tasks, median(took));
    }

    void metadata(const AgentProcess& agent) {
        const auto listed = docker_.call(
            "GET", "/containers/json?filters=%7B%22label%22%3A%5B%22com.amazonaws.ecs.cluster%3Dbench%22%5D%7D");
        const auto inspected = docker_.call("GET", "/containers/" + listed.at(0).at("Id").get<std::string>() + "/json");
        std::string path;
        for (const std::string entry : inspected.at("Config").at("Env")) {
            constexpr std::string_view name = "ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2";
            if (entry.starts_with(name)) path = entry.substr(name.size());
        }
        const auto before = agent.cpu_time();
        const std::string command = "wrk -t1 -c16 -d6s --latency http://127.0.0.1:51679" + path + "/task";
        std::FILE* pipe = ::popen(command.c_str(), "r");
        std::string output;
        for (char line[256]; std::fgets(line, sizeof line, pipe) != nullptr;) output += line;
        ::pclose(pipe);
        const double cpu = std::chrono::duration<double, std::micro>(agent.cpu_time() - before).count();
        double requests = 0;
        if (const auto at = output.find(" requests in "); at != std::string::npos) {
            const auto begin = output.rfind('\n', at) + 1;
            requests = std::stod(output.substr(begin, at - begin));
        }
        std::string p99 = "?";
        if (const auto at = output.find("99%"); at != std::string::npos)
            p99 = output.substr(at + 3, output.find('\n', at) - at - 3);
        row("metadata /v4/<id>/task, 16 connections: %.1f us of CPU per request, p99%s, %.0f requests/s",
            requests > 0 ? cpu / requests : 0, p99.c_str(), requests / 6);
    }

    Options options_;
    DockerClient docker_;
    std::size_t next_task_ = 0;
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
        if (name == "--image") options.image = value;
        if (name == "--tasks") options.tasks = std::stoul(value);
        if (name == "--rounds") options.rounds = std::stoi(value);
        if (name == "--idle") options.idle_seconds = std::stoi(value);
    }
    if (options.agent.empty()) {
        std::cerr << "usage: bench --agent BINARY [--docker SOCKET] [--image IMAGE] [--tasks N] [--rounds N] [--idle "
                     "SECONDS]\n"
                     "Needs root, a Docker daemon with the image, wrk, and free ports 51678 and 51679.\n";
        return 2;
    }
    try {
        nodeagent::bench::Bench(options).run();
    } catch (const std::exception& e) {
        std::cerr << "bench: " << e.what() << "\n";
        return 1;
    }
}
