#pragma once
// The log driver awslogs: a stream of CloudWatch Logs, by GetLogEvents.

#include <memory>
#include <string>

#include "agent/cli/logs/source.hpp"
#include "agent/net/aws_client.hpp"

namespace nodeagent::cli {

struct LogStreamPlace {
    std::string group, stream;
    std::string region;
    std::string endpoint;  ///< without a slash at the end
};

/// NotFound while there is no such group or stream; Denied names the missing permission and whose it is. `transport` is
/// of the shard and outlives the source.
[[nodiscard]] std::unique_ptr<LogSource> cloudwatch_source(net::AwsTransport transport, LogStreamPlace place,
                                                           LogWindow window);

}  // namespace nodeagent::cli
