#include "agent/ecs/poll_endpoint.hpp"

#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/base/log.hpp"

namespace nodeagent::ecs {

namespace {
constexpr std::chrono::hours kLifetime{12};
constexpr std::chrono::seconds kDeadline{126};  // three attempts of 42 s
}  // namespace

PollEndpointCache::PollEndpointCache(ApiClient& api, Clock& clock, asio::any_io_executor shard, std::string cluster)
    : api_(api),
      clock_(clock),
      cluster_(std::move(cluster)),
      freed_(std::move(shard), asio::steady_timer::time_point::max()) {}

asio::awaitable<Result<model::PollEndpoints>> PollEndpointCache::get(std::string container_instance_arn) {
    while (busy_) {
        boost::system::error_code woken;
        co_await freed_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    if (const auto found = entries_.find(container_instance_arn);
        found != entries_.end() && clock_.now().steady < found->second.expires) {
        co_return found->second.endpoints;
    }
    struct Busy {
        PollEndpointCache& cache;
        ~Busy() {
            cache.busy_ = false;
            cache.freed_.cancel();  // wakes all; the first to run goes on
        }
    };
    busy_ = true;
    const Busy busy{*this};
    co_return co_await ask(std::move(container_instance_arn));
}

asio::awaitable<Result<model::PollEndpoints>> PollEndpointCache::ask(std::string container_instance_arn) {
    model::DiscoverPollEndpointRequest request;
    request.cluster = cluster_;
    request.container_instance = container_instance_arn;
    const SteadyTime deadline = clock_.now().steady + kDeadline;
    auto answer = co_await api_.discover_poll_endpoint(std::move(request), deadline);
    if (answer) {
        Entry entry;
        entry.endpoints = *answer;
        entry.expires = clock_.now().steady + kLifetime;
        entries_[container_instance_arn] = std::move(entry);
        co_return std::move(*answer);
    }
    Error error = net::to_error("discover poll endpoint", answer.error());
    if (const auto expired = entries_.find(container_instance_arn); expired != entries_.end()) {
        log::warn("using expired poll endpoints", {{"error", error.what}});
        co_return expired->second.endpoints;
    }
    co_return error;
}

}  // namespace nodeagent::ecs
