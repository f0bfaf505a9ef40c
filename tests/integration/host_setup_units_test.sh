#!/bin/bash
# ecs.service and ecs-host-setup.service under a systemd of their own, in namespaces: what a crash, a restart and a stop
# of the agent do to the host. The units are those of the package; only the agent is replaced, by a process that waits.
#   AGENT   the ecs-node-agent program
#   UNITS   the folder of the units
# Needs root, systemd, iptables. Touches nothing outside its namespaces but a cgroup of its own, which it removes.
set -eu -o pipefail

: "${AGENT:?set it to ecs-node-agent}" "${UNITS:?set it to the folder of the units}"

if [ "${1:-}" = boot ]; then
    mount --make-rprivate /
    mount -t proc proc /proc
    mount -t sysfs sysfs /sys 2>/dev/null || true  # of this network namespace
    for folder in /run /var/lib /var/log; do mount -t tmpfs tmpfs "$folder"; done
    mount -t tmpfs tmpfs /sys/fs/cgroup
    if [ "$2" = v2 ]; then
        mount -t cgroup2 cgroup2 /sys/fs/cgroup
    else
        mkdir /sys/fs/cgroup/systemd
        mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
    fi
    ip link set lo up
    mkdir -p /run/systemd /run/test /run/units/ecs.service.d /run/units/ecs-host-setup.service.d
    touch /run/test/agent
    mount --bind "$AGENT" /run/test/agent
    for unit in ecs.service ecs-host-setup.service; do
        sed -e 's#/usr/sbin/ecs-node-agent#/run/test/agent#' -e 's#=-/etc/ecs/ecs.config$#=-/run/test/ecs.config#' \
            "$UNITS/$unit" >"/run/units/$unit"
    done
    for target in sysinit basic shutdown probe; do
        printf '[Unit]\nDefaultDependencies=no\n' >"/run/units/$target.target"
    done
    # sanitizers look for leaks by a call that the unit does not have
    printf '[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0 DOCKER_HOST=unix:///run/nowhere.sock\n' \
        >/run/units/ecs-host-setup.service.d/test.conf
    cat >/run/units/ecs.service.d/test.conf <<'DROPIN'
[Service]
Type=exec
WatchdogSec=0
RestartSec=100ms
ExecStart=
ExecStart=/bin/sh -c '[ ! -e /run/test/hopeless ] || exit 5; exec sleep infinity'
DROPIN
    exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_UNIT_PATH=/run/units /lib/systemd/systemd \
        --system --unit=probe.target --log-target=console --show-status=no --default-standard-output=journal+console
fi

work=$(mktemp -d /tmp/nodeagent-units.XXXXXX)
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    version=v2 hierarchy=/sys/fs/cgroup
else
    version=v1 hierarchy=$work/cgroup
    mkdir "$hierarchy"
    mount -t cgroup -o none,name=systemd cgroup "$hierarchy"
fi
group=$hierarchy/nodeagent-units.$$
mkdir "$group"
systemd=
watcher=
finish() {
    status=$?
    [ -z "$watcher" ] || kill "$watcher" 2>/dev/null || true
    [ -z "$systemd" ] || kill -KILL "$systemd" 2>/dev/null || true
    wait 2>/dev/null || true
    [ "$status" -eq 0 ] || tail -n 40 "$work/systemd.log" >&2 || true
    for _ in $(seq 100); do
        find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || true
        [ -d "$group" ] || break
        sleep 0.02
    done
    [ "$version" = v2 ] || umount "$hierarchy"
    rm -rf "$work"
}
trap finish EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }
until_true() {
    local deadline=$((SECONDS + $1)); shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.02
    done
}

(
    echo "$BASHPID" >"$group/cgroup.procs"
    exec unshare --cgroup --pid --net --mount --ipc --uts --fork --kill-child -- "$0" boot "$version"
) >"$work/systemd.log" 2>&1 &
outer=$!
booted() { systemd=$(pgrep -P "$outer" -x systemd); }
until_true 10 booted || fail "systemd did not start"
inside() { nsenter -t "$systemd" -m -p -n -C -- "$@"; }
answers() { inside systemctl is-active -q probe.target; }
until_true 10 answers 2>/dev/null || fail "systemd does not answer"

property() { inside systemctl show -p "$2" --value "$1"; }
is() { [ "$(property "$1" ActiveState)" = "$2" ]; }
rules() {
    local family
    for family in iptables ip6tables; do inside "$family-save" | grep '^-A' || true; done
    inside sysctl net.ipv4.conf.all.route_localnet
}
# says when the rule that keeps strangers away is not there
watch() { exec nsenter -t "$systemd" -m -p -n -C -- sh -c 'while iptables -w -C INPUT -p tcp --dport 51678 ! -i lo -j DROP; do sleep 0.01; done; echo gap'; }
watched() { watch >"$work/gap" 2>/dev/null & watcher=$!; }
no_gap() {
    kill -0 "$watcher" 2>/dev/null && [ ! -s "$work/gap" ] || fail "the host was open for a moment during $*"
    rules >"$work/now"
    diff "$work/right" "$work/now" >&2 || fail "other rules after $*"
}

# -- started -----------------------------------------------------------------------------------------------------------
rules >"$work/before"
inside systemctl start ecs || fail "the service does not start"
is ecs-host-setup active || fail "the host set-up does not run"
rules >"$work/right"
[ "$(grep -c 'dport 51678' "$work/right")" = 4 ] && grep -q 'DNAT --to-destination 127.0.0.1:51679' "$work/right" &&
    grep -q 'route_localnet = 1' "$work/right" || fail "the host is not set up: $(cat "$work/right")"
[ "$(property ecs-host-setup ExecMainStatus)" = 0 ] || fail "the host set-up says that something is not right"
inside test -e /run/ecs-host-setup/outcome.json || fail "the outcome is not told to the agent"

# -- crashes, restarts -------------------------------------------------------------------------------------------------
watched
runs() { is ecs active && [ "$(property ecs MainPID)" -gt 0 ]; }
crash_agent() {
    until_true 10 runs || fail "the agent does not run"
    inside systemctl kill --kill-whom=main --signal=KILL ecs
}
restarted() { [ "$(property ecs NRestarts)" = "$1" ] && runs; }
for crash in 1 2 3; do
    crash_agent
    until_true 10 restarted "$crash" || fail "it was not started again"
    no_gap "crash $crash"
done
inside systemctl restart ecs
no_gap "a restart"
kill "$watcher"; wait "$watcher" 2>/dev/null || true; watcher=

inside sh -c 'iptables -F INPUT; iptables -t nat -F'
inside systemctl restart ecs
rules >"$work/now"
diff "$work/right" "$work/now" >&2 || fail "a restart does not bring flushed rules back"

inside sh -c 'echo ECS_ALLOW_OFFHOST_INTROSPECTION_ACCESS=true >/run/test/ecs.config'
inside systemctl restart ecs
if rules | grep -q 'dport 51678'; then fail "a restart does not apply settings that have changed"; fi
inside rm /run/test/ecs.config

# -- stopped, ended for good -------------------------------------------------------------------------------------------
inside systemctl stop ecs
until_true 10 is ecs-host-setup inactive || fail "the host set-up does not end with the service"
rules >"$work/now"
diff "$work/before" "$work/now" >&2 || fail "rules are left after a stop"

inside systemctl start ecs
inside touch /run/test/hopeless
crash_agent
until_true 10 is ecs failed || fail "it is started again after exit code 5"
until_true 10 is ecs-host-setup inactive || fail "the host set-up outlives a service that has failed for good"
rules >"$work/now"
diff "$work/before" "$work/now" >&2 || fail "rules are left after the service has failed for good"
inside rm /run/test/hopeless

# -- a host without iptables -------------------------------------------------------------------------------------------
inside mount --bind /dev/null /usr/sbin/xtables-nft-multi
inside mount --bind /dev/null /usr/sbin/xtables-legacy-multi
inside systemctl start ecs || fail "the agent does not start where there is no iptables"
is ecs active && is ecs-host-setup active || fail "without iptables the units do not run"
[ "$(property ecs-host-setup ExecMainStatus)" = 1 ] || fail "without iptables the set-up says that all is right"
inside cat /run/ecs-host-setup/outcome.json | grep -q 'apt-get install iptables' || fail "the agent does not hear of it"
inside systemctl stop ecs
until_true 10 is ecs-host-setup inactive || fail "without iptables the set-up cannot end"
echo "PASS: rules stay through crashes and restarts, and go with the service"
