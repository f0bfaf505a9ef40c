// crash_matrix: every named point of a task's life (agent/base/test_point.hpp) x every fault. Each cell runs one task
// on a real Docker or containerd daemon and must end as the fault-free run does. Needs root; makes namespaces and
// daemons of its own.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <new>
#include <stdexcept>

#include "agent/base/test_point.hpp"
#include "tests/integration/crash_matrix/cell.hpp"
#include "tests/integration/crash_matrix/lane_cgroups.hpp"
#include "tests/integration/crash_matrix/lane_processes.hpp"
#include "tests/integration/crash_matrix/task.hpp"

namespace nodeagent::crash_matrix {
namespace {

using nlohmann::json;

struct Options {
    Runtime runtime = Runtime::Docker;
    std::vector<Fault> faults;
    std::vector<std::string> points;
    int lanes = 3;
    std::string out;
    bool list = false;
};

constexpr const char* kUsage =
    "usage: crash_matrix [--runtime docker|containerd] [--fault FAULT]... [--point POINT]... [--lanes N] [--out FILE]\n"
    "                    [--list]\n\n"
    "Runs the cells of the chosen faults and points (all by default), N at a time, and prints a table of them; exit 0\n"
    "when every cell passed. --out writes the outcome as JSON, the same for two runs with the same outcome.\n";

[[noreturn]] void misuse(const std::string& what) {
    std::cerr << what << "\n\n" << kUsage;
    std::exit(2);
}

Options parse(int count, char** words) {
    Options options;
    std::vector<std::string> faults;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        const auto value = [&]() -> std::string {
            if (i + 1 >= count) misuse(word + " needs a value");
            return words[++i];
        };
        if (word == "--fault") {
            faults.push_back(value());
        } else if (word == "--runtime") {
            const std::string name = value();
            if (name != "docker" && name != "containerd") misuse("--runtime: docker or containerd");
            options.runtime = name == "docker" ? Runtime::Docker : Runtime::Containerd;
        } else if (word == "--point") {
            const std::string name = value();
            const auto& all = test_points::kPoints;
            if (std::none_of(all.begin(), all.end(), [&](const auto& p) { return p.name == name; }))
                misuse("there is no point " + name + "; --list names them");
            options.points.push_back(name);
        } else if (word == "--lanes") {
            options.lanes = std::stoi(value());
            if (options.lanes < 1 || options.lanes > 16) misuse("--lanes: from 1 to 16");
        } else if (word == "--out") {
            options.out = value();
        } else if (word == "--list") {
            options.list = true;
        } else if (word == "--help" || word == "-h") {
            std::cout << kUsage;
            std::exit(0);
        } else {
            misuse("unknown option " + word);
        }
    }
    for (const std::string& name : faults) {
        const auto fault = fault_of(name, options.runtime);
        if (!fault) misuse("there is no fault " + name + "; --list names them");
        options.faults.push_back(*fault);
    }
    if (options.faults.empty()) {
        for (const FaultName& one : kFaults) options.faults.push_back(one.fault);
    }
    if (options.points.empty()) {
        for (const auto& one : test_points::kPoints) options.points.emplace_back(one.name);
    }
    return options;
}

void list(Runtime runtime) {
    for (const auto& point : test_points::kPoints)
        std::printf("%-26.*s %.*s\n", static_cast<int>(point.name.size()), point.name.data(),
                    static_cast<int>(point.after.size()), point.after.data());
    std::printf("\nfaults:");
    for (const FaultName& one : kFaults) std::printf(" %s", std::string(word_of(one.fault, runtime)).c_str());
    std::printf("\n");
}

struct CellId {
    std::string point;
    Fault fault;
};

/// What the fault-free run itself must show, or every cell would only be compared with nonsense.
std::string fault_in(const History& history) {
    const auto contains = [](const std::vector<std::string>& changes, std::vector<std::string> words) {
        if (changes.size() != words.size()) return false;
        for (std::size_t i = 0; i < words.size(); ++i) {
            if (changes[i].find(words[i]) == std::string::npos) return false;
        }
        return true;
    };
    const auto of = [&](const char* name) {
        const auto found = history.containers.find(name);
        return found == history.containers.end() ? std::vector<std::string>() : found->second;
    };
    if (!contains(history.task, {"PENDING", "RUNNING", "STOPPED"})) return "the task's statuses";
    const auto ends = [&](const char* name, const std::string& exit_code) {
        const auto changes = of(name);
        return contains(changes, {"PENDING", "RUNNING", "STOPPED"}) &&
               changes.back().find(exit_code) != std::string::npos;
    };
    if (!ends("server", "\"exitCode\":7")) return "server's changes";
    if (!ends("ender", "\"exitCode\":3")) return "ender's changes";
    if (of("server").at(1).find("\"networkBindings\":\"set\"") == std::string::npos) return "server's binding";
    return {};
}

/// One line to the parent; longer than what a pipe takes at once is cut.
void tell(int pipe, const json& result) {
    const std::string line = result.dump() + '\n';
    (void)!::write(pipe, line.data(), line.size());
}

pid_t matrix = 0;  ///< this program, of which the lanes are parts

std::string cgroup_of(int lane) { return "crash-matrix-" + std::to_string(matrix) + "-" + std::to_string(lane); }

/// Runs cells until none is left. In a process of its own.
void work(const std::string& directory, Runtime runtime, const std::vector<CellId>& cells, std::atomic<int>& next,
          int first_number, int lane_number, int pipe) {
    Lane lane(directory, runtime, cgroup_of(lane_number));
    const CellResult plain =
        run_cell(lane, "", Fault::None, nullptr, first_number + static_cast<int>(cells.size()) + lane_number);
    std::string wrong = plain.passed() ? fault_in(plain.history) : plain.problems.front();
    if (!wrong.empty()) {
        std::cerr << plain.agent_log << to_text(plain.history);
        throw std::runtime_error("the fault-free run is not as it must be: " + wrong);
    }
    for (int index = next++; index < static_cast<int>(cells.size()); index = next++) {
        const CellId& cell = cells[static_cast<std::size_t>(index)];
        const CellResult result = run_cell(lane, cell.point, cell.fault, &plain.history, first_number + index);
        std::string details;
        if (!result.passed()) {
            details = directory + "/../cell-" + std::to_string(index) + ".txt";
            std::ofstream file(details);
            file << result.agent_log << "--- history, expected\n"
                 << to_text(plain.history) << "--- history\n"
                 << to_text(result.history) << "--- problems\n";
            for (const std::string& one : result.problems) file << "  " << one << '\n';
        }
        tell(pipe, {{"index", index}, {"passed", result.passed()}, {"seconds", result.seconds}, {"details", details}});
    }
}

int run_lane(const std::string& directory, Runtime runtime, const std::vector<CellId>& cells, std::atomic<int>& next,
             int first_number, int lane_number, int pipe) {
    int status = 0;
    try {
        std::filesystem::create_directories(directory);
        work(directory, runtime, cells, next, first_number, lane_number, pipe);
    } catch (const std::exception& failure) {
        std::cerr << "lane " << lane_number << ": " << failure.what() << '\n';
        status = 1;
    }
    std::cerr.flush();
    return status;
}

void print_table(const Options& options, const std::vector<CellId>& cells, const std::vector<std::string>& outcomes) {
    std::printf("\n%-26s", "point");
    for (const Fault fault : options.faults) {
        std::printf(" %11s", std::string(word_of(fault, options.runtime)).c_str());
    }
    std::printf("\n");
    for (const std::string& point : options.points) {
        std::printf("%-26s", point.c_str());
        for (const Fault fault : options.faults) {
            for (std::size_t i = 0; i < cells.size(); ++i) {
                if (cells[i].point == point && cells[i].fault == fault) std::printf(" %11s", outcomes[i].c_str());
            }
        }
        std::printf("\n");
    }
}

int run(const Options& options) {
    std::vector<CellId> cells;
    for (const Fault fault : options.faults) {
        for (const std::string& point : options.points) cells.push_back({point, fault});
    }
    const int lanes = std::min(options.lanes, static_cast<int>(cells.size()));
    char pattern[] = "/tmp/nodeagent-matrix.XXXXXX";
    if (::mkdtemp(pattern) == nullptr) throw std::runtime_error("mkdtemp");
    const std::string directory = pattern;
    void* shared = ::mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    auto& next = *new (shared) std::atomic<int>(0);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");

    matrix = ::getpid();
    const auto begun = std::chrono::steady_clock::now();
    const int first_number = (::getpid() % 100000) * 10000;
    end_lanes_on_signals();
    for (int i = 0; i < lanes; ++i) {
        const std::string place = directory + "/lane" + std::to_string(i);
        start_lane_process([&] { return run_lane(place, options.runtime, cells, next, first_number, i, ends[1]); });
    }
    ::close(ends[1]);

    std::vector<std::string> outcomes(cells.size(), "not run");
    FILE* results = ::fdopen(ends[0], "r");
    char* line = nullptr;
    std::size_t room = 0;
    std::size_t done = 0;
    while (::getline(&line, &room, results) > 0) {
        const json result = json::parse(line);
        const auto index = result.at("index").get<std::size_t>();
        const bool passed = result.at("passed");
        outcomes[index] = passed ? "passed" : "FAILED";
        std::printf("%4zu/%zu %-26s %-12s %s %5.1f s\n", ++done, cells.size(), cells[index].point.c_str(),
                    std::string(word_of(cells[index].fault, options.runtime)).c_str(), outcomes[index].c_str(),
                    result.at("seconds").get<double>());
        if (!passed) std::cout << std::ifstream(result.at("details").get<std::string>()).rdbuf();
        std::fflush(stdout);
        std::cout.flush();
    }
    std::free(line);
    std::fclose(results);
    wait_for_lane_processes();
    for (int i = 0; i < lanes; ++i) remove_own_cgroups(cgroup_of(i));
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
    if (const int number = ending_signal(); number != 0) {
        std::cerr << "crash_matrix: stopped by signal " << number << "; nothing that it started is left\n";
        return 128 + number;
    }

    print_table(options, cells, outcomes);
    const auto passed = std::count(outcomes.begin(), outcomes.end(), "passed");
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    std::printf("\n%zu of %zu cells passed on %s, %d lanes, %.0f s\n", static_cast<std::size_t>(passed), cells.size(),
                std::string(word_of(options.runtime)).c_str(), lanes, took.count());
    if (!options.out.empty()) {
        json document = json::array();
        for (std::size_t i = 0; i < cells.size(); ++i) {
            document.push_back({{"point", cells[i].point},
                                {"fault", word_of(cells[i].fault, options.runtime)},
                                {"outcome", outcomes[i]}});
        }
        std::ofstream(options.out) << document.dump(1) << '\n';
    }
    return static_cast<std::size_t>(passed) == cells.size() ? 0 : 1;
}

}  // namespace
}  // namespace nodeagent::crash_matrix

int main(int count, char** words) {
    using namespace nodeagent::crash_matrix;
    std::signal(SIGPIPE, SIG_IGN);
    const Options options = parse(count, words);
    if (options.list) {
        list(options.runtime);
        return 0;
    }
    try {
        return run(options);
    } catch (const std::exception& failure) {
        std::cerr << "crash_matrix: " << failure.what() << '\n';
        return 1;
    }
}
