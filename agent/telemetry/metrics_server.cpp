#include "agent/telemetry/metrics_server.hpp"

#include <optional>
#include <string>
#include <utility>

#include "agent/base/gzip_writer.hpp"
#include "agent/base/scope.hpp"
#include "agent/telemetry/collector.hpp"
#include "agent/telemetry/exposition.hpp"
#include "agent/telemetry/scrape_targets.hpp"

namespace nodeagent::telemetry {

namespace {

using namespace std::chrono_literals;
using Work = std::optional<asio::awaitable<void>>;

constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
constexpr auto kAgainAfter = 1s;

}  // namespace

struct MetricsServer::Impl final : metadata::Handler {
    Impl(asio::any_io_executor shard, Clock& time, MetricsSources from, metadata::ListenerOptions options)
        : sources(std::move(from)),
          clock(time),
          scope(shard),
          listener(shard, time, *this, "metrics", std::move(options)) {}

    Work handle(const metadata::Request& request, metadata::Response& answer) override {
        const bool metrics = request.path == "/metrics";
        if (!metrics && request.path != "/sd") {
            answer = metadata::not_found();
            return std::nullopt;
        }
        if (request.method != "GET" && request.method != "HEAD") {
            answer.status = 405;
            answer.headers.emplace_back("Allow", "GET, HEAD");
            return std::nullopt;
        }
        if (metrics) return tell_metrics(request.accepts_gzip(), answer);
        auto address = host_part(request.host);
        if (!address) {
            answer.status = 400;
            answer.body = "the Host header must name this machine as the scraper reaches it\n";
            return std::nullopt;
        }
        return tell_targets(*std::move(address), answer);
    }

    asio::awaitable<void> tell_metrics(bool gzip, metadata::Response& answer) {
        answer.content_type = kMetricsType;
        if (gzip) answer.headers.emplace_back("Content-Encoding", "gzip");
        answer.headers.emplace_back("Vary", "Accept-Encoding");
        if (!fresh) {
            const AgentFigures figures = co_await sources.figures();
            if (!fresh) render(figures);  // not if another scrape was as quick
        }
        if (gzip && !compressed) compressed = gzipped(*fresh);
        answer.shared_body = gzip ? compressed : fresh;
    }

    static std::shared_ptr<const std::string> gzipped(std::string_view text) {
        GzipWriter writer;
        writer.append(text);
        return std::make_shared<const std::string>(writer.finish());
    }

    asio::awaitable<void> tell_targets(std::string address, metadata::Response& answer) {
        const AgentFigures figures = co_await sources.figures();
        answer = metadata::json_response(scrape_targets(*sources.snapshots.current(), address, figures.cluster));
    }

    void render(const AgentFigures& figures) {
        UsageById usage;
        auto version = cgroups::Version::V1;
        std::optional<Collector::Counters> sampling;
        if (sources.collector != nullptr) {
            sources.collector->sample_on_demand();
            // copies: other readers are not held up while text is written
            sources.collector->each([&](const Reading& one) { usage.emplace(one.container.docker_id, one.now); });
            sampling = sources.collector->counters();
            version = sources.collector->version();
        }
        const auto snapshot = sources.snapshots.current();
        const ProcessUse process = process_use();
        const model::HostConditions host = sources.host();
        fresh = std::make_shared<const std::string>(exposition({.snapshot = *snapshot,
                                                                .usage = usage,
                                                                .version = version,
                                                                .sampling = sampling,
                                                                .steps = sources.steps,
                                                                .figures = figures,
                                                                .process = process,
                                                                .host = host}));
        scope.spawn(forget());
    }

    asio::awaitable<void> forget() {
        co_await clock.sleep_for(kAgainAfter);
        fresh.reset();
        compressed.reset();
    }

    static asio::awaitable<void> stop(Impl& self) {
        co_await self.listener.stop();
        self.scope.cancel();
        co_await self.scope.drain();
    }

    MetricsSources sources;
    Clock& clock;
    std::shared_ptr<const std::string> fresh;       ///< the text, for a second after it was made
    std::shared_ptr<const std::string> compressed;  ///< the same, once somebody asked for gzip
    Scope scope;
    metadata::Listener listener;
};

MetricsServer::MetricsServer(asio::any_io_executor shard, Clock& clock, MetricsSources sources,
                             metadata::ListenerOptions options)
    : impl_(std::make_unique<Impl>(std::move(shard), clock, std::move(sources), std::move(options))) {}
MetricsServer::~MetricsServer() = default;

void MetricsServer::start() { impl_->listener.start(); }
asio::awaitable<void> MetricsServer::stop() { return Impl::stop(*impl_); }
std::uint16_t MetricsServer::port() const { return impl_->listener.port(); }

metadata::ListenerOptions metrics_listener(const std::string& address, std::uint16_t port) {
    metadata::ListenerOptions options{.addresses = {"::", "0.0.0.0"},
                                      .port = port,
                                      .write_timeout = 10s,
                                      .max_connections = 16,
                                      .header_limit = 16384,
                                      .body_limit = 4096,
                                      .buffer_limit = std::size_t{1} << 20U};
    if (!address.empty()) options.addresses = {address};
    return options;
}

}  // namespace nodeagent::telemetry
