#include "metadata/task_server.hpp"

#include <array>
#include <cstdio>

#include "agent/model/snapshot.hpp"
#include "metadata/associations.hpp"
#include "metadata/audit_log.hpp"
#include "metadata/credentials_endpoint.hpp"
#include "metadata/document_cache.hpp"
#include "metadata/instance_identity.hpp"
#include "metadata/rate_limit.hpp"
#include "metadata/router.hpp"
#include "metadata/stats_routes.hpp"
#include "metadata/task_metadata_v2.hpp"
#include "metadata/task_metadata_v3.hpp"
#include "metadata/task_metadata_v4.hpp"

namespace nodeagent::metadata {

namespace {

using Work = std::optional<asio::awaitable<void>>;

std::string two_decimals(int rate) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%d.00", rate);
    return text.data();
}

}  // namespace

struct TaskServer::Impl final : Handler {
    Impl(asio::any_io_executor shard, Clock& time, TaskServerSources from, TaskServerOptions options)
        : clock(time),
          sources(std::move(from)),
          limit(options.steady_rate, options.burst),
          limit_headers("X-Rate-Limit-Duration: 1\r\nX-Rate-Limit-Limit: " + two_decimals(options.steady_rate) +
                        "\r\nX-Rate-Limit-Request-Forwarded-For: "),
          listener(std::move(shard), time, *this, "task server", std::move(options.listener)) {
        add_credentials_routes();
        add_v2_routes();
        add_v3_routes();
        add_v4_routes();
        add_protection_routes();
    }

    Work handle(const Request& request, Response& answer) override {
        if (auto redirect = redirect_to_clean_path(request)) {
            answer = std::move(*redirect);
            return std::nullopt;
        }
        if (!limit.allow(request.peer->address, request.path, clock.now().steady)) {
            answer.status = 429;
            answer.content_type = kTextType;
            answer.body = "You have reached maximum request limit.";
            audit(request, answer.status, nullptr);
            return std::nullopt;
        }
        return router.route(request, answer);
    }

    [[nodiscard]] bool reads_body(std::string_view method) const override { return method == "PUT"; }

    void write_common_headers(const Request& request, const Response& answer, std::string& out) const override {
        if (answer.status == 301) return;  // paths are cleaned before the limiter sees them
        out.append(limit_headers);
        for (const char c : request.forwarded_for) out += c == '\r' || c == '\n' ? ' ' : c;
        out.append("\r\nX-Rate-Limit-Request-Remote-Addr: ").append(request.peer->ip_and_port).append("\r\n");
    }

    void audit(const Request& request, unsigned status, const credentials::TaskRoleCredentials* granted) const {
        if (!sources.audit) return;
        sources.audit(audit_line(clock.now().wall, request, status, granted, *sources.identity.current()));
    }

    void answer_credentials(const Request& request, int version, const std::string& id, Response& answer) const {
        CredentialsReply reply = credentials_reply(sources.credentials, version, id);
        audit(request, reply.response.status, reply.granted.get());
        answer = std::move(reply.response);
    }

    // A route whose answer is at hand. `make`: (Request, Captures) -> Response
    template <class Make>
    void add(std::string pattern, Make make) {
        router.add(std::move(pattern), "", [make](const Request& request, Captures captures, Response& answer) -> Work {
            answer = make(request, captures);
            return std::nullopt;
        });
    }

    void add_credentials_routes();
    void add_v2_routes();
    void add_v3_routes();
    void add_v4_routes();
    void add_protection_routes();
    void add_association_routes(const std::string& prefix, int version);

    static asio::awaitable<void> with_v2_tags(const Impl& self, const Request& request, Response& answer);
    static asio::awaitable<void> with_v3_tags(const Impl& self, Captures captures, Response& answer);
    static asio::awaitable<void> with_v4_tags(const Impl& self, Captures captures, Response& answer);
    static asio::awaitable<Tags> fetch_tags(const Impl& self, std::string instance_arn, std::string task_arn,
                                            std::string container);
    static asio::awaitable<void> protect(const Impl& self, ProtectionCall call, Response& answer);

    Clock& clock;
    TaskServerSources sources;
    Router router;
    RateLimit limit;
    std::string limit_headers;  ///< up to the value of the first that differs between requests
    DocumentCache documents;
    Listener listener;
};

void TaskServer::Impl::add_credentials_routes() {
    router.add("/v1/credentials", "", [this](const Request& request, Captures, Response& answer) -> Work {
        answer_credentials(request, 1, request.parameter("id"), answer);
        return std::nullopt;
    });
    router.add("/v2/credentials/**", "", [this](const Request& request, Captures captures, Response& answer) -> Work {
        answer_credentials(request, 2, std::string(captures[0]), answer);
        return std::nullopt;
    });
}

void TaskServer::Impl::add_v2_routes() {
    const auto task = [this](const Request& request, Captures) {
        return v2_task(*sources.snapshots.current(), request.peer->ip, *sources.identity.current(), nullptr);
    };
    const auto task_stats = [this](const Request& request, Captures) {
        return v2_task_stats(*sources.snapshots.current(), sources.stats, request.peer->ip);
    };
    const RouteHandler tagged = [this](const Request& request, Captures, Response& answer) -> Work {
        return with_v2_tags(*this, request, answer);
    };
    add("/v2/metadata/++", [this](const Request& request, Captures captures) {
        return v2_container(*sources.snapshots.current(), request.peer->ip, std::string(captures[0]));
    });
    add("/v2/metadata", task);
    router.add("/v2/metadataWithTags", "", tagged);
    add("/v2/metadata/", task);
    router.add("/v2/metadataWithTags/", "", tagged);
    add("/v2/stats/++", [this](const Request& request, Captures captures) {
        return v2_container_stats(*sources.snapshots.current(), sources.stats, request.peer->ip,
                                  std::string(captures[0]));
    });
    add("/v2/stats", task_stats);
    add("/v2/stats/", task_stats);
}

void TaskServer::Impl::add_association_routes(const std::string& prefix, int version) {
    add(prefix + "/*/associations/*", [this, version](const Request&, Captures captures) {
        return associations_of_type(*sources.snapshots.current(), version, captures[0], captures[1]);
    });
    add(prefix + "/*/associations/*/", [this, version](const Request&, Captures captures) {
        return association(*sources.snapshots.current(), version, captures[0], captures[1], "");
    });
    add(prefix + "/*/associations/*/++", [this, version](const Request&, Captures captures) {
        return association(*sources.snapshots.current(), version, captures[0], captures[1], captures[2]);
    });
}

void TaskServer::Impl::add_v3_routes() {
    add("/v3/*",
        [this](const Request&, Captures captures) { return v3_container(*sources.snapshots.current(), captures[0]); });
    add("/v3/*/task", [this](const Request&, Captures captures) {
        return v3_task(*sources.snapshots.current(), captures[0], *sources.identity.current(), nullptr);
    });
    router.add("/v3/*/taskWithTags", "", [this](const Request&, Captures captures, Response& answer) -> Work {
        return with_v3_tags(*this, captures, answer);
    });
    add("/v3/*/stats", [this](const Request&, Captures captures) {
        return v3_container_stats(*sources.snapshots.current(), sources.stats, captures[0]);
    });
    add("/v3/*/task/stats", [this](const Request&, Captures captures) {
        return v3_task_stats(*sources.snapshots.current(), sources.stats, captures[0]);
    });
    add_association_routes("/v3", 3);
}

void TaskServer::Impl::add_v4_routes() {
    add("/v4/*",
        [this](const Request&, Captures captures) { return v4_container(*sources.snapshots.current(), captures[0]); });
    router.add("/v4/*/task", "", [this](const Request&, Captures captures, Response& answer) -> Work {
        const auto snapshot = sources.snapshots.current();
        const auto* key = find_endpoint(*snapshot, captures[0]);
        if (key == nullptr) {
            answer = v4_unknown_task(captures[0]);
            return std::nullopt;
        }
        answer.content_type = kJsonType;
        answer.shared_body = documents.task_document(snapshot, sources.identity.current(), key->task);
        return std::nullopt;
    });
    router.add("/v4/*/taskWithTags", "", [this](const Request&, Captures captures, Response& answer) -> Work {
        return with_v4_tags(*this, captures, answer);
    });
    add("/v4/*/stats", [this](const Request&, Captures captures) {
        return v4_container_stats(*sources.snapshots.current(), sources.stats, captures[0]);
    });
    add("/v4/*/task/stats", [this](const Request&, Captures captures) {
        return v4_task_stats(*sources.snapshots.current(), sources.stats, captures[0]);
    });
    add_association_routes("/v4", 4);
}

void TaskServer::Impl::add_protection_routes() {
    const auto route = [this](const Request& request, Captures captures, Response& answer) -> Work {
        std::optional<std::string_view> body;
        if (request.method == "PUT") body = request.body;
        ProtectionStep step = plan_protection(*sources.snapshots.current(), sources.credentials, captures[0], body);
        if (step.answer) {
            answer = std::move(*step.answer);
            return std::nullopt;
        }
        return protect(*this, std::move(step.call), answer);
    };
    router.add("/api/*/task-protection/v1/state", "PUT", route);
    router.add("/api/*/task-protection/v1/state", "GET", route);
}

// Instance first, as the reference calls. What fails is left out of the document, and named in v4's.
asio::awaitable<Tags> TaskServer::Impl::fetch_tags(const Impl& self, std::string instance_arn, std::string task_arn,
                                                   std::string container) {
    Tags tags;
    if (!self.sources.tags) co_return tags;
    using Fetched = Result<std::map<std::string, std::string>>;
    asio::awaitable<Fetched> instance_call = self.sources.tags(instance_arn, container);
    Fetched instance = co_await std::move(instance_call);
    if (instance) {
        tags.container_instance = std::move(*instance);
    } else {
        tags.failures.push_back({.field = "ContainerInstanceTags",
                                 .message = instance.error().what,
                                 .resource_arn = std::move(instance_arn)});
    }
    asio::awaitable<Fetched> task_call = self.sources.tags(task_arn, container);
    Fetched task = co_await std::move(task_call);
    if (task) {
        tags.task = std::move(*task);
    } else {
        tags.failures.push_back(
            {.field = "TaskTags", .message = task.error().what, .resource_arn = std::move(task_arn)});
    }
    co_return tags;
}

asio::awaitable<void> TaskServer::Impl::with_v2_tags(const Impl& self, const Request& request, Response& answer) {
    const auto snapshot = self.sources.snapshots.current();
    const auto identity = self.sources.identity.current();
    const auto task = task_at(*snapshot, request.peer->ip);
    Tags tags;
    if (task != nullptr && !task->containers.empty()) {
        tags = co_await fetch_tags(self, identity->container_instance_arn, task->arn, std::string());
    }
    answer = v2_task(*snapshot, request.peer->ip, *identity, &tags);
}

asio::awaitable<void> TaskServer::Impl::with_v3_tags(const Impl& self, Captures captures, Response& answer) {
    const auto snapshot = self.sources.snapshots.current();
    const auto identity = self.sources.identity.current();
    const auto* key = find_endpoint(*snapshot, captures[0]);
    Tags tags;
    if (key != nullptr) {
        tags = co_await fetch_tags(self, identity->container_instance_arn, key->task->arn, std::string());
    }
    answer = v3_task(*snapshot, captures[0], *identity, &tags);
}

asio::awaitable<void> TaskServer::Impl::with_v4_tags(const Impl& self, Captures captures, Response& answer) {
    const auto snapshot = self.sources.snapshots.current();
    const auto identity = self.sources.identity.current();
    const auto* key = find_endpoint(*snapshot, captures[0]);
    Tags tags;
    if (key != nullptr) {
        tags = co_await fetch_tags(self, identity->container_instance_arn, key->task->arn, key->container().name);
    }
    answer = v4_task(*snapshot, captures[0], *identity, &tags);
}

asio::awaitable<void> TaskServer::Impl::protect(const Impl& self, ProtectionCall call, Response& answer) {
    const std::string task_arn = call.task_arn;
    if (!self.sources.protection) {
        net::ServiceError unreachable;
        unreachable.message = "the ECS API cannot be called by this agent";
        answer = protection_response(task_arn, unreachable);
        co_return;
    }
    asio::awaitable<net::ServiceResult<ProtectionAnswer>> pending = self.sources.protection(std::move(call));
    const net::ServiceResult<ProtectionAnswer> outcome = co_await std::move(pending);
    answer = protection_response(task_arn, outcome);
}

TaskServer::TaskServer(asio::any_io_executor shard, Clock& clock, TaskServerSources sources, TaskServerOptions options)
    : impl_(std::make_unique<Impl>(std::move(shard), clock, std::move(sources), std::move(options))) {}
TaskServer::~TaskServer() = default;

void TaskServer::start() { impl_->listener.start(); }
asio::awaitable<void> TaskServer::stop() { return impl_->listener.stop(); }
std::uint16_t TaskServer::port() const { return impl_->listener.port(); }

}  // namespace nodeagent::metadata
