// ContainerdBackend: health checks. A probe is an exec in the container, as Docker's; its output comes over a fifo, of
// which the last part is kept, so that a probe may print what it likes.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/base/fd.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"
#include "runtime/containerd/blocking.hpp"
#include "runtime/containerd/containerd_backend.hpp"
#include "runtime/containerd/oci/exec_process.hpp"

namespace nodeagent::runtime::containerd {

namespace {

constexpr std::chrono::seconds kKillWait{10};

/// Both ends, so that it neither blocks nor ends before the exec has begun.
Result<Fd> make_fifo(const std::string& path) {
    if (::mkfifo(path.c_str(), 0600) != 0) return from_errno("make " + path);
    Fd fifo(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!fifo) return from_errno("open " + path);
    return fifo;
}

/// What is in the fifo now, on the end of what came before.
void drain(int fifo, std::string& tail) {
    char bytes[4096];
    for (;;) {
        const ssize_t count = ::read(fifo, bytes, sizeof bytes);
        if (count <= 0) return;
        tail.append(bytes, static_cast<std::size_t>(count));
        if (tail.size() > 2 * kProbeOutputLimit) tail.erase(0, tail.size() - kProbeOutputLimit);
    }
}

/// Drains until the fifo is closed; one that is full would block the probe.
asio::awaitable<void> keep_drained(std::shared_ptr<asio::posix::stream_descriptor> fifo,
                                   std::shared_ptr<std::string> tail) {
    boost::system::error_code failed;
    while (!failed) {
        drain(fifo->native_handle(), *tail);
        co_await fifo->async_wait(asio::posix::stream_descriptor::wait_read,
                                  asio::redirect_error(asio::use_awaitable, failed));
    }
}

}  // namespace

void ContainerdBackend::begin_probing(const std::string& id, const Running& running) {
    end_probing(id);
    if (!running.health_check) return;
    const auto age = std::chrono::system_clock::now() - running.started_at;
    auto probing = std::make_shared<Probing>(Probing{
        .check = *running.health_check,
        .state = {},
        .process = running.process,
        .started =
            std::chrono::steady_clock::now() - std::chrono::duration_cast<std::chrono::steady_clock::duration>(age),
        .pause = asio::steady_timer(shard_)});
    probing_[id] = probing;
    scope_.spawn(keep_probing(id, std::move(probing)));
}

void ContainerdBackend::end_probing(const std::string& id) {
    const auto found = probing_.find(id);
    if (found == probing_.end()) return;
    found->second->enough = true;
    found->second->pause.cancel();
    probing_.erase(found);
}

asio::awaitable<void> ContainerdBackend::keep_probing(std::string id, std::shared_ptr<Probing> probing) {
    for (;;) {
        probing->pause.expires_after(probing->check.interval);
        boost::system::error_code woken;
        co_await probing->pause.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        const asio::cancellation_state cancelled = co_await asio::this_coro::cancellation_state;
        if (probing->enough || cancelled.cancelled() != asio::cancellation_type::none) co_return;
        const auto began = std::chrono::steady_clock::now();
        std::optional<ProbeOutcome> outcome = co_await probe_once(id, probing);
        if (probing->enough) co_return;
        if (!outcome) continue;
        const Health::Status before = probing->state.health.status;
        probing->state =
            after_probe(std::move(probing->state), probing->check, *std::move(outcome), began - probing->started);
        if (probing->state.health.status != before && sink_) {
            sink_({.kind = RuntimeEvent::Kind::Health, .container_id = id, .exit_code = {}});
        }
    }
}

asio::awaitable<std::optional<ProbeOutcome>> ContainerdBackend::probe_once(std::string id,
                                                                           std::shared_ptr<Probing> probing) {
    const std::string exec = "probe-" + uuid4();
    const std::string path = containers_.run_folder(id) + "/" + exec;
    Result<Fd> made = make_fifo(path);
    if (!made) co_return ProbeOutcome{.exit_code = -1, .output = made.error().what};
    const auto fifo = std::make_shared<asio::posix::stream_descriptor>(shard_, made->release());
    const auto tail = std::make_shared<std::string>();
    scope_.spawn(keep_drained(fifo, tail));

    ProbeOutcome outcome;
    bool unknown = false;
    std::string process = oci::with_command(probing->process, probing->check.command);
    auto begin = run_blocking(calls_, [this, id, exec, path, process = std::move(process)] {
        return containers_.begin_exec(
            {.container_id = id, .exec_id = exec, .process = process, .streams = {.in = {}, .out = path, .err = path}});
    });
    const Result<void> begun = co_await std::move(begin);
    if (begun) {
        auto exit = co_await end_within(id, exec, probing->check.timeout);
        if (!exit) {
            auto kill = run_blocking(calls_, [this, id, exec] { return client_->kill(id, exec, SIGKILL, false); });
            (void)co_await std::move(kill);
            (void)co_await end_within(id, exec, kKillWait);
            // Docker's words
            outcome.output = "Health check exceeded timeout (" + go_duration(probing->check.timeout) + ")";
        } else if (*exit) {
            outcome.exit_code = static_cast<int>((*exit)->status);
        } else {
            unknown = exit->error().kind == ErrorKind::Unavailable;
        }
        auto end = run_blocking(calls_, [this, id, exec] { return client_->delete_exec(id, exec); });
        (void)co_await std::move(end);
    } else {
        unknown = begun.error().kind == ErrorKind::Unavailable;
        outcome.output = begun.error().what;
    }
    drain(fifo->native_handle(), *tail);
    fifo->close();
    ::unlink(path.c_str());
    if (unknown) co_return std::nullopt;
    if (tail->size() > kProbeOutputLimit) tail->erase(0, tail->size() - kProbeOutputLimit);
    if (outcome.output.empty()) outcome.output = std::move(*tail);
    co_return outcome;
}

}  // namespace nodeagent::runtime::containerd
