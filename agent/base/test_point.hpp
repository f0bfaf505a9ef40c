#pragma once
// Named points between two effects of a task's life, where the crash matrix (tests/integration/crash_matrix) kills the
// agent or breaks what surrounds it. Only in builds with tests (CMake option NODEAGENT_TEST_POINTS); otherwise a point
// is nothing at all, not even its name, which the link step of such a build verifies.
//
//   NODEAGENT_POINT("container.create.done");
//
// NODEAGENT_TEST_POINT = "<name>" or "<name>#<n>" (the n-th pass, from 1) chooses one, NODEAGENT_TEST_POINT_SOCKET is
// the unix stream socket of the harness. The process connects, writes "<name>\n" and stands still, all of its main
// shard, until a line comes: "go", or "go <seconds>" to move the wall clock of SystemClock by so much. No answer (the
// socket closed) is "go".

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

namespace nodeagent::test_points {

struct Point {
    std::string_view name;
    std::string_view after;  ///< what has happened when it is passed
};

/// All of them, in the order of a task's life.
inline constexpr std::array kPoints{
    Point{"payload.received", "the PayloadMessage is decoded"},
    Point{"payload.saved", "its tasks are durable"},
    Point{"payload.ack.before", "everything is accepted, the AckRequest is not sent"},
    Point{"payload.acked", "the AckRequest is written"},
    Point{"host.granted", "CPU, memory and ports of the host are reserved"},
    Point{"cgroup.create.before", "the task's cgroup is wanted"},
    Point{"cgroup.create.done", "the task's cgroup exists"},
    Point{"volume.create.before", "a volume is wanted"},
    Point{"volume.create.done", "a volume exists"},
    Point{"manifest.before", "a digest is wanted"},
    Point{"manifest.resolved", "the registry has told the digest"},
    Point{"pull.before", "an image is wanted"},
    Point{"pull.done", "an image is pulled"},
    Point{"report.manifest.before", "MANIFEST_PULLED is about to be submitted"},
    Point{"report.manifest.answered", "ECS has answered MANIFEST_PULLED"},
    Point{"ports.chosen", "host ports are chosen, not saved"},
    Point{"ports.saved", "host ports are durable"},
    Point{"container.create.before", "a container is wanted"},
    Point{"container.create.done", "a container exists, its id is not saved"},
    Point{"container.id.saved", "its id is durable"},
    Point{"container.start.before", "a container is to start"},
    Point{"container.start.done", "it is started, nobody has looked"},
    Point{"container.start.seen", "it was seen running"},
    Point{"container.running.saved", "that it runs is durable"},
    Point{"report.running.before", "RUNNING is about to be submitted"},
    Point{"report.running.answered", "ECS has answered RUNNING"},
    Point{"report.running.saved", "that ECS knows RUNNING is durable"},
    Point{"container.exit.seen", "a container was seen to have ended"},
    Point{"container.exit.saved", "its end is durable"},
    Point{"container.stop.before", "a container is to stop"},
    Point{"container.stop.done", "it has stopped, nobody has looked"},
    Point{"report.stopped.before", "STOPPED is about to be submitted"},
    Point{"report.stopped.answered", "ECS has answered STOPPED"},
    Point{"report.stopped.saved", "that ECS knows STOPPED is durable"},
    Point{"cleanup.before", "the wait after the end is over"},
    Point{"cleanup.container.removed", "a container is removed"},
    Point{"cleanup.cgroup.removed", "the task's cgroup is removed"},
    Point{"cleanup.volume.removed", "a volume is removed"},
    Point{"cleanup.row.before", "nothing of the task is left but its record"},
    Point{"cleanup.row.erased", "its record is erased"},
};

/// The index of a point; a name that is not in the table does not compile.
consteval std::size_t index_of(std::string_view name) {
    for (std::size_t i = 0; i < kPoints.size(); ++i) {
        if (kPoints[i].name == name) return i;
    }
    throw "no such point in kPoints";
}

/// Stands still when this pass of this point was chosen.
void pass(std::size_t index);
/// By how much the harness has moved the wall clock.
[[nodiscard]] std::chrono::seconds wall_shift();

}  // namespace nodeagent::test_points

#ifdef NODEAGENT_TEST_POINTS
#define NODEAGENT_POINT(name) ::nodeagent::test_points::pass(::nodeagent::test_points::index_of(name))
#else
#define NODEAGENT_POINT(name) static_cast<void>(0)
#endif
