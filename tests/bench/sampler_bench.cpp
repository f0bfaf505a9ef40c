// What sampling costs: processes in cgroups and network namespaces of their own, read by the collector once a second.
//   sampler_bench [--containers 200] [--passes 20] [--every MS] [--busy 1]
// With --busy the processes do a little work between passes, so that all their files are read each time.
// Root; cgroups named nodeagent-bench are made and removed again.
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "agent/base/resident.hpp"
#include "agent/telemetry/collector.hpp"

namespace {
std::atomic<std::uint64_t> allocations{0};
}
void* operator new(std::size_t size) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* made = std::malloc(size)) return made;
    throw std::bad_alloc();
}
void operator delete(void* gone) noexcept { std::free(gone); }
void operator delete(void* gone, std::size_t) noexcept { std::free(gone); }

namespace nodeagent::bench {
namespace {

namespace fs = std::filesystem;

struct Options {
    std::size_t containers = 200;
    int passes = 20;
    std::chrono::milliseconds every{1000};
    bool busy = false;
};

std::string id_of(std::size_t i) { return "nodeagent-bench-" + std::to_string(100000 + i); }

// One sleeping process per container; all of it goes with the object.
class Containers {
  public:
    Containers(const cgroups::Hierarchy& hierarchy, std::size_t count, bool busy) {
        for (const std::string controller : {"cpu", "cpuacct", "memory", "pids", "blkio"}) {
            if (hierarchy.version == cgroups::Version::V2) break;
            if (fs::is_directory(hierarchy.root + "/" + controller)) roots_.push_back(hierarchy.root + "/" + controller);
        }
        if (roots_.empty()) roots_.push_back(hierarchy.root);
        for (std::size_t i = 0; i < count; ++i) pids_.push_back(start(id_of(i), busy));
    }
    ~Containers() {
        for (const pid_t pid : pids_) ::kill(pid, SIGKILL);
        for (const pid_t pid : pids_) ::waitpid(pid, nullptr, 0);
        for (std::size_t i = 0; i < pids_.size(); ++i) {
            for (const std::string& root : roots_) ::rmdir((root + "/" + id_of(i)).c_str());
        }
    }
    Containers(const Containers&) = delete;
    Containers& operator=(const Containers&) = delete;
    [[nodiscard]] pid_t pid(std::size_t i) const { return pids_[i]; }

  private:
    pid_t start(const std::string& id, bool busy) const {
        const pid_t pid = ::fork();
        if (pid < 0) throw std::runtime_error("fork");
        if (pid == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (::unshare(CLONE_NEWNET) != 0) ::_exit(1);
            for (;;) busy ? static_cast<void>(::usleep(300'000)) : static_cast<void>(::pause());
        }
        for (const std::string& root : roots_) {
            fs::create_directory(root + "/" + id);
            std::ofstream(root + "/" + id + "/cgroup.procs") << pid;
        }
        return pid;
    }
    std::vector<std::string> roots_;
    std::vector<pid_t> pids_;
};

double cpu_seconds() {
    rusage use{};
    ::getrusage(RUSAGE_SELF, &use);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(use.ru_utime) + seconds(use.ru_stime);
}

int run(const Options& options) {
    auto hierarchy = cgroups::detect_hierarchy("/sys/fs/cgroup");
    if (!hierarchy) throw std::runtime_error(hierarchy.error().what);
    const Containers containers(*hierarchy, options.containers, options.busy);
    auto snapshot = std::make_shared<model::Snapshot>();
    for (std::size_t i = 0; i < options.containers; ++i) {
        auto task = std::make_shared<model::TaskView>();
        task->arn = "task/" + std::to_string(i);
        task->family = "bench";
        model::ContainerView container;
        container.name = "main";
        container.docker_id = id_of(i);
        container.known = model::ContainerStatus::Running;
        container.pid = containers.pid(i);
        task->containers = {container};
        snapshot->by_docker_id[container.docker_id] = {.task = task, .index = 0};
        snapshot->tasks[task->arn] = std::move(task);
    }
    model::SnapshotBoard board;
    board.publish(std::move(snapshot));
    SystemClock clock;
    telemetry::Collector collector({.hierarchy = *hierarchy, .interval = std::chrono::nanoseconds(1), .cpus = 2}, board,
                                   clock);
    for (int i = 0; i < options.passes + 3; ++i) collector.pass();  // files are opened, lists have grown
    (void)collector.take(false);

    double cpu = 0;
    double worst = 0;
    std::uint64_t made = 0;
    for (int i = 0; i < options.passes; ++i) {
        std::this_thread::sleep_for(options.every);
        const std::uint64_t before = allocations;
        const double began = cpu_seconds();
        collector.pass();
        const double used = cpu_seconds() - began;
        made += allocations - before;
        cpu += used;
        worst = std::max(worst, used);
    }
    const std::uint64_t failed =
        (2 * static_cast<std::uint64_t>(options.passes) + 3) * options.containers - collector.counters().samples;
    const double passes = options.passes;
    std::printf("%zu %s containers, cgroup %s, %d passes every %lld ms, %llu readings failed\n", options.containers,
                options.busy ? "busy" : "idle", hierarchy->version == cgroups::Version::V1 ? "v1" : "v2", options.passes,
                static_cast<long long>(options.every.count()), static_cast<unsigned long long>(failed));
    std::printf("per container and pass     %8.2f us of CPU (worst pass %.2f)\n",
                cpu / passes / static_cast<double>(options.containers) * 1e6,
                worst / static_cast<double>(options.containers) * 1e6);
    std::printf("sampled once a second      %8.3f %% of a core\n", cpu / passes * 100);
    std::printf("descriptors per container  %8.1f\n",
                static_cast<double>(open_descriptors()) / static_cast<double>(options.containers));
    std::printf("allocations per pass       %8.1f\n", static_cast<double>(made) / passes);
    return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace nodeagent::bench

int main(int argc, char** argv) {
    nodeagent::bench::Options options;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        const long value = std::atol(argv[i + 1]);
        if (name == "--containers") options.containers = static_cast<std::size_t>(value);
        if (name == "--passes") options.passes = static_cast<int>(value);
        if (name == "--busy") options.busy = value != 0;
        if (name == "--every") options.every = std::chrono::milliseconds(value);
    }
    try {
        return nodeagent::bench::run(options);
    } catch (const std::exception& failure) {
        std::cerr << "sampler_bench: " << failure.what() << '\n';
        return 2;
    }
}
