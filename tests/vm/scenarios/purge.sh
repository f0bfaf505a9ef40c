# Removed, the programs are gone and settings, state and logs stay; purged, nothing is left.
ecs-node drain --wait >/dev/null
packages=(ecs-node-agent ecs-local)
! dpkg-query -W ecs-node-agent-containerd >/dev/null 2>&1 || packages+=(ecs-node-agent-containerd)
apt-get remove -y -q "${packages[@]}" >"$state/apt.log" 2>&1 || { tail -n 20 "$state/apt.log"; fail "apt did not remove them"; }
[ "$(of_service ActiveState)" = inactive ] || fail "the service is $(of_service ActiveState) after the removal"
pgrep -x ecs-node-agent && fail "the agent still runs"
[ -e /etc/ecs/ecs.config ] && [ -e /var/lib/ecs/data/ecs-node-agent.db ] && [ -e /var/log/ecs/ecs-agent.log ] ||
    fail "the removal has taken settings, state or logs"
[ ! -e /usr/sbin/ecs-node-agent ] || fail "the program is left"
apt-get purge -y -q "${packages[@]}" >"$state/apt.log" 2>&1 || { tail -n 20 "$state/apt.log"; fail "apt did not purge them"; }
systemctl disable --now control-plane redirect 2>&1
rm -f /etc/systemd/system/{control-plane,redirect}.service
systemctl daemon-reload
left=$(comm -13 "$state/files-before" <(files))
[ -z "$left" ] || fail "the purge has left: $left"
taken=$(comm -23 "$state/files-before" <(files))
[ -z "$taken" ] || fail "the purge has taken: $taken"
! systemctl cat ecs.service >/dev/null 2>&1 || fail "systemd still knows the unit"
[ -z "$(iptables-save | grep ECS- || true)" ] || fail "rules are left: $(iptables-save | grep ECS-)"
! ip link show ecs0 >/dev/null 2>&1 || fail "the bridge is left"
