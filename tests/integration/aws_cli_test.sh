#!/bin/bash
# The AWS CLI drives a task from its definition to STOPPED through ecs-local and the agent, on real containers.
#   ECS_LOCAL    the ecs-local program
#   AGENT        the ecs-node-agent program
#   NODEAGENT_TEST_DOCKER or DOCKER_HOST
#                the Docker daemon (default unix:///var/run/docker.sock); it has the image busybox:latest
# Needs root, the aws program and jq. Takes the agent's fixed ports 51678 and 51679.
set -eu -o pipefail

: "${ECS_LOCAL:?set it to the ecs-local program}" "${AGENT:?set it to the ecs-node-agent program}"
socket=${NODEAGENT_TEST_DOCKER:-${DOCKER_HOST:-unix:///var/run/docker.sock}}
for program in aws jq docker; do
    command -v "$program" >/dev/null || { echo "FAIL: $program is not installed" >&2; exit 1; }
done

work=$(mktemp -d)
pids=()
finish() {
    status=$?
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    docker --host "$socket" ps -aq --filter label=com.amazonaws.ecs.cluster=aws-cli-test |
        xargs -r docker --host "$socket" rm -f >/dev/null 2>&1 || true
    [ "$status" -eq 0 ] || tail -n 30 "$work"/*.log >&2
    rm -rf "$work"
}
trap finish EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }

export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
export AWS_DEFAULT_REGION=us-west-2 AWS_PAGER='' AWS_EC2_METADATA_DISABLED=true

# until_true SECONDS COMMAND...: asks again until it succeeds; the time is a limit, not a wait.
until_true() {
    local deadline=$((SECONDS + $1)); shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.05
    done
}

start_local() {
    "$ECS_LOCAL" --listen "127.0.0.1:${1:-0}" --data "$work/control-plane" --cluster aws-cli-test \
        --access-key "$AWS_ACCESS_KEY_ID" --secret-key "$AWS_SECRET_ACCESS_KEY" >"$work/local.out" 2>>"$work/local.log" &
    local_pid=$!
    pids+=("$local_pid")
    until_true 10 grep -q 'http://' "$work/local.out" || fail "ecs-local did not start"
    endpoint=$(grep -o 'http://[0-9.:]*' "$work/local.out")
}
ecs() { aws --endpoint-url "$endpoint" ecs "$@"; }

start_local
mkdir "$work/agent"
# No instance metadata service here: without this the agent asks for an identity document for half a minute.
echo '{"NoIID": true}' >"$work/agent.json"
env -i PATH="$PATH" ECS_CLUSTER=aws-cli-test ECS_BACKEND_HOST="$endpoint" DOCKER_HOST="$socket" \
    AWS_DEFAULT_REGION="$AWS_DEFAULT_REGION" AWS_ACCESS_KEY_ID="$AWS_ACCESS_KEY_ID" \
    AWS_SECRET_ACCESS_KEY="$AWS_SECRET_ACCESS_KEY" AWS_EC2_METADATA_DISABLED=true \
    ECS_AGENT_CONFIG_FILE_PATH="$work/agent.json" ECS_DATADIR="$work/agent" ECS_AUDIT_LOGFILE="$work/agent/audit.log" ECS_IMAGE_PULL_BEHAVIOR=prefer-cached \
    ECS_CONTAINER_STOP_TIMEOUT=2s ECS_AVAILABLE_LOGGING_DRIVERS='["json-file","none"]' \
    "$AGENT" >"$work/agent.log" 2>&1 &
agent_pid=$!
pids+=("$agent_pid")

connected() { [ "$(curl -sf "$endpoint/health" | jq .agentsConnected)" = 1 ]; }
until_true 15 connected || fail "the agent did not connect"
instance=$(ecs list-container-instances --cluster aws-cli-test --query 'containerInstanceArns[0]' --output text)
ecs describe-container-instances --cluster aws-cli-test --container-instances "$instance" |
    jq -e '.containerInstances[0] | .agentConnected and .versionInfo.agentVersion != "" and .status == "ACTIVE"' >/dev/null ||
    fail "the container instance is not described as connected"

definition=$(ecs register-task-definition --family aws-cli-test --container-definitions '[{
    "name": "web", "image": "busybox:latest", "memory": 32, "cpu": 64,
    "command": ["sh", "-c", "held=$(dd if=/dev/zero bs=1024 count=4096 | tr \"\\000\" x); trap \"exit 7\" TERM; while :; do sleep 0.1; done"],
    "portMappings": [{"containerPort": 80}]}]' --query taskDefinition.taskDefinitionArn --output text)

task=$(ecs run-task --cluster aws-cli-test --task-definition "$definition" --group service:shop --query 'tasks[0].taskArn' --output text)
started=$(date +%s%N)
[ "$task" != None ] || fail "the task was not placed"
status_is() { [ "$(curl -sf "$endpoint/_local/tasks" | jq -r --arg t "$task" '.[] | select(.taskArn == $t) | .lastStatus')" = "$1" ]; }
until_true 10 status_is RUNNING || fail "the task did not reach RUNNING"
took=$((($(date +%s%N) - started) / 1000000))
[ "$took" -le 2000 ] || fail "RUNNING took $took ms, more than 2000"

described=$(ecs describe-tasks --cluster aws-cli-test --tasks "$task")
jq -e '.tasks[0] | .lastStatus == "RUNNING" and .connectivity == "CONNECTED"' <<<"$described" >/dev/null ||
    fail "describe-tasks does not show it RUNNING: $described"
jq -e '.tasks[0].containers[0].networkBindings[] | select(.containerPort == 80 and .hostPort > 0)' <<<"$described" >/dev/null ||
    fail "describe-tasks shows no network binding: $described"

# The control plane may go and come back; the task goes on.
port=${endpoint##*:}
kill "$local_pid" && wait "$local_pid"
start_local "$port"
until_true 15 connected || fail "the agent did not reconnect after a restart of ecs-local"
status_is RUNNING || fail "the restarted ecs-local forgot the task"

# What the task uses reaches CloudWatch: of the kernel's figures, published every 20 s.
since=$(date -u -d '-30 minutes' +%Y-%m-%dT%H:%M:%SZ)
# statistics METRIC: those of the service's task, a line per minute: Average Minimum Maximum SampleCount
statistics() {
    aws --endpoint-url "$endpoint" cloudwatch get-metric-statistics --namespace AWS/ECS --metric-name "$1" \
        --dimensions Name=ClusterName,Value=aws-cli-test Name=ServiceName,Value=shop --start-time "$since" \
        --end-time "$(date -u -d '+5 minutes' +%Y-%m-%dT%H:%M:%SZ)" --period 60 \
        --statistics Average Minimum Maximum SampleCount |
        jq -c '.Datapoints[] | select(.Unit == "Percent") | [.Average, .Minimum, .Maximum, .SampleCount]'
}
used() { statistics "$1" >"$work/used.$1" && [ -s "$work/used.$1" ]; }
until_true 50 used MemoryUtilization || fail "CloudWatch has no memory of the task"
until_true 10 used CPUUtilization || fail "CloudWatch has no CPU of the task"
for metric in CPUUtilization MemoryUtilization; do
    # It holds 4 MiB of the 32 it reserves; its loop takes some CPU, of which 64 units, a sixteenth of a core, are 100 %.
    jq -se --arg metric "$metric" 'length > 0 and all(.[]; .[0] > 0 and .[1] <= .[0] and .[0] <= .[2] and .[3] >= 1) and
        ($metric == "CPUUtilization" or all(.[]; .[0] >= 10 and .[2] <= 100))' "$work/used.$metric" >/dev/null ||
        fail "$metric of the task (average, minimum, maximum, samples): $(cat "$work/used.$metric")"
done

ecs stop-task --cluster aws-cli-test --task "$task" --reason 'the test is over' >/dev/null
until_true 20 status_is STOPPED || fail "the task did not stop"
ecs describe-tasks --cluster aws-cli-test --tasks "$task" | jq -e '.tasks[0] | .stopCode == "UserInitiated" and
    .stoppedReason == "the test is over" and .containers[0].exitCode == 7' >/dev/null || fail "the exit code or reason is wrong"

if ecs describe-tasks --cluster nowhere --tasks "$task" 2>"$work/error.txt"; then fail "an unknown cluster was accepted"; fi
grep -q ClusterNotFoundException "$work/error.txt" || fail "the CLI did not see ClusterNotFoundException"
echo "PASS: a task ran and stopped through the AWS CLI (RUNNING after $took ms; its average CPU and memory:" \
    "$(jq -r '.[0]' "$work/used.CPUUtilization" | tail -n 1) % and $(jq -r '.[0]' "$work/used.MemoryUtilization" | tail -n 1) % of what it reserves)"
