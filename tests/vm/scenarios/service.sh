# The service under systemd: ready, connected, quiet, small, alone in its cgroup.
if [ "$runtime" = containerd ]; then
    began=$(seconds)
    # apt's own user reads it there; a boot has emptied the folder
    cp /mnt/upgrade/*.deb /mnt/*.deb /tmp/
    installed=$(dpkg-query -W -f '${Version}' ecs-node-agent)
    apt-get install -y -q ./tmp/ecs-node-agent-containerd_"$installed"_*.deb >"$state/apt.log" 2>&1 ||
        { tail -n 20 "$state/apt.log"; fail "apt did not install the package for containerd"; }
    figure install "$(since "$began")"
    [ "$(of_service NeedDaemonReload)" = no ] || fail "systemd has not read the drop-in that the package brought"
fi
systemctl stop ecs
rm -rf /var/lib/ecs/data  # the runtime may have been another
settings
since_then=$(seconds)
systemctl enable ecs 2>&1
began=$(seconds)
systemctl start ecs || { journalctl -u ecs -o cat | tail -n 20; fail "the service did not start"; }
figure ready "$(since "$began")"
[ "$(of_service ActiveState)" = active ] || fail "the service is $(of_service ActiveState)"
# READY is after registration, when the runtime has answered: it may not be said to be away
case "$(of_service StatusText)" in *'does not answer'*) fail "ready, and yet: $(of_service StatusText)" ;; esac
until_connected 60
figure connected "$(since "$began")"
systemctl status --no-pager --full ecs
ecs-node status
if ecs-node status | grep -q 'NOT REACHABLE'; then fail "ecs-node says the runtime is away"; fi
[ -z "$(complaints "$since_then")" ] || fail "the agent complains: $(complaints "$since_then")"
[ "$(systemctl is-system-running)" = running ] || fail "units have failed: $(systemctl --failed --no-legend)"
figure memory-mib "$(($(of_service MemoryCurrent) / 1048576))"
[ "$(of_service MemoryCurrent)" -lt $((48 << 20)) ] || fail "it needs $(of_service MemoryCurrent) bytes without a task"
[ "$(of_service NRestarts)" = 0 ] || fail "it was restarted"
others=$(systemd-cgls --no-pager -u ecs.service | grep -E '[0-9]+ /' | grep -v ecs-node-agent || true)
[ -z "$others" ] || fail "others are in its cgroup: $others"
