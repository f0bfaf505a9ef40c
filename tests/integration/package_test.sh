#!/bin/bash
# Makes the packages of a build, checks them with lintian, installs them, starts the agent as the unit would, runs a
# task, removes and purges. dpkg works on an overlay of this machine's files that goes with the mount namespace.
#   BUILD            the build directory
#   CPACK            the cpack program
#   NOTIFY_LISTENER  the notify_listener program
#   NODEAGENT_TEST_DOCKER or DOCKER_HOST
#                    the Docker daemon (default unix:///var/run/docker.sock); it has the image busybox:latest
# Needs root. Takes the agent's fixed ports 51678 and 51679.
set -eu -o pipefail

: "${BUILD:?set it to the build directory}" "${CPACK:?set it to cpack}" "${NOTIFY_LISTENER:?set it to notify_listener}"
[ -n "${in_namespace:-}" ] || in_namespace=1 exec unshare --mount -- "$0"

work=$(mktemp -d /tmp/nodeagent-package.XXXXXX)
mount -t tmpfs tmpfs "$work"  # an overlay's upper layer is no overlay, which / may be
root=$work/root
docker_socket=${NODEAGENT_TEST_DOCKER:-${DOCKER_HOST:-unix:///var/run/docker.sock}}
docker() { command docker --host "$docker_socket" "$@"; }  # not for xargs
pids=()
finish() {
    status=$?
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    docker ps -aq --filter label=com.amazonaws.ecs.cluster=package-test |
        xargs -r docker --host "$docker_socket" rm -f >/dev/null 2>&1 || true
    [ "$status" -eq 0 ] || tail -n 30 "$work"/*.log >&2 || true
    umount -R -l "$work"
    rmdir "$work"
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

# -- the packages ------------------------------------------------------------------------------------------------------
"$CPACK" --config "$BUILD/CPackConfig.cmake" -B "$work/packages" -D CPACK_DEBIAN_COMPRESSION_TYPE=gzip \
    >"$work/cpack.log" 2>&1 ||
    fail "cpack made no packages"
rm -rf "$work/packages/_CPack_Packages"
agent_deb=$(echo "$work"/packages/ecs-node-agent_*.deb) containerd_deb=$(echo "$work"/packages/ecs-node-agent-containerd_*.deb)
local_deb=$(echo "$work"/packages/ecs-local_*.deb)
for package in "$agent_deb" "$containerd_deb" "$local_deb"; do [ -f "$package" ] || fail "cpack made no $package"; done
lintian --allow-root --fail-on error,warning "$agent_deb" "$containerd_deb" "$local_deb" >"$work/lintian.log" 2>&1 ||
    fail "lintian: $(cat "$work/lintian.log")"
dpkg-deb -f "$agent_deb" Recommends | grep -q docker.io || fail "the package does not recommend docker.io"
for library in libc6 libcurl4 libssl3 libsqlite3-0; do
    dpkg-deb -f "$agent_deb" Depends | grep -q "\b$library\b" || fail "the package does not depend on $library"
done

# a Docker host does not pay for gRPC
! dpkg-deb -f "$agent_deb" Depends | grep -q grpc || fail "the agent's package depends on gRPC"
for dependency in 'ecs-node-agent (=' containerd containernetworking-plugins libgrpc; do
    dpkg-deb -f "$containerd_deb" Depends | grep -qF "$dependency" || fail "the package for containerd does not depend on $dependency"
done

# -- installed ---------------------------------------------------------------------------------------------------------
mkdir "$work/upper" "$work/layers" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/layers" "$root"
for directory in dev proc sys; do mount --rbind "/$directory" "$root/$directory"; done
for directory in run tmp; do mount -t tmpfs tmpfs "$root/$directory"; done
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
dpkg_says() { inside dpkg-query -W -f '${db:Status-Abbrev}' ecs-node-agent 2>/dev/null; }

cp "$agent_deb" "$containerd_deb" "$local_deb" "$root/tmp/"
# user data has written the settings before
mkdir -p "$root/etc/ecs"
echo ECS_CLUSTER=written-before >"$root/etc/ecs/ecs.config"
chmod 0640 "$root/etc/ecs/ecs.config"
before=$(stat -c '%a %i %Y' "$root/etc/ecs/ecs.config")
inside dpkg --no-triggers -i "/tmp/${agent_deb##*/}" >"$work/dpkg.log" 2>&1 </dev/null ||
    fail "dpkg did not install the package where there are settings"
[ "$(cat "$root/etc/ecs/ecs.config")" = ECS_CLUSTER=written-before ] &&
    [ "$(stat -c '%a %i %Y' "$root/etc/ecs/ecs.config")" = "$before" ] || fail "the installation changed the settings"
inside dpkg --no-triggers -P ecs-node-agent >>"$work/dpkg.log" 2>&1 || fail "dpkg did not purge the package"
[ ! -e "$root/etc/ecs" ] || fail "the purge left the settings"

inside dpkg --no-triggers -i "/tmp/${agent_deb##*/}" "/tmp/${local_deb##*/}" >>"$work/dpkg.log" 2>&1 ||
    fail "dpkg did not install the packages"
cmp "$root/usr/share/ecs-node-agent/ecs.config" "$root/etc/ecs/ecs.config" || fail "it does not come with settings"
[ "$(stat -c %a "$root/etc/ecs/ecs.config")" = 600 ] || fail "others may read the settings"
[ ! -e "$root/etc/systemd/system/multi-user.target.wants/ecs.service" ] || fail "the service was enabled unasked"
unit=/lib/systemd/system/ecs.service
setup_unit=/lib/systemd/system/ecs-host-setup.service
inside systemd-analyze verify "$unit" "$setup_unit" >"$work/verify.log" 2>&1 && [ ! -s "$work/verify.log" ] ||
    fail "systemd does not take the unit"
of_unit() { sed -n "s/^$1=//p" "$root$unit"; }
while read -r program _; do
    [ "$program" != /bin/systemctl ] || continue
    inside dpkg-query -L ecs-node-agent | grep -qxF "$program" ||
        fail "the unit runs $program, which the package does not have"
done < <(sed -nE 's/^Exec[A-Za-z]*=[-@:+!|]*//p' "$root$unit" "$root$setup_unit")

# -- the part for containerd: installed, used, removed -----------------------------------------------------------------
check_containerd() { inside ECS_RUNTIME=containerd ECS_CONTAINERD_ADDRESS=/run/nowhere.sock ECS_CLUSTER=c AWS_DEFAULT_REGION=us-west-2 ecs-node-agent --check-config; }
check_containerd >"$work/check.log" 2>&1 || true
grep -q 'module for containerd is not installed' "$work/check.log" || fail "without the module it does not say what is missing: $(cat "$work/check.log")"
inside dpkg --no-triggers -i "/tmp/${containerd_deb##*/}" >>"$work/dpkg.log" 2>&1 || fail "dpkg did not install the package for containerd"
inside systemd-analyze verify "$unit" >"$work/verify.log" 2>&1 && [ ! -s "$work/verify.log" ] ||
    fail "systemd does not take the unit with the drop-in for containerd: $(cat "$work/verify.log")"
check_containerd >"$work/check.log" 2>&1 || true
grep -q 'nowhere.sock: does not answer' "$work/check.log" || fail "the module is not used: $(cat "$work/check.log")"
inside test -x /usr/libexec/ecs-node-agent/ecs-awslogs || fail "there is no program for logs"
# what the agent has made of a host's network goes with the package; the owner's rules stay
cat >"$root/tmp/host-rules" <<'RULES'
*filter
:ECS-FORWARD - [0:0]
:ECS-INPUT - [0:0]
:ECS-USER - [0:0]
-A INPUT -j ECS-INPUT
-A INPUT -p tcp --dport 51678 -j DROP
-A FORWARD -j ECS-FORWARD
-A ECS-FORWARD -j ECS-USER
-A ECS-FORWARD -i ecs0 -j ACCEPT
-A ECS-INPUT -d 127.0.0.0/8 -i ecs0 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
COMMIT
*nat
:ECS-DNAT - [0:0]
:ECS-POSTROUTING - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j ECS-DNAT
-A POSTROUTING -j ECS-POSTROUTING
-A ECS-POSTROUTING -s 172.18.0.0/16 ! -o ecs0 -j MASQUERADE
COMMIT
RULES
inside unshare --net sh -c 'ip link add ecs0 type bridge && iptables-restore </tmp/host-rules &&
    dpkg --no-triggers -P ecs-node-agent-containerd && iptables-save && ip -br link' >"$work/network.log" 2>&1 ||
    fail "dpkg did not purge the package for containerd: $(cat "$work/network.log")"
! grep -qE 'ECS-|ecs0' "$work/network.log" && grep -q 'dport 51678' "$work/network.log" ||
    fail "the purge has left or taken too much of the network: $(cat "$work/network.log")"
rm "$root/tmp/host-rules"

inside systemctl enable ecs >>"$work/dpkg.log" 2>&1 || fail "the service cannot be enabled"

# -- started: with the environment, the capabilities and the write access that the unit gives --------------------------
chroot "$root" /usr/bin/ecs-local --listen 127.0.0.1:0 --data /tmp/control-plane --cluster package-test \
    >"$work/local.out" 2>"$work/local.log" &
pids+=($!)
until_true 10 grep -qs 'http://' "$work/local.out" || fail "ecs-local did not start"
endpoint=$(grep -om1 'http://[0-9.:]*' "$work/local.out")
cat >>"$root/etc/ecs/ecs.config" <<SETTINGS
ECS_CLUSTER=package-test
ECS_BACKEND_HOST=$endpoint
AWS_DEFAULT_REGION=us-west-2
AWS_ACCESS_KEY_ID=package
AWS_SECRET_ACCESS_KEY=package
ECS_EXTERNAL=true
ECS_IMAGE_PULL_BEHAVIOR=prefer-cached
ECS_CONTAINER_STOP_TIMEOUT=2s
ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION=1s
SETTINGS

environment=()
while IFS= read -r setting; do
    setting=${setting#\'}; environment+=("${setting%\'}")
done < <(of_unit Environment)
while IFS= read -r file; do
    [ -e "$root${file#-}" ] || continue
    while IFS= read -r setting; do environment+=("$setting"); done < <(grep -E '^[A-Z_]+=' "$root${file#-}")
done < <(of_unit EnvironmentFile)

[ "$(of_unit ProtectSystem)" = strict ] || fail "this test is written for ProtectSystem=strict"
run_directory=/run/$(of_unit RuntimeDirectory)
own_directories=("/var/lib/$(of_unit StateDirectory)" "/var/log/$(of_unit LogsDirectory)" "$run_directory")
mkdir "$root$run_directory"
for directory in "${own_directories[@]}"; do mount --bind "$root$directory" "$root$directory"; done
mount -o remount,bind,ro "$root"
mount -o remount,bind,ro "$root/run"
capabilities=-all
for capability in $(of_unit CapabilityBoundingSet); do capabilities+=,+${capability#CAP_}; done
capabilities=${capabilities,,}
confined=(chroot "$root" setpriv --no-new-privs --bounding-set "$capabilities" --inh-caps -all)
hierarchy=/sys/fs/cgroup
[ ! -d "$hierarchy/cpu" ] || hierarchy+=/cpu
"${confined[@]}" mkdir "$hierarchy/package-test.$$" && rmdir "$hierarchy/package-test.$$" ||
    fail "with its capabilities it could make no cgroup"

"$NOTIFY_LISTENER" "$root/tmp/notify" >"$work/notify.log" &
pids+=($!)
until_true 5 test -S "$root/tmp/notify" || fail "nobody listens on the notify socket"
told() { grep -qE "^$1" "$work/notify.log"; }
(
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "${environment[@]}" NOTIFY_SOCKET=/tmp/notify WATCHDOG_USEC=1000000 \
        WATCHDOG_PID="$BASHPID" "${confined[@]}" "$(of_unit ExecStart)" >"$work/agent.log" 2>&1
) &
agent=$!
pids+=("$agent")

until_true 20 told 'STATUS=waiting for Docker at unix:///var/run/docker.sock$' ||
    fail "it does not say that it waits for Docker"
told 'EXTEND_TIMEOUT_USEC=[0-9]+$' || fail "it does not ask for time to wait"
if told READY=1; then fail "it was ready without Docker"; fi
mount -o remount,bind,rw "$root/run"
touch "$root/run/docker.sock"
mount --bind "${docker_socket#unix://}" "$root/run/docker.sock"
mount -o remount,bind,ro "$root/run"
until_true 60 told READY=1 || fail "it did not become ready"
until_true 20 told 'STATUS=container instance [0-9a-f]+ of cluster package-test, connected to ECS$' ||
    fail "it does not say how it stands"
fed() { [ "$(grep -c '^WATCHDOG=1$' "$work/notify.log")" -gt "$1" ]; }
until_true 20 fed $(($(grep -c '^WATCHDOG=1$' "$work/notify.log") + 2)) || fail "the watchdog is not fed"
inside ecs-node status >"$work/status.log" 2>&1 || fail "ecs-node has no answer"
grep -q package-test "$work/status.log" || fail "ecs-node status does not name the cluster"
for file in /var/lib/ecs/data/ecs-node-agent.db /var/log/ecs/{ecs-agent,audit}.log /run/ecs-node-agent/control.sock; do
    [ -e "$root$file" ] || fail "there is no $file"
done

ecs() {
    curl -sS --fail-with-body --max-time 10 "$endpoint/" --aws-sigv4 aws:amz:us-west-2:ecs --user package:package \
        -H 'Content-Type: application/x-amz-json-1.1' -H "X-Amz-Target: AmazonEC2ContainerServiceV20141113.$1" -d "$2"
}
# as another user, in a pause container's namespace (its program is the package's), under limits of the task
ecs RegisterTaskDefinition '{"family": "package-test", "cpu": "128", "memory": "64", "pidMode": "task",
    "containerDefinitions": [{
    "name": "main", "image": "busybox:latest", "user": "65534", "command": ["sleep", "600"]}]}' >"$work/ecs.log" ||
        fail "the task definition was refused"
ecs RunTask '{"cluster": "package-test", "taskDefinition": "package-test"}' >"$work/ecs.log" ||
    fail "the task was refused"
task=$(jq -re '.tasks[0].taskArn' "$work/ecs.log") || fail "the task was not placed"
status_is() {
    curl -sf "$endpoint/_local/tasks" |
        jq -e --arg t "$task" --arg s "$1" 'any(.[]; .taskArn == $t and .lastStatus == $s)' >/dev/null
}
until_true 30 status_is RUNNING || fail "the task did not run"
cgroups_of_task() { find /sys/fs/cgroup -maxdepth 4 -type d -name "*${task##*/}*"; }
[ -n "$(cgroups_of_task)" ] || fail "the task runs without a cgroup of its own"
containers() { docker ps -aq --filter "label=com.amazonaws.ecs.task-arn=$task" "$@"; }
main=$(containers --filter label=com.amazonaws.ecs.container-name=main)
metadata=$(docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' "$main" |
    sed -n 's#^ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2#http://127.0.0.1:51679#p')
measured() { curl -sf "$metadata/stats" | jq -e '.memory_stats.usage > 0 and .networks.eth0.rx_bytes >= 0' >/dev/null; }
until_true 20 measured || fail "the container's memory and network are not measured: $(curl -s "$metadata/stats")"
ecs StopTask "{\"cluster\": \"package-test\", \"task\": \"$task\"}" >"$work/ecs.log" ||
    fail "the task could not be stopped"
until_true 30 status_is STOPPED || fail "the task did not stop"
task_is_gone() { [ -z "$(containers)" ] && [ -z "$(cgroups_of_task)" ]; }
until_true 30 task_is_gone || fail "the stopped task was not cleaned up"

kill "$agent"
wait "$agent" && code=0 || code=$?
[ "$code" -eq 0 ] || fail "the agent ended with $code after SIGTERM"
until_true 5 told STOPPING=1 || fail "it does not say that it stops"

# -- removed, purged ---------------------------------------------------------------------------------------------------
kill "${pids[0]}"; wait "${pids[0]}" || true
mount -o remount,bind,rw "$root"
for directory in "${own_directories[@]}"; do umount "$root$directory"; done

inside dpkg --no-triggers -r ecs-node-agent >>"$work/dpkg.log" 2>&1 || fail "dpkg did not remove the package"
[ "$(dpkg_says)" = 'rc ' ] || fail "dpkg says \"$(dpkg_says)\" of the removed package"
for file in /usr/sbin/ecs-node-agent /usr/bin/ecs-node "$unit" "$setup_unit"; do [ ! -e "$root$file" ] ||
    fail "$file is left after removal"; done
grep -q '^ECS_CLUSTER=package-test$' "$root/etc/ecs/ecs.config" || fail "the removal has taken the configuration"
[ -e "$root/var/lib/ecs/data/ecs-node-agent.db" ] || fail "the removal has taken the state"

inside dpkg --no-triggers -i "/tmp/${agent_deb##*/}" >>"$work/dpkg.log" 2>&1 ||
    fail "dpkg did not install the package again"
[ "$(inside systemctl is-enabled ecs)" = enabled ] || fail "the service is not enabled any more"
grep -q '^ECS_CLUSTER=package-test$' "$root/etc/ecs/ecs.config" ||
    fail "the new installation has taken the configuration"

inside dpkg --no-triggers -P ecs-node-agent ecs-local >>"$work/dpkg.log" 2>&1 || fail "dpkg did not purge the packages"
if dpkg_says; then fail "dpkg still knows the package"; fi
[ ! -L "$root/etc/systemd/system/multi-user.target.wants/ecs.service" ] || fail "the purged service is still enabled"
# What differs from this machine now: nothing but dpkg's own records. Directories it has too are no difference.
left=$(cd "$work/upper" && find . -mindepth 1 \( -path ./var/lib/dpkg -o -path ./var/log/dpkg.log \) -prune -o -print |
    while IFS= read -r path; do [ -d "$path" ] && [ -d "/$path" ] || echo "$path"; done)
[ -z "$left" ] || fail "the purge has left or taken: $left"
echo "PASS: installed, started, removed and purged"
