#include "runtime/containerd/backend.hpp"

#include <algorithm>
#include <csignal>
#include <type_traits>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/base/log.hpp"
#include "runtime/containerd/blocking.hpp"
#include "runtime/containerd/containerd_backend.hpp"
#include "runtime/containerd/refusal.hpp"

namespace nodeagent::runtime::containerd {

namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr seconds kProbeLimit{10};
constexpr seconds kKillWait{30};
constexpr seconds kTendLogsEvery{10};

/// The calls of the Docker Engine API that task definitions may ask for: what containers are made from here are its
/// documents, in version 1.41.
std::vector<std::string> engine_api_versions() {
    std::vector<std::string> versions;
    for (int minor = 17; minor <= 41; ++minor) versions.push_back("1." + std::to_string(minor));
    return versions;
}

/// As run_blocking, for what the engine has asked for: what is refused is told in the words that users know.
template <class F>
auto run_verb(BlockingPool& pool, F f) -> asio::awaitable<std::invoke_result_t<F>> {
    auto work = run_blocking(pool, [f = std::move(f)] { return told_as_refusal(f()); });
    co_return co_await std::move(work);
}

std::optional<RuntimeEvent> event_for_engine(const Event& event) {
    using Kind = RuntimeEvent::Kind;
    RuntimeEvent told{.kind = Kind::Created, .container_id = event.container_id, .exit_code = {}};
    if (event.topic == "/containers/create") return told;
    if (event.topic == "/tasks/start") {
        told.kind = Kind::Started;
    } else if (event.topic == "/tasks/exit" && event.exec_id.empty()) {
        told.kind = Kind::Exited;
        told.exit_code = static_cast<int>(event.exit_status);
    } else if (event.topic == "/tasks/oom") {
        told.kind = Kind::Oom;
    } else if (event.topic == "/containers/delete") {
        told.kind = Kind::Removed;
    } else {
        return std::nullopt;
    }
    return told;
}

}  // namespace

ContainerdBackend::ContainerdBackend(asio::any_io_executor shard, std::shared_ptr<Client> client, Options options)
    : shard_(std::move(shard)),
      client_(std::move(client)),
      options_(std::move(options)),
      images_(client_, options_.images),
      volumes_(options_.data_dir),
      loggers_(options_),
      containers_(client_, options_, images_, volumes_, loggers_),
      locks_(shard_),
      exits_(shard_, client_, [this](const Exits::Key& process, const Result<Exit>& exit) { told(process, exit); }),
      scope_(shard_) {}

asio::awaitable<void> ContainerdBackend::close() {
    exits_.close();
    for (const auto& [id, probing] : probing_) {
        probing->enough = true;
        probing->pause.cancel();
    }
    probing_.clear();
    scope_.cancel();
    co_await scope_.drain();
}

// ---- the daemon

asio::awaitable<Result<void>> ContainerdBackend::prepare() {
    if (prepared_) co_return Result<void>{};
    auto work = run_blocking(calls_, [this] { return client_->make_namespace(); });
    Result<void> made = co_await std::move(work);
    prepared_ = made.has_value();
    co_return made;
}

asio::awaitable<Result<Capabilities>> ContainerdBackend::probe() {
    auto ask_version = run_blocking(calls_, [this] { return client_->version(kProbeLimit); });
    Result<std::string> version = co_await std::move(ask_version);
    if (!version) co_return std::move(version).error();
    Result<void> prepared = co_await prepare();
    if (!prepared) co_return std::move(prepared).error();
    auto ask_plugins = run_blocking(calls_, [this] { return client_->plugins(); });
    const Result<std::vector<Plugin>> plugins = co_await std::move(ask_plugins);
    if (!plugins) co_return plugins.error();
    auto ask_snapshotter = run_blocking(calls_, [this] { return images_.snapshotter(); });
    const Result<std::string> snapshotter = co_await std::move(ask_snapshotter);
    if (!snapshotter) co_return snapshotter.error();

    Capabilities capabilities;
    capabilities.runtime = "containerd";
    // "1.6.20~ds1" of Debian
    capabilities.version = version->substr(version->starts_with('v') ? 1 : 0);
    if (const auto end = capabilities.version.find_first_not_of("0123456789."); end != std::string::npos) {
        capabilities.version.resize(end);
    }
    capabilities.api_versions = engine_api_versions();
    capabilities.log_drivers = log_drivers(options_.logs);
    capabilities.cgroup_v2 = options_.cgroup_v2;
    capabilities.systemd_cgroup_driver = options_.systemd_cgroup;
    capabilities.security_options.emplace_back("seccomp");
    if (options_.apparmor) capabilities.security_options.emplace_back("apparmor");
    for (const Plugin& plugin : *plugins) {
        if (plugin.type != "io.containerd.snapshotter.v1" || plugin.id != *snapshotter) continue;
        if (const auto root = plugin.exports.find("root"); root != plugin.exports.end()) {
            capabilities.data_root = root->second;
        }
    }
    co_return capabilities;
}

asio::awaitable<Result<void>> ContainerdBackend::ping(nanoseconds deadline) {
    auto work = run_blocking(calls_, [this, deadline] { return client_->version(deadline); });
    const Result<std::string> version = co_await std::move(work);
    if (!version) co_return version.error();
    co_return Result<void>{};
}

// ---- images

asio::awaitable<Result<ImageView>> ContainerdBackend::inspect_image(std::string image) {
    auto work = run_verb(calls_, [this, image]() -> Result<ImageView> {
        auto found = images_.find(image);
        if (!found) return std::move(found).error();
        return std::move(found->view);
    });
    co_return co_await std::move(work);
}

asio::awaitable<Result<std::string>> ContainerdBackend::resolve_digest(std::string image, RegistryAuth auth,
                                                                       nanoseconds deadline) {
    auto work = run_stoppable(pulls_, [this, image, auth, deadline](std::stop_token stop) {
        return images_.resolve_digest(image, auth, deadline, std::move(stop));
    });
    co_return co_await std::move(work);
}

asio::awaitable<Result<void>> ContainerdBackend::pull(std::string reference, RegistryAuth auth, PullOptions options,
                                                      std::function<void(const PullProgress&)> progress) {
    Result<void> prepared = co_await prepare();
    if (!prepared) co_return prepared;
    // the caller's function lives as long as this coroutine, which what is posted may not
    const auto heard = std::make_shared<std::function<void(const PullProgress&)>>(std::move(progress));
    const std::weak_ptr<std::function<void(const PullProgress&)>> listener = heard;
    auto work = run_stoppable(pulls_, [this, reference, auth, options, listener, shard = shard_](std::stop_token stop) {
        const auto tell = [&listener, &shard](const PullProgress& now) {
            asio::post(shard, [listener, now] {
                const auto here = listener.lock();
                if (here && *here) (*here)(now);
            });
        };
        return images_.pull(reference, auth, options, tell, std::move(stop));
    });
    co_return co_await std::move(work);
}

asio::awaitable<Result<void>> ContainerdBackend::tag(std::string source, std::string target) {
    auto work = run_verb(calls_, [this, source, target] { return images_.tag(source, target); });
    co_return co_await std::move(work);
}

asio::awaitable<Result<void>> ContainerdBackend::load_image(std::string archive) {
    Result<void> prepared = co_await prepare();
    if (!prepared) co_return prepared;
    auto work = run_verb(calls_, [this, archive] { return images_.load_image(archive); });
    co_return co_await std::move(work);
}

asio::awaitable<Result<void>> ContainerdBackend::remove_image(std::string image) {
    auto work = run_verb(calls_, [this, image] { return images_.remove_image(image); });
    co_return co_await std::move(work);
}

asio::awaitable<Result<std::vector<ImageView>>> ContainerdBackend::list_images() {
    auto work = run_verb(calls_, [this] { return images_.list_images(); });
    co_return co_await std::move(work);
}

// ---- containers

asio::awaitable<Result<std::string>> ContainerdBackend::id_of(std::string id_or_name) {
    auto work = run_verb(calls_, [this, id_or_name] { return containers_.id_of(id_or_name); });
    co_return co_await std::move(work);
}

asio::awaitable<Result<std::string>> ContainerdBackend::create(ContainerSpec spec, nanoseconds /*deadline*/) {
    Result<void> prepared = co_await prepare();
    if (!prepared) co_return std::move(prepared).error();
    const KeyedLock::Held held = co_await locks_.acquire(spec.name);
    auto work = run_verb(calls_, [this, spec = std::move(spec)] { return containers_.create(spec); });
    co_return co_await std::move(work);
}

asio::awaitable<Result<void>> ContainerdBackend::start(std::string id, nanoseconds deadline) {
    Result<std::string> found = co_await id_of(id);
    if (!found) co_return std::move(found).error();
    const std::string own = *std::move(found);
    const KeyedLock::Held held = co_await locks_.acquire(own);
    out_of_memory_.erase(own);  // of a run before, told after its end
    auto work = run_verb(calls_, [this, own, deadline] {
        return containers_.start(own, deadline, [this, own] { exits_.watch(own, {}); });
    });
    const Result<Running> running = co_await std::move(work);
    if (!running) co_return running.error();
    if (!probing_.contains(own)) begin_probing(own, *running);
    co_return Result<void>{};
}

asio::awaitable<Result<void>> ContainerdBackend::stop(std::string id, seconds grace) {
    Result<std::string> found = co_await id_of(id);
    if (!found) {
        if (found.error().kind == ErrorKind::NotFound) co_return Result<void>{};
        co_return std::move(found).error();
    }
    const std::string own = *std::move(found);
    {
        // a start that is on its way comes first, or the signal would find nothing to stop
        const KeyedLock::Held held = co_await locks_.acquire(own);
        auto work = run_verb(calls_, [this, own, grace]() -> Result<bool> {
            if (grace.count() <= 0) return containers_.signal(own, SIGKILL, true);
            const Result<int> signal = containers_.stop_signal(own);
            if (!signal) return signal.error();
            return containers_.signal(own, *signal, false);
        });
        const Result<bool> signalled = co_await std::move(work);
        if (!signalled) co_return signalled.error();
        if (!*signalled) co_return Result<void>{};  // it does not run
    }
    std::optional<Result<Exit>> exit;
    if (grace.count() > 0) exit = co_await end_within(own, {}, grace);
    if (!exit) {
        auto work = run_verb(calls_, [this, own] { return containers_.signal(own, SIGKILL, true); });
        const Result<bool> killed = co_await std::move(work);
        if (!killed) co_return killed.error();
        exit = co_await end_within(own, {}, kKillWait);
    }
    if (!exit) {
        co_return Error{
            .kind = ErrorKind::Timeout,
            .what = "container " + own + " still runs " + std::to_string(kKillWait.count()) + " s after SIGKILL"};
    }
    if (!*exit && exit->error().kind != ErrorKind::NotFound) co_return exit->error();
    Result<void> noted = co_await note_end(own);
    if (!noted && noted.error().kind == ErrorKind::NotFound) co_return Result<void>{};
    co_return noted;
}

asio::awaitable<Result<void>> ContainerdBackend::remove(std::string id) {
    Result<std::string> found = co_await id_of(id);
    if (!found) {
        if (found.error().kind == ErrorKind::NotFound) co_return Result<void>{};
        co_return std::move(found).error();
    }
    const std::string own = *std::move(found);
    const KeyedLock::Held held = co_await locks_.acquire(own);
    auto work = run_verb(calls_, [this, own] { return containers_.remove(own); });
    Result<void> removed = co_await std::move(work);
    if (removed) {
        end_probing(own);
        out_of_memory_.erase(own);
    }
    co_return removed;
}

asio::awaitable<Result<ContainerView>> ContainerdBackend::inspect(std::string id) {
    auto look = run_verb(calls_, [this, id] { return containers_.inspect(id); });
    Result<Containers::Inspected> seen = co_await std::move(look);
    if (!seen) co_return std::move(seen).error();
    if (seen->end_unnoted) {
        const std::string own = seen->view.id;
        Result<void> noted = co_await note_end(own);
        if (!noted) co_return std::move(noted).error();
        auto again = run_verb(calls_, [this, own] { return containers_.inspect(own); });
        seen = co_await std::move(again);
        if (!seen) co_return std::move(seen).error();
    }
    ContainerView view = std::move(seen->view);
    if (const auto probing = probing_.find(view.id); probing != probing_.end()) {
        view.health = probing->second->state.health;
    } else if (seen->health_checked) {
        view.health.status = Health::Status::Starting;
    }
    co_return view;
}

asio::awaitable<Result<std::vector<ContainerView>>> ContainerdBackend::list(std::string label) {
    auto work = run_verb(calls_, [this, label] { return containers_.list(label); });
    co_return co_await std::move(work);
}

// ---- events

asio::awaitable<Error> ContainerdBackend::watch(std::function<void()> connected,
                                                std::function<void(RuntimeEvent)> sink) {
    Result<void> prepared = co_await prepare();
    if (!prepared) co_return std::move(prepared).error();
    struct Stream {  // what the thread tells; void once the coroutine is gone
        ContainerdBackend* backend;
        std::function<void()> connected;
        std::function<void(RuntimeEvent)> sink;
        bool open = true;
    };
    const auto stream = std::make_shared<Stream>(Stream{this, std::move(connected), sink});
    sink_ = std::move(sink);
    const auto over = std::shared_ptr<void>(nullptr, [this, stream](void*) {
        stream->open = false;
        sink_ = nullptr;
    });
    auto work = run_stoppable(watches_, [client = client_, shard = shard_, stream](std::stop_token stop) {
        return client->watch(
            std::move(stop),
            [&shard, &stream] {
                asio::post(shard, [stream] {
                    if (!stream->open) return;
                    stream->backend->scope_.spawn(stream->backend->adopt([stream] {
                        if (stream->open && stream->connected) stream->connected();
                    }));
                });
            },
            [&shard, &stream](Event event) {
                asio::post(shard, [stream, event = std::move(event)] {
                    if (stream->open) stream->backend->heard(event);
                });
            });
    });
    co_return co_await std::move(work);
}

void ContainerdBackend::heard(const Event& event) {
    if (event.topic == "/tasks/oom") out_of_memory_.insert(event.container_id);
    if (auto told = event_for_engine(event); told && sink_) sink_(*std::move(told));
}

asio::awaitable<void> ContainerdBackend::adopt(std::function<void()> connected) {
    auto work = run_blocking(calls_, [this] { return containers_.take_stock(); });
    const Result<Containers::Found> found = co_await std::move(work);
    if (!found) {
        // the stream breaks as well, or the engine's next comparison finds the same
        log::warn("what containerd runs cannot be looked at", {{"cause", found.error().what}});
    } else {
        for (const Running& running : found->running) {
            exits_.watch(running.id, {});
            if (!probing_.contains(running.id)) begin_probing(running.id, running);
        }
        for (const std::string& id : found->ended) scope_.spawn(settle(id));
    }
    connected();
    if (!std::exchange(tending_logs_, true)) scope_.spawn(tend_logs());
}

asio::awaitable<void> ContainerdBackend::tend_logs() {
    asio::steady_timer pause(shard_);
    for (;;) {
        auto work = run_blocking(
            calls_, [this] { return Result<LogFigures>(loggers_.tend(std::chrono::system_clock::now())); });
        log_figures_ = *co_await std::move(work);
        pause.expires_after(kTendLogsEvery);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

// ---- volumes

asio::awaitable<Result<void>> ContainerdBackend::create_volume(VolumeSpec spec) {
    auto work = run_verb(calls_, [this, spec] { return volumes_.create(spec); });
    co_return co_await std::move(work);
}

asio::awaitable<Result<VolumeSpec>> ContainerdBackend::inspect_volume(std::string name) {
    auto work = run_verb(calls_, [this, name] { return volumes_.inspect(name); });
    co_return co_await std::move(work);
}

asio::awaitable<Result<void>> ContainerdBackend::remove_volume(std::string name) {
    auto work = run_verb(calls_, [this, name] { return containers_.remove_volume(name); });
    co_return co_await std::move(work);
}

std::unique_ptr<ClosableBackend> make_backend(asio::any_io_executor shard, std::shared_ptr<Client> client,
                                              Options options) {
    return std::make_unique<ContainerdBackend>(std::move(shard), std::move(client), std::move(options));
}

}  // namespace nodeagent::runtime::containerd
