#pragma once
// DiscoverPollEndpoint with its cache (control-plane.md 3.3), shared by ACS and TCS sessions. Lives on one shard.

#include <map>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agent/ecs/api_client.hpp"

namespace nodeagent::ecs {

class PollEndpointCache {
  public:
    PollEndpointCache(ApiClient& api, Clock& clock, asio::any_io_executor shard, std::string cluster);

    /// Answers from the cache for 12 h. When the service then fails, the expired answer serves on; without one, its
    /// error. Calls queue behind each other. Check the member you need: a missing one is "".
    asio::awaitable<Result<model::PollEndpoints>> get(std::string container_instance_arn);

  private:
    struct Entry {
        model::PollEndpoints endpoints;
        SteadyTime expires;
    };
    asio::awaitable<Result<model::PollEndpoints>> ask(std::string container_instance_arn);

    ApiClient& api_;
    Clock& clock_;
    std::string cluster_;
    std::map<std::string, Entry> entries_;
    bool busy_ = false;
    asio::steady_timer freed_;
};

}  // namespace nodeagent::ecs
