#include "agent/credentials/instance_facts.hpp"

#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace nodeagent::credentials {

namespace {

Result<std::string> wait_for(asio::awaitable<Result<std::string>> call) {
    asio::io_context loop{1};
    std::optional<Result<std::string>> outcome;
    asio::co_spawn(loop, std::move(call), [&outcome](const std::exception_ptr& failure, Result<std::string> answer) {
        if (failure) std::rethrow_exception(failure);
        outcome = std::move(answer);
    });
    loop.run();
    return std::move(*outcome);
}

asio::awaitable<Result<std::string>> region_of_identity(Imds& imds) {
    const Result<InstanceIdentity> identity = co_await imds.identity();
    if (!identity) co_return identity.error();
    co_return identity->region;
}

}  // namespace

InstanceFacts::InstanceFacts(net::HttpClient& http, Clock& clock, ImdsOptions options)
    : imds_(http, clock, std::move(options)) {}

Result<std::string> InstanceFacts::user_data() { return wait_for(imds_.user_data()); }
Result<std::string> InstanceFacts::identity_region() { return wait_for(region_of_identity(imds_)); }
Result<std::string> InstanceFacts::placement_region() { return wait_for(imds_.region()); }

}  // namespace nodeagent::credentials
