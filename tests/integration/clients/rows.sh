# Sourced by run: what the AWS CLI and curl do in the task, and the requests of programs that are not in Debian, with
# the fields asserted that each of them decodes.

v3='$ECS_CONTAINER_METADATA_URI' v4='$ECS_CONTAINER_METADATA_URI_V4' api='$ECS_AGENT_URI'
credentials='http://169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'
own='select(.DockerId == $id)'  # of the container that asks

aws_cli() {
    in_task /usr/bin/aws configure list | grep -Eq 'access_key .* container-role' || { echo "the role is not used"; return 1; }
    in_task sh -c '/usr/bin/aws ecs list-clusters --region us-west-2 --endpoint-url $CONTROL_PLANE' |
        holds '.clusterArns[0] | endswith("cluster/clients")'
}

with_curl() {
    from_task $credentials | holds 'keys_unsorted == ["RoleArn","AccessKeyId","SecretAccessKey","Token","Expiration"]
        and .RoleArn == "arn:aws:iam::123456789012:role/clients"' || return 1
    from_task '"http://169.254.170.2/v1/credentials?id=${AWS_CONTAINER_CREDENTIALS_RELATIVE_URI##*/}"' |
        holds '.AccessKeyId | length > 10' || return 1
    from_task $v3 | holds '.DockerId == $id and .Name == "main"' || return 1
    from_task $v3/task | holds '.TaskARN == $task and (.Containers | length) == 2' || return 1
    from_task $v4 | holds '.DockerId == $id and .Networks[0].IPv4Addresses[0] != ""' || return 1
    from_task $v4/task | holds '.TaskARN == $task and .LaunchType == "EC2"' || return 1
    from_task $v4/taskWithTags | holds '.TaskARN == $task' || return 1
    from_task $api/task-protection/v1/state -X PUT -d "'{\"ProtectionEnabled\":true,\"ExpiresInMinutes\":5}'" |
        holds '.protection.ProtectionEnabled and .protection.TaskArn == $task' || return 1
    from_task $api/task-protection/v1/state | holds '.protection.ExpirationDate != null' || return 1
    in_task sh -c 'cat $ECS_CONTAINER_METADATA_FILE' | holds '.ContainerID == $id and .MetadataFileStatus == "READY"'
}

# The fields of Docker's statistics that everybody reads. cgroup v2 has no max_usage, and its keys below `stats` differ.
statistics='(.read // "" | test("^20.*Z$")) and .id == $id and .cpu_stats.cpu_usage.total_usage > 0
    and .cpu_stats.cpu_usage.usage_in_kernelmode >= 0 and .cpu_stats.cpu_usage.usage_in_usermode >= 0
    and .cpu_stats.system_cpu_usage > 0 and .cpu_stats.online_cpus > 0
    and .memory_stats.usage > 0 and .memory_stats.limit == 805306368 and (.memory_stats.stats | length) > 10
    and (.networks.eth0 | .rx_bytes > 0 and .tx_packets > 0 and .rx_errors == 0 and .tx_dropped == 0)
    and (.blkio_stats | has("io_service_bytes_recursive"))'
# Agents take a sample a second at the latest; two make a rate.
with_curl_statistics() {
    until_true 5 stats_have .network_rate_stats
    from_task $v4/stats | holds "$statistics and .network_rate_stats.rx_bytes_per_sec >= 0" || return 1
    from_task $v3/stats | holds "$statistics and (has(\"network_rate_stats\") | not)"
}
stats_have() { from_task $v4/stats | jq -e "$1" >/dev/null 2>&1; }

telegraf() {
    from_task $v4/task | holds '.Cluster == "clients" and .Family == "clients" and .Revision != ""
        and .DesiredStatus == "RUNNING" and .KnownStatus == "RUNNING" and .Limits.CPU == 0.5 and .Limits.Memory == 1024
        and (.Containers[] | '"$own"' | .Image == "busybox:latest" and (.ImageID | startswith("sha256:"))
            and (.DockerName | startswith("ecs-clients-")) and .Labels["com.amazonaws.ecs.container-name"] == "main"
            and .Limits.CPU == 256 and .Limits.Memory == 768 and .Type == "NORMAL" and .Networks[0].NetworkMode == "bridge"
            and (.CreatedAt, .StartedAt | fromdateiso8601? // (sub("\\.[0-9]+"; "") | fromdateiso8601) > 0))'
}
telegraf_statistics() {
    until_true 5 stats_have .read
    from_task $v4/task/stats | holds '.[$id] | '"$statistics"' and .precpu_stats.cpu_usage.total_usage >= 0
        and .cpu_stats.throttling_data.periods >= 0'
}

# From the host, as the filter of a daemon on it: the instance, then the task of a container by twelve digits of its id.
fluent_bit() {
    curl -sSf -A Fluent-Bit http://127.0.0.1:51678/v1/metadata |
        holds '.Cluster == "clients" and (.ContainerInstanceArn | test(":container-instance/.+/[0-9a-f]{32}$"))
            and (.Version | test("^Amazon ECS Agent - v1\\."))' || return 1
    curl -sSf -A Fluent-Bit "http://127.0.0.1:51678/v1/tasks?dockerid=${main:0:12}" |
        holds '.Arn == $task and .Family == "clients" and .Version != ""
            and (.Containers[] | '"$own"' | .Name == "main" and (.DockerName | startswith("ecs-clients-")))'
}

opentelemetry() {
    from_task $v4/task | holds '.Cluster == "clients" and .TaskARN == $task and .LaunchType == "EC2" and .KnownStatus == "RUNNING"
        and has("AvailabilityZone") and .Limits.CPU == 0.5 and .Limits.Memory == 1024
        and (.Containers[] | '"$own"' | .Name == "main" and .DockerName != "" and .Image != "" and .ImageID != ""
            and .CreatedAt != null and .StartedAt != null and .KnownStatus == "RUNNING" and .Limits.Memory == 768)'
}
opentelemetry_statistics() {
    until_true 5 stats_have .network_rate_stats
    from_task $v4/task/stats | holds '.[$id] | '"$statistics"' and .name != "" and .preread < .read
        and .precpu_stats.cpu_usage.total_usage > 0 and .network_rate_stats.tx_bytes_per_sec >= 0'
}

# Introspection at the container's default gateway, as its agent in a container finds it; then the task server.
datadog() {
    from_task "http://$gateway:51678/" | holds '.AvailableCommands | length > 0' || return 1
    from_task "http://$gateway:51678/v1/metadata" | holds '.Cluster == "clients" and .Version != ""' || return 1
    from_task "http://$gateway:51678/v1/tasks" | holds '.Tasks[] | .Arn == $task and .DesiredStatus == "RUNNING"
        and .KnownStatus == "RUNNING" and .Family == "clients" and (.Containers[] | '"$own"' | .Name == "main")' || return 1
    from_task $v4 | holds '.DockerId == $id and .KnownStatus == "RUNNING"' || return 1
    local path
    for path in task taskWithTags; do
        from_task $v4/$path | holds '.Cluster == "clients" and .TaskARN == $task and .LaunchType == "EC2"
            and (.Containers[] | '"$own"' | .LogDriver == "json-file" and (.ContainerARN | startswith("arn:aws:ecs:"))
                and (.Ports[0] | .ContainerPort == 8080 and .Protocol == "tcp" and .HostPort > 0)
                and (.Volumes | map(.Destination) | index("/clients") != null))' || return 1
    done
}
datadog_statistics() {
    until_true 5 stats_have .read
    from_task $v4/stats | holds "$statistics"
}
