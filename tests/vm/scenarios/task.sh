# A task from start to end: limits where the kernel has them, the metadata endpoint inside, a port, health, exit code.
define limits '{"cpu": 128, "memory": 64, "user": "65534", "portMappings": [{"containerPort": 8080, "hostPort": 0}],
    "healthCheck": {"command": ["CMD-SHELL", "true"], "interval": 5, "timeout": 60, "retries": 3},
    "command": ["sh", "-c", "trap \"exit 7\" TERM; wget -qO- $ECS_CONTAINER_METADATA_URI_V4/task && echo; mkdir /dev/shm/w; echo served >/dev/shm/w/index.html; httpd -p 8080 -h /dev/shm/w; while :; do sleep 1 & wait $!; done"]}' \
    '{"cpu": "256", "memory": "128"}'
began=$(seconds)
task=$(run_task limits)
becomes "$task" RUNNING
figure running "$(since "$began")"
id=$(runtime_id "$task")

if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    slice=$(cgroup_v2_of "$task")
    reads "$slice/cpu.max" '25000 100000'
    reads "$slice/memory.max" $((128 << 20))
    case "$runtime" in docker) scope=$slice/docker-$id.scope ;; *) scope=$slice/ecs-$id.scope ;; esac
    reads "$scope/memory.max" $((64 << 20))
    [ "$(cat "$scope/cpu.weight")" -lt 10 ] || fail "128 shares are weight $(cat "$scope/cpu.weight")"
    grep -q . "$scope/cgroup.procs" || fail "nothing runs in $scope"
    systemd-cgls --no-pager /ecstasks.slice
    cgroups=("$slice")
else
    reads "$(cgroup_v1_of cpu "$task")/cpu.cfs_quota_us" 25000
    reads "$(cgroup_v1_of cpu "$task")/cpu.cfs_period_us" 100000
    reads "$(cgroup_v1_of memory "$task")/memory.limit_in_bytes" $((128 << 20))
    scope=$(cgroup_v1_of memory "$task")/$id
    reads "$scope/memory.limit_in_bytes" $((64 << 20))
    reads "$(cgroup_v1_of cpu "$task")/$id/cpu.shares" 128
    grep -q . "$scope/cgroup.procs" || fail "nothing runs in $scope"
    cgroups=("$(cgroup_v1_of memory "$task")" "$(cgroup_v1_of cpu "$task")")
fi

answered() { printed "$id" | grep -q "\"TaskARN\":\"$task\""; }
until_true 60 answered || fail "the metadata endpoint did not answer inside: $(printed "$id")"
port=$(describe "$task" | jq -re '.containers[0].networkBindings[0].hostPort')
served() { [ "$(curl -s --max-time 10 "http://10.0.2.15:$port/")" = served ]; }
until_true 60 served || fail "port $port of the host does not answer"
healthy() { [ "$(describe "$task" | jq -r .healthStatus)" = HEALTHY ]; }
until_true 120 healthy || fail "the task is $(describe "$task" | jq -r .healthStatus)"
if [ "$runtime" = containerd ]; then
    [ -e "/run/netns/ecs-$id" ] || fail "the container has no network namespace"
    ip -br address show dev ecs0 | grep -q UP || fail "there is no bridge"
fi

began=$(seconds)
stop_task "$task"
becomes "$task" STOPPED
figure stopped "$(since "$began")"
code=$(describe "$task" | jq -r '.containers[0].exitCode')
[ "$code" = 7 ] || fail "the exit code is $code, not 7"
cleaned() {
    local one
    [ -z "$(containers | grep -F "$task" || true)" ] || return 1
    for one in "${cgroups[@]}"; do [ ! -d "$one" ] || return 1; done
    [ ! -e "/run/netns/ecs-$id" ]
}
until_true 90 cleaned || fail "of the stopped task something is left: $(containers | grep -F "$task"; ls -d "${cgroups[@]}" "/run/netns/ecs-$id" 2>&1)"
