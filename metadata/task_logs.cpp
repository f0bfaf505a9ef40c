#include "metadata/task_logs.hpp"

#include "metadata/go_json.hpp"

namespace nodeagent::metadata {

Response task_logs_document(const TaskLogs& logs) {
    JsonWriter out;
    out.begin_object();
    out.member("task", logs.arn);
    out.member("known", logs.known);
    out.member("runtime", logs.runtime);
    out.member_unless_empty("dockerHost", logs.docker_host);
    out.member_unless_empty("dockerCertPath", logs.docker_cert_path);
    if (logs.docker_tls_verify) out.member("dockerTlsVerify", true);
    out.key("containers");
    out.begin_array();
    for (const ContainerLogs& container : logs.containers) {
        out.begin_object();
        out.member("name", container.name);
        out.member("containerId", container.container_id);
        out.member("known", container.known);
        out.member("internal", container.internal);
        out.member("driver", container.driver);
        out.member_unless_empty("path", container.path);
        out.member_unless_empty("group", container.group);
        out.member_unless_empty("stream", container.stream);
        out.member_unless_empty("region", container.region);
        out.member_unless_empty("endpoint", container.endpoint);
        out.member_unless_empty("problem", container.problem);
        out.end_object();
    }
    out.end_array();
    out.end_object();
    return json_response(std::move(out).text());
}

}  // namespace nodeagent::metadata
