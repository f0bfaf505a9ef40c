#pragma once
// The operations of the CloudWatch API, one file each. Requests and answers are JSON documents as the service's model
// names their members, whatever protocol they came in; timestamps in answers are epoch seconds.

#include "agent/base/clock.hpp"
#include "agent/base/json.hpp"
#include "agent/local/cloudwatch/metric_store.hpp"
#include "agent/local/errors.hpp"

namespace nodeagent::local {

struct CloudWatch {
    MetricStore& metrics;
    WallTime now;
};

ApiResult put_metric_data(CloudWatch& cloudwatch, const Json& request);
ApiResult get_metric_statistics(CloudWatch& cloudwatch, const Json& request);
ApiResult get_metric_data(CloudWatch& cloudwatch, const Json& request);
ApiResult list_metrics(CloudWatch& cloudwatch, const Json& request);

}  // namespace nodeagent::local
