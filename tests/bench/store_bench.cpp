// What it costs to make a state transition durable, beside what the disk itself takes for a write and an fsync in the
// same directory and run:
//   store_bench [--dir DIR] [--tasks 50] [--transitions 500]
// The figure that matters: p99 of one transition less the p99 of the bare fsync.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "agent/base/scope.hpp"
#include "agent/base/shard.hpp"
#include "agent/core/saved_task.hpp"
#include "agent/engine/sqlite_store.hpp"
#include "tests/unit/agent/core/task_builder.hpp"

namespace nodeagent::bench {
namespace {

using Steady = std::chrono::steady_clock;
using Micros = std::chrono::duration<double, std::micro>;

struct Options {
    std::string parent = "/var/tmp";
    std::size_t tasks = 50;
    std::size_t transitions = 500;
};

struct Spread {
    double p50 = 0, p99 = 0;
};

Spread spread(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    if (values.empty()) return {};
    return {values[values.size() / 2], values[std::min(values.size() - 1, values.size() * 99 / 100)]};
}

/// Appends what a WAL frame of such a transition is about, then fsync: the least a durable write can take here.
Spread bare_fsync(const std::string& directory, std::size_t count) {
    const std::string path = directory + "/bare";
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) throw std::runtime_error("cannot write in " + directory);
    const std::string block(8192, 'x');
    std::vector<double> took;
    for (std::size_t i = 0; i < count; ++i) {
        const auto began = Steady::now();
        const bool written = ::write(descriptor, block.data(), block.size()) == static_cast<ssize_t>(block.size());
        if (!written || ::fsync(descriptor) != 0) throw std::runtime_error("cannot write in " + directory);
        took.push_back(Micros(Steady::now() - began).count());
    }
    ::close(descriptor);
    return spread(std::move(took));
}

core::TaskState task_number(std::size_t number) {
    core::TaskState task =
        core::testing::running_task({core::testing::container("app"), core::testing::sidecar("log")}).task;
    task.arn = "arn:aws:ecs:us-west-2:123456789012:task/bench/" + std::to_string(100000 + number);
    return task;
}

asio::awaitable<void> one(engine::SqliteStore& store, core::TaskState task, std::vector<double>& took) {
    const auto began = Steady::now();
    std::vector<engine::StoreChange> changes;
    changes.push_back({engine::Shelf::Tasks, task.arn, core::encode_saved_task(task)});
    const Result<void> done = co_await store.commit(std::move(changes));
    if (!done) throw std::runtime_error(done.error().what);
    took.push_back(Micros(Steady::now() - began).count());
}

asio::awaitable<void> measure(Shard& shard, const Options& options, const std::string& directory) {
    engine::SqliteStore store(shard.executor(), directory);
    const auto loaded = co_await store.load();
    if (!loaded) throw std::runtime_error(loaded.error().what);

    const Spread bare = bare_fsync(directory, options.transitions);
    std::vector<double> took;
    for (std::size_t i = 0; i < options.transitions; ++i) {
        core::TaskState task = task_number(i % options.tasks);
        task.containers.front().exit_code = static_cast<int>(i);
        co_await one(store, std::move(task), took);
    }
    const Spread single = spread(std::move(took));
    std::printf("write + fsync, bare          p50 %8.0f us   p99 %8.0f us\n", bare.p50, bare.p99);
    std::printf("one transition, durable      p50 %8.0f us   p99 %8.0f us   p99 over the bare one %.2f ms\n",
                single.p50, single.p99, (single.p99 - bare.p99) / 1000);

    const std::size_t before = store.transactions();
    std::vector<double> together;
    const auto began = Steady::now();
    {
        Scope writers(shard.executor());
        for (std::size_t i = 0; i < 1000; ++i) writers.spawn(one(store, task_number(i), together));
        co_await writers.drain();
    }
    const double whole = Micros(Steady::now() - began).count();
    std::printf("1000 transitions together    %.1f ms in %zu transactions (one after another: %.1f ms)\n", whole / 1000,
                store.transactions() - before, single.p50 * 1000 / 1000);
    shard.stop();
}

void run(const Options& options) {
    std::string directory = options.parent + "/nodeagent-store.XXXXXX";
    if (::mkdtemp(directory.data()) == nullptr)
        throw std::runtime_error("cannot make a directory in " + options.parent);
    Shard shard("bench");
    Scope scope(shard.executor());
    scope.spawn(measure(shard, options, directory));
    shard.run();
    std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace nodeagent::bench

int main(int argc, char** argv) {
    nodeagent::bench::Options options;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        if (name == "--dir") options.parent = argv[i + 1];
        if (name == "--tasks") options.tasks = std::stoul(argv[i + 1]);
        if (name == "--transitions") options.transitions = std::stoul(argv[i + 1]);
    }
    try {
        nodeagent::bench::run(options);
    } catch (const std::exception& e) {
        std::cerr << "store_bench: " << e.what() << "\n";
        return 1;
    }
}
