# Sourced by every scenario, inside. Bash, as root. The run sets runtime to docker or containerd.
set -eu -o pipefail
cd /
endpoint=http://127.0.0.1:7000
state=/root/state  # what one scenario leaves for the next
mkdir -p "$state"

fail() { echo "FAIL: $*"; exit 1; }
# figure NAME VALUE: for the table
figure() { echo "figure: $1 $2"; }
seconds() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(seconds)" 'BEGIN { printf "%.1f", b - a }'; }
# until_true SECONDS COMMAND...: asks again until it succeeds
until_true() {
    local deadline=$((SECONDS + $1)); shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 1
    done
}

# ---- the control plane ----------------------------------------------------------------------------------------------
ecs() {
    curl -sS --fail-with-body --max-time 30 "$endpoint/" --aws-sigv4 aws:amz:us-west-2:ecs --user vm:vm \
        -H 'Content-Type: application/x-amz-json-1.1' -H "X-Amz-Target: AmazonEC2ContainerServiceV20141113.$1" -d "$2"
}
describe() { ecs DescribeTasks "{\"cluster\": \"vm\", \"tasks\": [\"$1\"]}" | jq '.tasks[0]'; }
# define FAMILY CONTAINER [TASK-FIELDS]: registers a task of one container, main, a busybox
define() {
    jq -n --arg family "$1" --argjson container "$2" --argjson more "${3:-{\}}" \
        '{family: $family, networkMode: "bridge", containerDefinitions: [{name: "main", image: "busybox:latest", memory: 64} + $container]} + $more' \
        >"$state/definition"
    ecs RegisterTaskDefinition "$(cat "$state/definition")" >/dev/null
}
# run_task FAMILY: its ARN
run_task() { ecs RunTask "{\"cluster\": \"vm\", \"taskDefinition\": \"$1\"}" | jq -re '.tasks[0].taskArn'; }
statuses() { curl -sS --max-time 30 "$endpoint/_local/tasks"; }
status_of() { statuses | jq -r --arg t "$1" '.[] | select(.taskArn == $t) | .lastStatus'; }
status_is() { [ "$(status_of "$1")" = "$2" ]; }
# becomes TASK STATUS [SECONDS]
becomes() {
    until_true "${3:-150}" has_or_ended "$1" "$2"
    status_is "$1" "$2" || fail "the task is $(status_of "$1"), not $2: $(describe "$1" | jq -c '[.stoppedReason, .containers[].reason]')"
}
has_or_ended() { case "$(status_of "$1")" in "$2" | STOPPED) ;; *) return 1 ;; esac; }
stop_task() { ecs StopTask "{\"cluster\": \"vm\", \"task\": \"$1\", \"reason\": \"over\"}" >/dev/null; }
runtime_id() { describe "$1" | jq -re '.containers[0].runtimeId'; }

# ---- the runtime ----------------------------------------------------------------------------------------------------
# identity ID: one word that is another when the container was started again: the process and when it began
identity() {
    local pid
    if [ "$runtime" = docker ]; then
        pid=$(docker inspect -f '{{.State.Pid}}' "$1")
    else
        pid=$(ctr -n ecs tasks ls | awk -v id="$1" '$1 == id { print $2 }')
    fi
    [ "${pid:-0}" -gt 0 ] || return 1
    echo "$pid-$(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f20)"
}
# `ctr tasks ls` says 0 of a process while the shim is too busy to answer
until_identity() { until_true 30 identity "$1" >/dev/null && identity "$1"; }
# containers: all that the runtime has of the agent's, "ID TASK-ARN running|ended" a line
containers() {
    if [ "$runtime" = docker ]; then
        docker ps -a --no-trunc --filter label=com.amazonaws.ecs.task-arn \
            --format '{{.ID}} {{.Label "com.amazonaws.ecs.task-arn"}} {{.State}}' | awk '{ print $1, $2, $3 == "running" ? "running" : "ended" }'
    else
        local id
        ctr -n ecs tasks ls >"$state/ctr-tasks"
        for id in $(ctr -n ecs containers ls -q); do
            echo "$id $(ctr -n ecs containers info "$id" | jq -r '.Labels["com.amazonaws.ecs.task-arn"]')" \
                "$(awk -v id="$id" '$1 == id && $3 == "RUNNING" { print "running"; found = 1 } END { if (!found) print "ended" }' "$state/ctr-tasks")"
        done
    fi
}
# printed ID: what the container has written so far
printed() {
    if [ "$runtime" = docker ]; then
        docker logs "$1" 2>&1
    else
        jq -jr .log "/var/lib/ecs/data/containerd/containers/$1/$1-json.log"
    fi
}

# ---- the service ----------------------------------------------------------------------------------------------------
of_service() { systemctl show -P "$1" ecs; }
connected() {
    case "$(of_service StatusText)" in *'does not answer'*) return 1 ;; *' connected to ECS') ;; *) return 1 ;; esac
}
until_connected() { until_true "${1:-90}" connected || fail "the agent is not connected: $(of_service ActiveState), \"$(of_service StatusText)\""; }
# complaints SINCE: what the agent has found worth a warning since then (epoch)
complaints() { journalctl -u ecs -o cat --since "@${1%.*}" | grep -E 'level=(warn|error|critical)' || true; }

# settings: ecs.config of this test
settings() {
    cat >/etc/ecs/ecs.config <<SETTINGS
ECS_CLUSTER=vm
ECS_BACKEND_HOST=$endpoint
AWS_DEFAULT_REGION=us-west-2
AWS_ACCESS_KEY_ID=vm
AWS_SECRET_ACCESS_KEY=vm
ECS_EXTERNAL=true
ECS_IMAGE_PULL_BEHAVIOR=prefer-cached
ECS_CONTAINER_STOP_TIMEOUT=5s
ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION=5s
ECS_AVAILABLE_LOGGING_DRIVERS=["json-file","journald"]
ECS_RUNTIME=$runtime
SETTINGS
}

# what is on the disk, but what others write there
files() {
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /mnt -o -path /root \
        -o -path /var/lib/docker -o -path /var/lib/containerd -o -path /var/lib/control-plane -o -path /var/log/journal \
        -o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/log/apt -o -path /var/log/dpkg.log \
        -o -path /var/lib/systemd -o -path /var/tmp -o -path /opt/containerd \) -prune -o -print | sort
}

# of a task: cgroup_v2_of TASK, cgroup_v1_of CONTROLLER TASK
cgroup_v2_of() { echo "/sys/fs/cgroup/ecstasks.slice/ecstasks-${1##*/}.slice"; }
cgroup_v1_of() { echo "/sys/fs/cgroup/$1/ecs/${2##*/}"; }
# reads FILE VALUE: fails unless the file has this value
reads() {
    local found; found=$(cat "$1") || fail "there is no $1"
    [ "$found" = "$2" ] || fail "$1 is \"$found\", not \"$2\""
}
