# A running task outlives the agent's restarts and its upgrade: the same process, still known, no line of its log lost.
define ticks '{"command": ["sh", "-c", "trap \"exit 7\" TERM; n=0; while :; do n=$((n+1)); echo tick $n; sleep 1 & wait $!; done"]}'
task=$(run_task ticks)
becomes "$task" RUNNING
id=$(runtime_id "$task")
same=$(until_identity "$id")

# the_same WHAT: after WHAT the task is what it was, and the agent knows it
the_same() {
    until_connected 90
    [ "$(until_identity "$id")" = "$same" ] || fail "after $1 the container is another: $same, now $(identity "$id")"
    status_is "$task" RUNNING || fail "after $1 the control plane has it as $(status_of "$task")"
    known() { ecs-node tasks --json | jq -e --arg t "${task##*/}" 'any(.. | strings; contains($t))' >/dev/null && ecs-node task "${task##*/}" | grep -q RUNNING; }
    until_true 30 known || fail "after $1 the agent does not know it: $(ecs-node tasks)"
}

began=$(seconds)
systemctl restart ecs
figure restart "$(since "$began")"
the_same 'systemctl restart ecs'

old=$(of_service MainPID) began=$(seconds)
kill -KILL "$old"
restarted() { [ "$(of_service ActiveState)" = active ] && [ "$(of_service MainPID)" != "$old" ]; }
until_true 60 restarted || fail "systemd did not start it again: $(of_service ActiveState)"
figure after-kill "$(since "$began")"
the_same 'kill -KILL'

if [ "$runtime" = containerd ]; then
    systemctl restart containerd
    the_same 'a restart of containerd'
fi

# the same programs under a higher version; the package for containerd goes with it where it is installed
old=$(of_service MainPID) began=$(seconds)
packages=(/mnt/upgrade/ecs-node-agent_*.deb)
[ "$runtime" = docker ] || packages+=(/mnt/upgrade/ecs-node-agent-containerd_*.deb)
for package in "${packages[@]}"; do cp "$package" /tmp/; done
apt-get install -y -q "${packages[@]/#\/mnt\/upgrade/./tmp}" >"$state/apt.log" 2>&1 ||
    { tail -n 20 "$state/apt.log"; fail "the upgrade failed"; }
figure upgrade "$(since "$began")"
dpkg-query -W -f '${Version}\n' ecs-node-agent | grep -q upgrade || fail "the version is $(dpkg-query -W ecs-node-agent)"
[ "$(systemctl is-enabled ecs)" = enabled ] || fail "the upgrade has disabled the service"
[ "$(of_service NeedDaemonReload)" = no ] || fail "systemd has not read the unit again"
the_same 'the upgrade'
systemctl restart ecs
[ "$(of_service MainPID)" != "$old" ] || fail "the old program runs on"
the_same 'the restart after the upgrade'

# every tick is there, once
printed "$id" | awk '$1 == "tick" { if ($2 != n + 1) { print "after tick " n " comes tick " $2; bad = 1 } n = $2 } END { exit bad || n == 0 }' ||
    fail "lines of the log are lost"
if [ "$runtime" = docker ]; then
    # a stopping dockerd stops what it runs, as if it had been asked to
    systemctl restart docker
else
    stop_task "$task"
fi
becomes "$task" STOPPED
code=$(describe "$task" | jq -r '.containers[0].exitCode')
[ "$code" = 7 ] || fail "the exit code is $code, not 7"
