#include "agent/endpoints.hpp"

#include <algorithm>
#include <future>
#include <mutex>

#include <boost/asio/post.hpp>

#include "agent/base/line_writer.hpp"
#include "agent/base/log.hpp"
#include "agent/base/log_sinks.hpp"
#include "agent/base/scope.hpp"
#include "agent/base/shard.hpp"
#include "agent/engine/event_log.hpp"
#include "agent/log_options.hpp"
#include "agent/model/snapshot.hpp"
#include "metadata/extensions.hpp"
#include "metadata/instance_identity.hpp"
#include "metadata/introspection.hpp"

namespace nodeagent {

namespace {
std::size_t unstopped_tasks(const model::Snapshot& snapshot) {
    return static_cast<std::size_t>(std::count_if(snapshot.tasks.begin(), snapshot.tasks.end(), [](const auto& task) {
        return task.second->known != model::TaskStatus::Stopped;
    }));
}

/// The audit log has lines of one kind only: what it lacks is told in the other log.
std::unique_ptr<LineWriter> audit_writer(std::shared_ptr<RotatingFile> file) {
    return std::make_unique<LineWriter>(
        LineWriter::Output{.write = [file](std::string_view line) { return file->write(line); },
                           .tell =
                               [](std::uint64_t lost) {
                                   log::error(
                                       "lines of the audit log are missing: they came faster than they could "
                                       "be written",
                                       {{"lines", lost}});
                                   return true;
                               }});
}
}  // namespace

struct Endpoints::Impl {
    explicit Impl(Parts given) : parts(std::move(given)) {
        status.started_at = clock.now().wall;
        status.runtime_name = "docker";  // until it answers: not reachable
        if (parts.config.audit_logfile_disabled) return;
        auto opened = RotatingFile::open(log_file_options(parts.config, parts.config.audit_logfile));
        if (opened) {
            audit = audit_writer(*std::move(opened));
        } else {
            log::warn("the audit log goes to standard output only; set ECS_AUDIT_LOGFILE to a writable file",
                      {{"error", opened.error().what}});
        }
    }

    metadata::TaskServerSources task_sources() {
        metadata::TaskServerSources sources{.snapshots = parts.snapshots,
                                            .credentials = parts.credentials,
                                            .identity = identity,
                                            .stats = parts.stats,
                                            .tags = parts.tags,
                                            .protection = parts.protection,
                                            .audit = {}};
        if (!parts.config.audit_logfile_disabled) {
            sources.audit = [this](const std::string& line) {
                log::write_to_stream(line);
                if (audit) audit->add(line);
            };
        }
        return sources;
    }

    metadata::IntrospectionSource introspection_source() {
        metadata::IntrospectionSource source{
            .snapshots = parts.snapshots, .identity = identity, .status = {}, .events = {}, .settings = {}};
        source.host = parts.host;
        source.status = [this] {
            const std::lock_guard lock(mutex);
            metadata::AgentStatus now = status;
            if (now.drain.draining) now.drain.tasks_left = unstopped_tasks(*parts.snapshots.current());
            return now;
        };
        source.events = [this] {
            std::vector<metadata::AgentEvent> listed;
            for (engine::StatusChange& change : parts.events.recent()) {
                listed.push_back(
                    {change.when, std::move(change.task_arn), std::move(change.container), std::move(change.what)});
            }
            return listed;
        };
        source.settings = [this] {
            std::vector<metadata::AgentSetting> listed;
            for (const config::EffectiveSetting& setting : parts.settings) {
                listed.push_back({setting.name, setting.value, setting.source, setting.active, setting.secret});
            }
            return listed;
        };
        return source;
    }

    Result<metadata::TaskLogs> log_places(const std::string& id) {
        if (id.empty()) return Error{.kind = ErrorKind::NotFound, .what = "no task id given"};
        const auto task = metadata::task_called(*parts.snapshots.current(), id);
        if (!task) return task.error();
        std::string runtime;
        {
            const std::lock_guard lock(mutex);
            runtime = status.runtime_name;
        }
        return task_logs(**task, runtime, parts.logs, read_logger_configs(parts.logs));
    }

    template <class Change>
    void update(Change change) {
        const std::lock_guard lock(mutex);
        change(status);
    }

    static asio::awaitable<void> stop_servers(Impl& self) {
        if (self.task_server) co_await self.task_server->stop();
        if (self.introspection) co_await self.introspection->stop();
        if (self.control) co_await self.control->stop();
        self.stopped.set_value();
    }

    Parts parts;
    SystemClock clock;
    metadata::IdentityBoard identity;
    metadata::InstanceIdentity known;  ///< the engine's shard only
    std::unique_ptr<LineWriter> audit;
    std::mutex mutex;
    metadata::AgentStatus status;
    std::promise<void> stopped;
    Shard shard{"endpoints"};
    Scope scope{shard.executor()};
    std::unique_ptr<metadata::TaskServer> task_server;
    std::unique_ptr<metadata::IntrospectionServer> introspection;
    std::unique_ptr<metadata::ControlServer> control;  ///< none without a path
};

Endpoints::Endpoints(Parts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}
Endpoints::~Endpoints() = default;

void Endpoints::start() {
    Impl& self = *impl_;
    metadata::TaskServerOptions options;
    options.steady_rate = self.parts.config.metadata_steady_rate;
    options.burst = self.parts.config.metadata_burst;
    self.task_server =
        std::make_unique<metadata::TaskServer>(self.shard.executor(), self.clock, self.task_sources(), options);
    self.introspection =
        std::make_unique<metadata::IntrospectionServer>(self.shard.executor(), self.clock, self.introspection_source());
    if (!self.parts.config.control_socket.empty()) {
        metadata::ControlServer::Calls calls{.drain = self.parts.drain,
                                             .credentials = self.parts.instance_credentials,
                                             .logs = [&self](const std::string& id) { return self.log_places(id); }};
        self.control = std::make_unique<metadata::ControlServer>(self.shard.executor(), self.clock, std::move(calls),
                                                                 self.parts.config.control_socket);
    }
    asio::post(self.shard.executor(), [&self] {
        if (self.control) self.control->start();
        self.task_server->start();
        self.introspection->start();
    });
    self.shard.start();
}

void Endpoints::stop() {
    Impl& self = *impl_;
    asio::post(self.shard.executor(), [&self] { self.scope.spawn(Impl::stop_servers(self)); });
    if (self.stopped.get_future().wait_for(std::chrono::milliseconds(300)) != std::future_status::ready) {
        log::warn("local endpoints are still busy; they are cut off");
    }
    self.shard.stop();
}

asio::any_io_executor Endpoints::executor() const { return impl_->shard.executor(); }

void Endpoints::registered(Registered registered) {
    Impl& self = *impl_;
    self.known.cluster = std::move(registered.cluster);
    self.known.container_instance_arn = std::move(registered.container_instance_arn);
    if (!self.parts.config.task_metadata_az_disabled)
        self.known.availability_zone = std::move(registered.availability_zone);
    self.identity.publish(self.known);
}

void Endpoints::located(std::string vpc_id, std::string availability_zone_id) {
    Impl& self = *impl_;
    self.known.vpc_id = std::move(vpc_id);
    if (!self.parts.config.task_metadata_az_disabled) self.known.availability_zone_id = std::move(availability_zone_id);
    self.identity.publish(self.known);
}

void Endpoints::runtime_found(std::string name, std::string version) {
    impl_->update([&](metadata::AgentStatus& status) {
        status.runtime_name = std::move(name);
        status.runtime_version = std::move(version);
        status.runtime_reachable = true;
    });
}

void Endpoints::runtime_reachable(bool reachable) {
    impl_->update([&](metadata::AgentStatus& status) { status.runtime_reachable = reachable; });
}

void Endpoints::session(bool connected, WallTime since) {
    impl_->update([&](metadata::AgentStatus& status) {
        status.acs_connected = connected;
        status.acs_connected_since = connected ? std::optional(since) : std::nullopt;
    });
}

void Endpoints::telemetry(bool connected) {
    impl_->update([&](metadata::AgentStatus& status) { status.tcs_connected = connected; });
}

void Endpoints::draining(metadata::DrainReport report) {
    impl_->update([&](metadata::AgentStatus& status) { status.drain = std::move(report); });
}

}  // namespace nodeagent
