#include "agent/core/host_resources.hpp"

#include <algorithm>
#include <random>

#include "task_builder.hpp"

namespace nodeagent::core::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using namespace std::chrono_literals;

constexpr QueueRules kStrict{.overtake_after = 0s, .max_overtaken = 10min};
constexpr QueueRules kFair{.overtake_after = 30s, .max_overtaken = 10min};

HostResources small_host(QueueRules rules = kStrict) {
    return HostResources({.cpu = 1024, .memory = 1000, .reserved_tcp = {22}, .reserved_udp = {}, .gpus = {"gpu-0"}},
                         rules);
}
constexpr SteadyTime kStart{1h};
constexpr Instant at(std::chrono::seconds after) {
    return {.steady = kStart + after, .wall = WallTime(std::chrono::seconds(1'767'225'600) + after)};
}
HostNeed cpu(std::int64_t shares) { return {.cpu = shares, .memory = 0, .tcp = {}, .udp = {}, .gpus = {}}; }
HostNeed port(std::uint16_t number) { return {.cpu = 0, .memory = 0, .tcp = {number}, .udp = {}, .gpus = {}}; }

TEST(HostResources, WithoutOvertakingOnlyTheHeadOfTheQueueIsTried) {
    HostResources host = small_host();
    EXPECT_THAT(host.request("a", cpu(600), 1, kStart), SizeIs(1));
    EXPECT_THAT(host.request("big", cpu(800), 2, kStart), IsEmpty());
    EXPECT_THAT(host.request("small", cpu(10), 3, kStart), IsEmpty()) << "it fits, but came later";
    EXPECT_THAT(host.settle(kStart + 100h), IsEmpty());
    EXPECT_EQ(host.next_change(kStart), std::nullopt);
    EXPECT_EQ(host.explain("big", at(0s)),
              "waits for 800 CPU units (424 free; task a holds 600), first of 2 in the queue");
    EXPECT_EQ(host.explain("small", at(0s)),
              "waits for its turn, number 2 of 2 in the queue; the first, task big, waits for 800 CPU units "
              "(424 free; task a holds 600)");
    const auto admitted = host.release("a", kStart);
    ASSERT_THAT(admitted, SizeIs(2));
    EXPECT_EQ(admitted[0].task_arn, "big");
    EXPECT_EQ(host.explain("big", at(0s)), "");
}

TEST(HostResources, LaterTasksPassAHeadThatHasWaitedLongEnoughAndNotTooLong) {
    HostResources host = small_host(kFair);
    (void)host.request("a", cpu(600), 1, kStart);
    EXPECT_THAT(host.request("big", cpu(800), 2, kStart), IsEmpty());
    EXPECT_THAT(host.request("small", cpu(10), 3, kStart + 29s), IsEmpty());
    EXPECT_EQ(host.next_change(kStart + 29s), kStart + 30s);
    EXPECT_THAT(host.explain("big", at(29s)), HasSubstr("later tasks that fit may pass it from 2026-01-01T00:00:30Z"));
    const auto passed = host.settle(kStart + 30s);
    ASSERT_THAT(passed, SizeIs(1));
    EXPECT_EQ(passed[0].task_arn, "small");
    EXPECT_THAT(host.request("next", cpu(10), 4, kStart + 5min), SizeIs(1));
    EXPECT_EQ(host.next_change(kStart + 5min), std::nullopt) << "nobody else waits";
    EXPECT_THAT(host.request("late", cpu(10), 5, kStart + 10min), IsEmpty());
    EXPECT_THAT(host.explain("late", at(10min)), HasSubstr("has waited too long to be passed"));
    EXPECT_THAT(host.explain("big", at(10min)), HasSubstr("no task may pass it any more"));
    const auto admitted = host.release("a", kStart + 11min);
    ASSERT_THAT(admitted, SizeIs(2));
    EXPECT_EQ(admitted[0].task_arn, "big");
}

TEST(HostResources, EachHeadHasItsOwnTime) {
    HostResources host = small_host(kFair);
    (void)host.request("a", cpu(1000), 1, kStart);
    (void)host.request("big", cpu(1024), 2, kStart);
    (void)host.request("bigger", cpu(1024), 3, kStart);
    (void)host.release("a", kStart + 1h);
    EXPECT_THAT(host.request("small", cpu(0), 4, kStart + 1h + 1s), IsEmpty()) << "bigger is first only now";
    EXPECT_EQ(host.next_change(kStart + 1h + 1s), kStart + 1h + 30s);
}

TEST(HostResources, LeavingTheQueueLetsTheNextIn) {
    HostResources host = small_host();
    (void)host.request("a", cpu(600), 1, kStart);
    (void)host.request("big", cpu(800), 2, kStart);
    (void)host.request("small", cpu(10), 3, kStart);
    const auto admitted = host.release("big", kStart);
    ASSERT_THAT(admitted, SizeIs(1));
    EXPECT_EQ(admitted[0].task_arn, "small");
}

TEST(HostResources, NothingIsGivenBackTwice) {
    HostResources host = small_host();
    (void)host.request("a", cpu(600), 1, kStart);
    (void)host.request("b", cpu(400), 2, kStart);
    (void)host.release("a", kStart);
    (void)host.release("a", kStart);
    EXPECT_EQ(host.held().cpu, 400);
    EXPECT_THAT(host.request("b", cpu(400), 2, kStart), SizeIs(1)) << "granted again, not twice";
    EXPECT_EQ(host.held().cpu, 400);
}

TEST(HostResources, APortHasOneHolderWhoIsNamed) {
    HostResources host = small_host();
    (void)host.request("x/y/a", port(80), 1, kStart);
    HostNeed both = port(80);
    both.memory = 1000;
    (void)host.request("m", {.cpu = 0, .memory = 700, .tcp = {}, .udp = {}, .gpus = {}}, 2, kStart);
    EXPECT_THAT(host.request("b", both, 3, kStart), IsEmpty());
    EXPECT_EQ(host.explain("b", at(0s)),
              "waits for 1000 MiB of memory (300 free; task m holds 700) and host port 80/tcp (task a holds it), "
              "first of 1 in the queue");
    EXPECT_THAT(host.release("x/y/a", kStart), IsEmpty());
    EXPECT_THAT(host.release("m", kStart), SizeIs(1));
}

TEST(HostResources, WhatTheHostCanNeverHoldIsRefusedAtOnceWhoeverWaits) {
    HostResources host = small_host();
    (void)host.request("a", cpu(1000), 1, kStart);
    (void)host.request("b", cpu(1000), 2, kStart);
    EXPECT_THAT(host.request("huge", cpu(2000), 3, kStart).at(0).refused,
                HasSubstr("2000 CPU units, this host has 1024"));
    EXPECT_THAT(host.request("ssh", port(22), 4, kStart).at(0).refused, HasSubstr("22/tcp is reserved"));
    EXPECT_THAT(
        host.request("gpu", {.cpu = 0, .memory = 0, .tcp = {}, .udp = {}, .gpus = {"gpu-9"}}, 5, kStart).at(0).refused,
        HasSubstr("GPU gpu-9"));
    EXPECT_EQ(host.waiting(), 1U);
}

TEST(HostResources, ARestoredTaskKeepsWhatItHeld) {
    HostResources host = small_host();
    host.restore("old", cpu(1000));
    host.restore("older", cpu(1000));
    EXPECT_THAT(host.request("new", cpu(10), 9, kStart), IsEmpty());
    EXPECT_THAT(host.release("old", kStart), SizeIs(1));
}

TEST(HostResources, ANeedIsThatOfTheTaskElseTheSumOfItsContainers) {
    model::Container web = container("web");
    web.docker_config = model::DockerConfig{"{}", R"({"MemoryReservation":33554432})", "1.21"};
    web.port_mappings = {{.container_port = 80, .host_port = 8080, .protocol = {}, .container_port_range = {}},
                         {.container_port = 53, .host_port = 53, .protocol = "udp", .container_port_range = {}},
                         {.container_port = 81, .host_port = 0, .protocol = {}, .container_port_range = {}}};
    model::Task task = payload_of({web, container("db")});
    HostNeed need = host_need(task);
    EXPECT_EQ(need.cpu, 20);
    EXPECT_EQ(need.memory, 32 + 64);
    EXPECT_EQ(need.tcp, std::set<std::uint16_t>{8080});
    EXPECT_EQ(need.udp, std::set<std::uint16_t>{53});
    task.cpu = 0.2501;
    task.memory = 512;
    need = host_need(task);
    EXPECT_EQ(need.cpu, 256);
    EXPECT_EQ(need.memory, 512);
}

/// The rule again, in the plainest words, over what is queued and held.
struct Model {
    std::map<std::uint64_t, std::pair<std::string, HostNeed>> queue;
    std::map<std::string, HostNeed> held;
    std::optional<std::uint64_t> head;
    SteadyTime head_since{};

    [[nodiscard]] bool fits(const HostNeed& need) const {
        std::int64_t cpu_held = 0;
        std::set<std::uint16_t> ports;
        for (const auto& [name, other] : held) {
            cpu_held += other.cpu;
            ports.insert(other.tcp.begin(), other.tcp.end());
        }
        return cpu_held + need.cpu <= 1024 &&
               std::none_of(need.tcp.begin(), need.tcp.end(), [&](std::uint16_t p) { return ports.contains(p); });
    }
    std::vector<std::string> admit(SteadyTime now, const QueueRules& rules) {
        std::vector<std::string> in;
        for (bool moved = true; moved;) {
            moved = false;
            for (auto it = queue.begin(); it != queue.end(); ++it) {
                if (it == queue.begin() && head != it->first) {
                    head = it->first;
                    head_since = now;
                }
                const auto waited = now - head_since;
                const bool may = it == queue.begin() || (rules.overtake_after > 0s && waited >= rules.overtake_after &&
                                                         waited < rules.max_overtaken);
                if (!may) break;
                if (!fits(it->second.second)) continue;
                in.push_back(it->second.first);
                held[it->second.first] = it->second.second;
                queue.erase(it);
                moved = true;
                break;
            }
        }
        return in;
    }
};

// Whatever comes, goes, gives up or passes in whatever order: who fits by the rule is in at once, nobody else is,
// nothing is handed out twice, a head is passed by nobody after its time, and in the end everybody was in.
TEST(HostResources, WhoFitsByTheRuleIsInAtOnceWhateverTheOrderOfEvents) {
    for (unsigned seed = 0; seed < 60; ++seed) {
        std::mt19937 random(seed);
        const QueueRules rules = seed % 3 == 0 ? kStrict : kFair;
        HostResources host = small_host(rules);
        Model model;
        SteadyTime now = kStart;
        std::uint64_t arrivals = 0;
        std::size_t ended = 0;
        std::vector<Admission> got;
        const auto compare = [&](const char* what) {
            std::vector<std::string> names;
            for (const Admission& a : got) {
                ASSERT_TRUE(a.granted()) << a.refused;
                names.push_back(a.task_arn);
            }
            ASSERT_EQ(names, model.admit(now, rules)) << what << ", seed " << seed;
            ASSERT_EQ(host.waiting(), model.queue.size());
            ASSERT_LE(host.held().cpu, 1024);
            ASSERT_GE(host.held().cpu, 0);
            if (model.queue.empty()) return;
            const std::string& last = model.queue.rbegin()->second.first;
            ASSERT_EQ(host.explain(last, {.steady = now, .wall = WallTime{}}).substr(0, 10), "waits for ");
        };
        const auto end_one = [&] {
            const auto gone = std::next(model.held.begin(), static_cast<std::ptrdiff_t>(random() % model.held.size()));
            const std::string name = gone->first;
            model.held.erase(gone);
            ++ended;
            got = host.release(name, now);
            ASSERT_NO_FATAL_FAILURE(compare("release"));
        };
        for (int i = 0; i < 80; ++i) {
            switch (random() % 5) {
                case 0:
                case 1: {
                    const std::string name = "t" + std::to_string(arrivals);
                    HostNeed need = cpu(static_cast<std::int64_t>(random() % 1024));
                    if (random() % 3 == 0) need.tcp.insert(static_cast<std::uint16_t>(8000 + random() % 3));
                    model.queue[arrivals] = {name, need};
                    got = host.request(name, need, arrivals++, now);
                    ASSERT_NO_FATAL_FAILURE(compare("request"));
                    break;
                }
                case 2: {  // the clock reaches the next moment that was told, or any
                    const auto next = host.next_change(now);
                    now = next && random() % 2 == 0 ? *next : now + std::chrono::seconds(random() % 200);
                    got = host.settle(now);
                    ASSERT_NO_FATAL_FAILURE(compare("time"));
                    break;
                }
                case 3:
                    if (!model.held.empty()) {
                        ASSERT_NO_FATAL_FAILURE(end_one());
                    }
                    break;
                default: {  // somebody in the queue is stopped
                    if (model.queue.empty() || random() % 2 == 0) break;
                    const auto gone =
                        std::next(model.queue.begin(), static_cast<std::ptrdiff_t>(random() % model.queue.size()));
                    const std::string name = gone->second.first;
                    model.queue.erase(gone);
                    ++ended;
                    got = host.release(name, now);
                    ASSERT_NO_FATAL_FAILURE(compare("leave"));
                }
            }
        }
        while (!model.held.empty()) {
            ASSERT_NO_FATAL_FAILURE(end_one());
        }
        EXPECT_EQ(ended, arrivals) << "seed " << seed;
        EXPECT_EQ(host.held(), HostNeed{});
    }
}

}  // namespace
}  // namespace nodeagent::core::testing
