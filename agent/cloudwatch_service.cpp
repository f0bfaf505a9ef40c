#include "agent/cloudwatch_service.hpp"

#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/aws_clients.hpp"
#include "agent/base/log.hpp"
#include "agent/base/scope.hpp"
#include "agent/telemetry/collector.hpp"

namespace nodeagent {

namespace {

/// The agent's credentials belong to the main shard.
class CredentialsOfMain final : public credentials::Provider {
  public:
    CredentialsOfMain(asio::any_io_executor main, credentials::Provider& there)
        : main_(std::move(main)), there_(there) {}
    asio::awaitable<Result<credentials::AwsCredentials>> get() override {
        auto work = there_.get();
        co_return co_await asio::co_spawn(main_, std::move(work), asio::use_awaitable);
    }
    void invalidate() override {
        asio::post(main_, [this] { there_.invalidate(); });
    }

  private:
    asio::any_io_executor main_;
    credentials::Provider& there_;
};

telemetry::CloudWatch::Options options_from(const CloudWatchService::Parts& parts) {
    const config::Config& config = parts.config;
    telemetry::CloudWatch::Options options;
    options.cluster = config.cluster.substr(config.cluster.rfind('/') + 1);  // may be an ARN
    options.detailed = config.cloudwatch_metrics == config::CloudWatchMetrics::Detailed;
    options.version = parts.collector.version();
    options.interval = telemetry::sampling(config.poll_metrics.enabled(), config.poll_metrics_wait).interval;
    options.service = parts.aws.cloudwatch;
    return options;
}

}  // namespace

struct CloudWatchService::Impl {
    explicit Impl(Parts parts)
        : shard(parts.telemetry),
          credentials(parts.main, *parts.aws.provider),
          publisher(
              shard, options_from(parts), [&collector = parts.collector](const auto& visit) { collector.each(visit); },
              parts.snapshots, net::AwsTransport{.http = parts.aws.http, .credentials = credentials, .clock = clock}),
          scope(shard) {
        log::info("metrics are sent to CloudWatch", {{"endpoint", parts.aws.cloudwatch.endpoint}});
    }

    asio::any_io_executor shard;
    SystemClock clock;
    CredentialsOfMain credentials;
    telemetry::CloudWatch publisher;
    Scope scope;
};

CloudWatchService::CloudWatchService(Parts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}
CloudWatchService::~CloudWatchService() = default;

void CloudWatchService::start() {
    asio::post(impl_->shard, [self = impl_.get()] {
        self->scope.spawn(self->publisher.look());
        self->scope.spawn(self->publisher.send());
    });
}

asio::awaitable<void> CloudWatchService::finish(std::chrono::nanoseconds limit) {
    auto work = impl_->publisher.finish(limit);
    co_await asio::co_spawn(impl_->shard, std::move(work), asio::use_awaitable);
}

telemetry::CloudWatch::Counters CloudWatchService::counters() const { return impl_->publisher.counters(); }

}  // namespace nodeagent
