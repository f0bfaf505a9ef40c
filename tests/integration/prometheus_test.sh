#!/bin/bash
# Debian's Prometheus scrapes the agent, and a task's container that it finds through /sd, on real containers.
#   ECS_LOCAL    the ecs-local program
#   AGENT, NODE  the ecs-node-agent and ecs-node programs
#   NODEAGENT_TEST_DOCKER or DOCKER_HOST
#                the Docker daemon (default unix:///var/run/docker.sock); it has the image busybox:latest
# Needs root, prometheus, promtool, curl and jq. Takes the agent's fixed ports 51678, 51679 and 51680.
set -eu -o pipefail

: "${ECS_LOCAL:?set it to the ecs-local program}" "${AGENT:?set it to the ecs-node-agent program}"
: "${NODE:?set it to the ecs-node program}"
socket=${NODEAGENT_TEST_DOCKER:-${DOCKER_HOST:-unix:///var/run/docker.sock}}
for program in prometheus promtool curl jq docker; do
    command -v "$program" >/dev/null || { echo "FAIL: $program is not installed" >&2; exit 1; }
done

work=$(mktemp -d)
pids=()
finish() {
    status=$?
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    docker --host "$socket" ps -aq --filter label=com.amazonaws.ecs.cluster=prometheus-test |
        xargs -r docker --host "$socket" rm -f >/dev/null 2>&1 || true
    [ "$status" -eq 0 ] || tail -n 30 "$work"/*.log >&2
    rm -rf "$work"
}
trap finish EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }

# until_true SECONDS COMMAND...: asks again until it succeeds; the time is a limit, not a wait.
until_true() {
    local deadline=$((SECONDS + $1)); shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.05
    done
}

"$ECS_LOCAL" --listen 127.0.0.1:0 --data "$work/control-plane" --cluster prometheus-test >"$work/local.out" 2>"$work/local.log" &
pids+=($!)
until_true 10 grep -q 'http://' "$work/local.out" || fail "ecs-local did not start"
endpoint=$(grep -o 'http://[0-9.:]*' "$work/local.out")
ecs() {
    curl -sSf --max-time 10 "$endpoint/" --aws-sigv4 aws:amz:us-west-2:ecs --user key:secret \
        -H 'Content-Type: application/x-amz-json-1.1' -H "X-Amz-Target: AmazonEC2ContainerServiceV20141113.$1" -d "$2"
}

mkdir "$work/agent"
echo '{"NoIID": true}' >"$work/agent.json"
env -i PATH="$PATH" ECS_CLUSTER=prometheus-test ECS_BACKEND_HOST="$endpoint" DOCKER_HOST="$socket" \
    AWS_DEFAULT_REGION=us-west-2 AWS_ACCESS_KEY_ID=key AWS_SECRET_ACCESS_KEY=secret AWS_EC2_METADATA_DISABLED=true \
    ECS_AGENT_CONFIG_FILE_PATH="$work/agent.json" ECS_DATADIR="$work/agent" ECS_AUDIT_LOGFILE="$work/agent/audit.log" \
    ECS_IMAGE_PULL_BEHAVIOR=prefer-cached ECS_CONTAINER_STOP_TIMEOUT=2s ECS_ENABLE_PROMETHEUS_METRICS=true \
    "$AGENT" >"$work/agent.log" 2>&1 &
pids+=($!)
connected() { [ "$(curl -sf "$endpoint/health" | jq .agentsConnected)" = 1 ]; }
until_true 15 connected || fail "the agent did not connect"

metrics=http://127.0.0.1:51680
until_true 10 curl -sf -o "$work/metrics" "$metrics/metrics" || fail "port 51680 does not answer"
grep -q '^ecs_agent_session_connected{session="acs"} 1$' "$work/metrics" || fail "the session is not shown as connected"
[ "$(curl -s -o /dev/null -w '%{http_code}' "$metrics/nothing")" = 404 ] || fail "/nothing is not 404"
[ "$(curl -s -o /dev/null -w '%{http_code}' -X POST "$metrics/metrics")" = 405 ] || fail "POST is not 405"
[ "$(curl -sf "$metrics/sd")" = '[]' ] || fail "there are targets without a task"
"$NODE" status | grep -q '^disk (docker): ' || fail "ecs-node status does not show Docker's disk"

# A web server that shows one metric of its own, and asks to be scraped.
ecs RegisterTaskDefinition '{"family": "scraped", "containerDefinitions": [{
    "name": "web", "image": "busybox:latest", "memory": 32, "cpu": 64,
    "command": ["sh", "-c", "mkdir -p /tmp/stats && echo answer_to_all 42 >/tmp/stats/mine && exec httpd -f -p 8080 -h /tmp"],
    "environment": [{"name": "PASSWORD", "value": "hunter2"}],
    "dockerLabels": {"prometheus.io/scrape": "true", "prometheus.io/port": "8080", "prometheus.io/path": "/stats/mine", "token": "hunter2"},
    "portMappings": [{"containerPort": 8080}, {"containerPort": 8081}]}]}' >/dev/null
task=$(ecs RunTask '{"cluster": "prometheus-test", "taskDefinition": "scraped"}' | jq -r '.tasks[0].taskArn')
[ "$task" != null ] || fail "the task was not placed"

port=$(shuf -i 20000-29999 -n 1)
cat >"$work/prometheus.yml" <<END
global: {scrape_interval: 1s, scrape_timeout: 1s}
rule_files: ["$(cd "$(dirname "$0")/../.." && pwd)/packaging/prometheus/ecs-node-agent.rules.yml"]
scrape_configs:
  - job_name: ecs-node-agent
    static_configs: [{targets: ["127.0.0.1:51680"]}]
  - job_name: ecs-tasks
    http_sd_configs: [{url: "$metrics/sd", refresh_interval: 1s}]
    relabel_configs:
      - {source_labels: [__meta_ecs_task_family], target_label: family}
      - {source_labels: [__meta_ecs_container], target_label: container}
END
prometheus --config.file "$work/prometheus.yml" --storage.tsdb.path "$work/tsdb" --web.listen-address "127.0.0.1:$port" \
    >"$work/prometheus.log" 2>&1 &
pids+=($!)
# answers JQ QUERY: what the API says of the query satisfies the filter.
answers() { curl -sf "http://127.0.0.1:$port/api/v1/query" --data-urlencode "query=$2" | jq -e "$1" >/dev/null; }
has() { answers '.data.result | length > 0' "$1"; }
has_not() { answers '.data.result | length == 0' "$1"; }

until_true 30 has 'up{job="ecs-node-agent"} == 1' || fail "Prometheus does not scrape the agent"
of_web='{container="web",family="scraped",revision="1",cluster="prometheus-test"}'
until_true 30 has "container_memory_working_set_bytes$of_web > 0" || fail "no memory of the container"
until_true 30 has "rate(container_cpu_usage_seconds_total${of_web}[10s])" || fail "no CPU of the container"
has "ecs_task_known_status{family=\"scraped\",status=\"RUNNING\"} == 1" || fail "the task is not shown as RUNNING"
has 'ecs_agent_container_step_seconds_count{step="running"} == 1' || fail "the container's start was not measured"
until_true 30 has 'up{job="ecs-tasks",family="scraped",container="web"} == 1' || fail "the container is not found through /sd"
until_true 10 has 'answer_to_all{job="ecs-tasks"} == 42' || fail "the container's own metric is not scraped"
answers '.data.result | length == 1' 'up{job="ecs-tasks"}' || fail "prometheus.io/port does not choose the port"

curl -sf "$metrics/metrics" >"$work/metrics"
promtool check metrics <"$work/metrics" || fail "promtool finds fault with the metrics"
curl -sf "$metrics/sd" >"$work/sd"
! grep -q hunter2 "$work/metrics" "$work/sd" || fail "a secret of the task is shown"

ecs StopTask "{\"cluster\": \"prometheus-test\", \"task\": \"$task\"}" >/dev/null
gone() { [ "$(curl -sf "$metrics/sd")" = '[]' ] && ! curl -sf "$metrics/metrics" | grep -q '^container_'; }
until_true 30 gone || fail "the stopped container is still shown"
until_true 30 has_not "container_memory_working_set_bytes$of_web" || fail "Prometheus still has the stopped container"
until_true 30 has_not 'up{job="ecs-tasks"}' || fail "Prometheus still scrapes the stopped container"
echo "passed: $(grep -c '^# TYPE' "$work/metrics") families, $(grep -vc '^#' "$work/metrics") series, one target"
