# The packages as an administrator installs them, without a network; the control plane beside them.
# until dockerd and containerd have made theirs
systemctl is-system-running --wait >/dev/null || fail "the machine is not well: $(systemctl --failed --no-legend)"
files >"$state/files-before"
began=$(seconds)
cp /mnt/*.deb /tmp/
apt-get install -y -q ./tmp/ecs-node-agent_*.deb ./tmp/ecs-local_*.deb >"$state/apt.log" 2>&1 ||
    { tail -n 20 "$state/apt.log"; fail "apt did not install the packages"; }
figure install "$(since "$began")"
[ "$(systemctl is-enabled ecs || true)" = disabled ] || fail "the service is enabled unasked"

cat >/etc/systemd/system/control-plane.service <<UNIT
[Service]
ExecStart=/usr/bin/ecs-local --listen ${endpoint#http://} --data /var/lib/control-plane --cluster vm
Restart=always
[Install]
WantedBy=multi-user.target
UNIT
systemctl enable --now control-plane 2>&1
until_true 30 curl -sf "$endpoint/_local/tasks" >/dev/null || fail "ecs-local does not answer"
# README, "Install": what leads containers to the agent
cat >/etc/systemd/system/redirect.service <<'UNIT'
[Unit]
After=docker.service
[Service]
Type=oneshot
ExecStart=sysctl -w net.ipv4.conf.all.route_localnet=1
ExecStart=iptables -w -t nat -A PREROUTING -p tcp -d 169.254.170.2 --dport 80 -j DNAT --to-destination 127.0.0.1:51679
[Install]
WantedBy=multi-user.target
UNIT
systemctl enable --now redirect 2>&1
docker load -qi /mnt/busybox.tar
ctr -n ecs images import /mnt/busybox.tar >/dev/null
