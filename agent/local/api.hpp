#pragma once
// The operations of the ECS API, one file per group. Each takes the request document and answers a document or the
// error the service gives. All run on the server's shard.

#include <string>
#include <string_view>

#include "agent/local/channels.hpp"
#include "agent/local/credential_issuer.hpp"
#include "agent/local/errors.hpp"
#include "agent/local/state.hpp"

namespace nodeagent::local {

struct Api {
    State& state;
    Channels& channels;
    CredentialIssuer& issuer;
    double now;        ///< epoch seconds
    std::string base;  ///< "http://host:port" as the client reached us: the websockets are there too
};

// api_clusters.cpp
ApiResult create_cluster(Api& api, const Json& request);
ApiResult describe_clusters(Api& api, const Json& request);
ApiResult list_clusters(Api& api, const Json& request);
ApiResult delete_cluster(Api& api, const Json& request);

// api_task_definitions.cpp
ApiResult register_task_definition(Api& api, const Json& request);
ApiResult describe_task_definition(Api& api, const Json& request);
ApiResult list_task_definitions(Api& api, const Json& request);
ApiResult list_task_definition_families(Api& api, const Json& request);
ApiResult deregister_task_definition(Api& api, const Json& request);

// api_run_task.cpp
ApiResult run_task(Api& api, const Json& request);
ApiResult start_task(Api& api, const Json& request);

// api_tasks.cpp
ApiResult stop_task(Api& api, const Json& request);
ApiResult describe_tasks(Api& api, const Json& request);
ApiResult list_tasks(Api& api, const Json& request);
ApiResult get_task_protection(Api& api, const Json& request);
ApiResult update_task_protection(Api& api, const Json& request);

// api_container_instances.cpp
ApiResult describe_container_instances(Api& api, const Json& request);
ApiResult list_container_instances(Api& api, const Json& request);
ApiResult deregister_container_instance(Api& api, const Json& request);
ApiResult update_container_instances_state(Api& api, const Json& request);

// api_agent.cpp: what agents call
ApiResult discover_poll_endpoint(Api& api, const Json& request);
ApiResult register_container_instance(Api& api, const Json& request);
ApiResult submit_task_state_change(Api& api, const Json& request);
ApiResult submit_container_state_change(Api& api, const Json& request);
ApiResult submit_attachment_state_changes(Api& api, const Json& request);

// api_tags.cpp
ApiResult tag_resource(Api& api, const Json& request);
ApiResult untag_resource(Api& api, const Json& request);
ApiResult list_tags_for_resource(Api& api, const Json& request);

// api_attributes.cpp
ApiResult put_attributes(Api& api, const Json& request);
ApiResult delete_attributes(Api& api, const Json& request);
ApiResult list_attributes(Api& api, const Json& request);

}  // namespace nodeagent::local
