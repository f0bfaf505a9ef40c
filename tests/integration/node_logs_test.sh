#!/bin/bash
# ecs-node logs, through the real agent on a containerd of its own: a task whose containers log to CloudWatch Logs
# (ecs-local), to files and nowhere, while it runs, while it is followed to its end, and after it.
#   BUILD   the folder with the programs
# Needs root, in namespaces of its own, with which all it started ends:
#   unshare --net --mount --pid --fork --mount-proc sh -c "ip link set lo up && exec tests/integration/node_logs_test.sh"
set -u -o pipefail
: "${BUILD:?set it to the folder with the programs}"
cd "$(dirname "$0")/../.."
. packaging/common.sh

work=$(mktemp -d) pids=() containerd_pid=
namespace=ecs-node-logs-$(basename "$work")
finish() {
    status=$?
    trap - EXIT
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null; done
    [ "$status" -eq 0 ] || tail -n 15 "$work"/*.log >&2
    stop_containerd "$work/containerd" 2>/dev/null
    for shm in "/run/ecs-node-agent/$namespace"/*/shm; do umount -l "$shm" 2>/dev/null; done
    rm -rf "$work" "/run/ecs-node-agent/$namespace" 2>/dev/null
}
trap finish EXIT
failed() { echo "FAIL: $*" >&2; exit 1; }
# until_true SECONDS COMMAND...: asks again until it succeeds; the time is a limit, not a wait.
until_true() {
    local deadline=$((SECONDS + $1)); shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.05
    done
}
# same WHAT EXPECTED ACTUAL
same() { [ "$2" = "$3" ] || failed "$1: expected"$'\n'"$2"$'\n'"but it is"$'\n'"$3"; }

start_containerd "$work/containerd"
busybox_archive docker.io/library/node-logs:latest "$work/image.tar"
ctr -a "$CONTAINERD_SOCKET" -n "$namespace" images import "$work/image.tar" >/dev/null || failed "containerd did not take the image"

export AWS_ACCESS_KEY_ID=AKIDLOGS AWS_SECRET_ACCESS_KEY=logs-secret
"$BUILD/ecs-local" --listen 127.0.0.1:0 --data "$work/control-plane" --cluster logs --access-key AKIDLOGS \
    --secret-key logs-secret >"$work/local.out" 2>"$work/local.log" &
pids+=($!)
until_true 10 grep -qs http:// "$work/local.out" || failed "ecs-local did not start"
endpoint=$(grep -om1 'http://[0-9.:]*' "$work/local.out")
mkdir "$work/agent"
echo '{"NoIID": true}' >"$work/agent.json"
env -i PATH="$PATH" ECS_CLUSTER=logs ECS_BACKEND_HOST="$endpoint" AWS_DEFAULT_REGION=us-west-2 \
    AWS_ACCESS_KEY_ID=AKIDLOGS AWS_SECRET_ACCESS_KEY=logs-secret AWS_EC2_METADATA_DISABLED=true \
    ECS_AGENT_CONFIG_FILE_PATH="$work/agent.json" ECS_DATADIR="$work/agent" ECS_AUDIT_LOGFILE_DISABLED=true \
    ECS_RUNTIME=containerd ECS_CONTAINERD_ADDRESS="$CONTAINERD_SOCKET" ECS_CONTAINERD_NAMESPACE="$namespace" \
    ECS_CONTAINERD_SNAPSHOTTER=native ECS_CONTROL_SOCKET="$work/control.sock" \
    ECS_AVAILABLE_LOGGING_DRIVERS='["json-file","awslogs","none"]' \
    ECS_IMAGE_PULL_BEHAVIOR=prefer-cached ECS_CONTAINER_STOP_TIMEOUT=1s "$BUILD/ecs-node-agent" >"$work/agent.log" 2>&1 &
pids+=($!)
connected() { [ "$(curl -sf "$endpoint/health" | jq .agentsConnected)" = 1 ]; }
until_true 20 connected || failed "the agent did not connect"

ecs() {
    curl -sS --max-time 10 "$endpoint/" --aws-sigv4 aws:amz:us-west-2:ecs --user AKIDLOGS:logs-secret \
        -H 'Content-Type: application/x-amz-json-1.1' -H "X-Amz-Target: AmazonEC2ContainerServiceV20141113.$1" -d "$2"
}
logs() { "$BUILD/ecs-node" logs --socket "$work/control.sock" "$@"; }
# says TEXT ARGUMENT...: whether that is in what it prints, wherever to, and however it ends.
says() { local text=$1; shift; grep -qF -- "$text" <<<"$(logs "$@" 2>&1)"; }
# without keys of the caller's own, the agent's are asked for
logs_by_agent() { env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY HOME="$work" "$BUILD/ecs-node" logs --socket "$work/control.sock" "$@"; }

# web ends when its file is removed, side some lines later, and each says so last
mkdir "$work/gate"
touch "$work/gate/open"
sed -e "s|@ENDPOINT@|$endpoint|; s|@GATE@|$work/gate|" >"$work/definition.json" <<'TASK'
{"family": "logs", "networkMode": "host", "volumes": [{"name": "gate", "host": {"sourcePath": "@GATE@"}}],
 "containerDefinitions": [
  {"name": "web", "image": "node-logs:latest", "memory": 32, "essential": true,
   "command": ["sh", "-c", "echo to the cloud; while [ -e /gate/open ]; do sleep 0.05; done; echo web ends"],
   "mountPoints": [{"sourceVolume": "gate", "containerPath": "/gate"}],
   "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "shop", "awslogs-create-group": "true",
     "awslogs-region": "us-west-2", "awslogs-endpoint": "@ENDPOINT@", "awslogs-force-flush-interval-seconds": "1"}}},
  {"name": "side", "image": "node-logs:latest", "memory": 32, "essential": false,
   "dependsOn": [{"containerName": "web", "condition": "START"}],
   "command": ["sh", "-c", "sleep 0.2; echo to a file; echo to its errors >&2; while [ -e /gate/open ]; do sleep 0.05; done; n=0; while [ $n -lt 400 ]; do n=$((n+1)); echo line $n of many that fill a file; done; exit 0"],
   "mountPoints": [{"sourceVolume": "gate", "containerPath": "/gate"}],
   "logConfiguration": {"logDriver": "json-file", "options": {"max-size": "10k", "max-file": "9", "compress": "true"}}},
  {"name": "quiet", "image": "node-logs:latest", "memory": 32, "essential": false, "command": ["sleep", "600"],
   "logConfiguration": {"logDriver": "none"}}]}
TASK
definition=$(ecs RegisterTaskDefinition "$(cat "$work/definition.json")" | jq -re .taskDefinition.taskDefinitionArn) ||
    failed "the task definition was refused"
task=$(ecs RunTask "{\"cluster\":\"logs\",\"taskDefinition\":\"$definition\"}" | jq -re '.tasks[0].taskArn') || failed "the task was not placed"
id=${task##*/}
status_is() { [ "$(ecs DescribeTasks "{\"cluster\":\"logs\",\"tasks\":[\"$task\"]}" | jq -r '.tasks[0].lastStatus')" = "$1" ]; }
until_true 30 status_is RUNNING || failed "the task did not reach RUNNING"

# -- while it runs -------------------------------------------------------------------------------------------------------
there() { says 'to the cloud' "$id" --container web && says errors "$id" --container side; }
until_true 15 there || failed "the first lines did not come: $(logs "$id" 2>&1)"
same "lines of two logs in the order of time, none of the third" "web   | to the cloud
side  | to a file" "$(logs "${id:0:12}" 2>"$work/errors.log")"
grep -q 'container quiet: nothing keeps what it prints: its log driver is none' "$work/errors.log" || failed "none is not explained"
logs "$id" >/dev/null 2>&1 && failed "a log that cannot be read is no success"
same "standard error" "to its errors" "$(logs "$task" --container side 2>&1 >/dev/null)"
same "an object a line" '{"container":"web","log":"to the cloud"}' "$(logs "$id" --container web --json | jq -c 'del(.time)')"
same "with the agent's keys" "to the cloud" "$(logs_by_agent "$id" --container web)"
logs "$id" --container web --timestamps | grep -qE '^20[0-9]{2}-[0-9]{2}-[0-9T:.-]*Z to the cloud$' || failed "no timestamp"
says 'no container db; it has web, side, quiet' "$id" --container db || failed "an unknown container is not explained"
says 'no task nosuch on this instance; ecs-node tasks lists' nosuch || failed "an unknown task is not explained"
curl -s --unix-socket "$work/control.sock" "http://agent/v1/logs?id=$id" >"$work/places.json"
jq -e '.containers | length == 3' "$work/places.json" >/dev/null || failed "the control socket does not tell three places"
grep -q 'secret\|environment' "$work/places.json" && failed "the places hold what is nobody's business: $(cat "$work/places.json")"
curl -s "$endpoint/_local/logs?fail=AccessDeniedException&status=400&calls=1" >/dev/null
says 'need the IAM action logs:GetLogEvents' "$id" --container web || failed "the missing permission is not named"

# -- followed to its end -------------------------------------------------------------------------------------------------
logs "$id" --follow --tail 1 >"$work/followed" 2>"$work/followed.err" &
follower=$!
"$BUILD/ecs-node" logs --socket "$work/control.sock" "$id" --container side -f >"$work/interrupted" 2>&1 &
interrupted=$!
begun() { grep -q 'to the cloud' "$work/followed" && grep -q 'to a file' "$work/interrupted"; }
until_true 15 begun || failed "following shows nothing"
kill -INT "$interrupted"
wait "$interrupted"; same "the end by SIGINT" 130 $?
rm "$work/gate/open"
wait "$follower"; same "the end of following, with a log that cannot be read" 1 $?
tail -n +1 "$work/followed" | sed -n 's/^web   | //p' >"$work/web"
same "what web said to its end" "to the cloud
web ends" "$(cat "$work/web")"
same "lines of side over all rotated files" 400 "$(grep -c '^side  | line [0-9]* of many' "$work/followed")"
same "their order" "$(seq 400)" "$(sed -n 's/^side  | line \([0-9]*\) of many.*/\1/p' "$work/followed")"

# -- after it ------------------------------------------------------------------------------------------------------------
until_true 20 status_is STOPPED || failed "the task did not stop"
same "all lines of the stopped task" 402 "$(logs "$id" --container side 2>&1 | wc -l)"
same "the last ones" "line 399 of many that fill a file
line 400 of many that fill a file" "$(logs "$id" --container side --tail 2)"
same "none of the future" "" "$(logs "$id" --container side --since 2099-01-01T00:00:00Z)"
logs "$id" --container side --follow 2>/dev/null | head -n 1 >/dev/null
codes=("${PIPESTATUS[@]}"); same "quietly without a reader" 141 "${codes[0]}"
echo "PASS: ecs-node logs of a running, a followed and a stopped task"
