# After a power cut: the agent is ready by itself, and what the control plane has been told is what is there.
until_true 120 curl -sf "$endpoint/_local/tasks" >/dev/null || fail "the control plane is not back"
began=$(seconds)
ready() { [ "$(of_service ActiveState)" = active ]; }
until_true 120 ready || fail "the service is $(of_service ActiveState): $(journalctl -u ecs -b -o cat | tail -n 15)"
figure ready-after-cut "$(since "$began")"
until_connected 90
if journalctl -u ecs -b -o cat | grep -iE 'malformed|corrupt|set aside'; then fail "the database has suffered"; fi

# settled: every task is RUNNING or STOPPED at the control plane, RUNNING where a container runs and nowhere else,
# and no container belongs to a task that is not.
settled() {
    local task status
    disagreement=
    statuses >"$state/statuses"
    containers >"$state/containers"
    while read -r task; do
        status=$(jq -r --arg t "$task" '.[] | select(.taskArn == $t) | .lastStatus' "$state/statuses")
        if grep -qF "$task running" "$state/containers"; then
            [ "$status" = RUNNING ] || disagreement+="$task runs and is told as $status; "
        else
            [ "$status" = STOPPED ] || disagreement+="$task does not run and is told as $status; "
        fi
    done <"$state/tasks"
    while read -r id task _; do
        grep -qxF "$task" "$state/tasks" || disagreement+="container $id belongs to $task; "
    done <"$state/containers"
    [ -z "$disagreement" ]
}
until_true 180 settled || fail "$disagreement"
figure settled "$(since "$began")"
# the agent's own view is the same, and it holds nothing more of the stopped ones than their last report
ecs-node tasks
first=$(head -n 1 "$state/tasks")
status_is "$first" STOPPED || fail "the task that ran before the cut is $(status_of "$first")"
describe "$first" | jq -c '[.stoppedReason, .stopCode, .containers[0].exitCode, .containers[0].reason]'
gone() { ! containers | grep -v ' running$' | grep -q .; }
until_true 90 gone || fail "ended containers are left: $(containers)"
# cgroups: only of what runs
for path in /sys/fs/cgroup/ecstasks.slice/ecstasks-*.slice; do
    [ -d "$path" ] || continue
    id=${path##*/ecstasks-}
    grep -F "${id%.slice}" "$state/containers" | grep -q running || fail "a cgroup is left: $path"
done
# a task placed now runs
task=$(run_task steady)
becomes "$task" RUNNING
for task in $(statuses | jq -r '.[] | select(.lastStatus != "STOPPED") | .taskArn'); do
    stop_task "$task"
    becomes "$task" STOPPED
done
