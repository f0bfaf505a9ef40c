#pragma once
// EC2 DescribeTags for the tags of this instance, over the query protocol.

#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "agent/base/error.hpp"
#include "agent/model/ecs_api.hpp"
#include "agent/net/aws_client.hpp"

namespace nodeagent::ecs {

namespace asio = boost::asio;

/// One page of at most 50. `ec2` signs for "ec2" and makes up to five attempts (net::standard_retries(5)).
asio::awaitable<Result<std::vector<model::Tag>>> describe_instance_tags(net::AwsClient& ec2, std::string instance_id);

/// The tags of a DescribeTagsResponse; Malformed when it is not one.
[[nodiscard]] Result<std::vector<model::Tag>> parse_describe_tags(std::string_view xml);

}  // namespace nodeagent::ecs
