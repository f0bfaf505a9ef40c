#!/bin/bash
# What `ecs-node-agent host-setup` makes of a host, as packets see it: a network namespace is the host, one behind its
# bridge a container, one on the other side of a cable a neighbour. Once for each kind of iptables.
#   AGENT   the ecs-node-agent program
# Needs root, iproute2, iptables, curl, python3. Touches nothing outside its namespaces.
set -eu -o pipefail

: "${AGENT:?set it to ecs-node-agent}"
if [ -z "${kind:-}" ]; then
    for kind in nft legacy; do
        kind=$kind unshare --mount --net --pid --fork --kill-child -- "$0" || exit 1
    done
    echo "PASS: with iptables-nft and iptables-legacy"
    exit 0
fi

mount --make-rprivate /
mount -t proc proc /proc
mount -t sysfs sysfs /sys
for folder in /run /usr/local/sbin; do mount -t tmpfs tmpfs "$folder"; done
work=/run/test
mkdir "$work"
for program in iptables ip6tables; do
    for part in '' -save -restore; do
        ln -s "/usr/sbin/$program-$kind$part" "/usr/local/sbin/$program$part"
    done
done
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
case $kind in nft) other=legacy ;; legacy) other=nft ;; esac
fail() { echo "FAIL ($kind): $*" >&2; exit 1; }
setup() { env "${settings[@]}" "$AGENT" host-setup "$@"; }
settings=(DOCKER_HOST=unix:///run/nowhere.sock)
state() {
    for family in iptables ip6tables; do "$family-save" | sed -E -e '/^(#|COMMIT)/d' -e 's/ \[[0-9:]+\]$//'; done
    sysctl net.ipv4.conf.all.route_localnet
    ip route show 169.254.170.2
}
rules() { state | grep '^-A' || true; }
same() { diff <(cat "$1") <(cat "$2") >&2 || fail "$3"; }

# -- the host, a container, a neighbour --------------------------------------------------------------------------------
ip link set lo up
ip link add docker0 type bridge
# namespace NAME INTERFACE: pinned, with the other end of a cable to `INTERFACE` of the host
namespace() {
    ip netns add "$1"
    ip link add "$2" type veth peer name eth0 netns "$1"
    ip link set "$2" up
    ip -n "$1" link set eth0 up
}
namespace container c0
namespace neighbour n0
ip link set c0 master docker0
ip link set docker0 up
ip addr add 172.31.7.1/24 dev docker0
ip addr add fd00:7::1/64 dev docker0 nodad
ip addr add 10.9.9.1/24 dev n0
ip addr add fd00:9::1/64 dev n0 nodad
ip -n container addr add 172.31.7.2/24 dev eth0
ip -n container addr add fd00:7::2/64 dev eth0 nodad
ip -n container route add default via 172.31.7.1
ip -n container route add default via fd00:7::1
ip -n neighbour addr add 10.9.9.2/24 dev eth0
ip -n neighbour addr add fd00:9::2/64 dev eth0 nodad
# it sends to our loopback over the wire, as anybody on the same network can
ip netns exec neighbour sysctl -qw net.ipv4.conf.eth0.route_localnet=1 net.ipv4.conf.all.route_localnet=1
ip -n neighbour route add 127.0.0.0/8 via 10.9.9.1 dev eth0 src 10.9.9.2
ip addr add 169.254.169.254/32 dev lo
ip addr add fd00:ec2::254/128 dev lo nodad
echo open >"$work/index.html"
serve() { python3 -m http.server --directory "$work" --bind "$1" "$2" >/dev/null 2>&1 & }
for port in 51678 51679 80; do serve :: $port; done

# reach NAMESPACE URL: whether it answers; nobody waits long for a packet that was dropped
reach() {
    local where=()
    [ "$1" = host ] || where=(ip netns exec "$1")
    "${where[@]}" curl -s -o /dev/null --noproxy '*' --max-time "${patience:-0.3}" "$2"
}
opens() { patience=5 reach "$1" "$2" || fail "$3"; }
closed() { if reach "$1" "$2"; then fail "$3"; fi; }
for port in 51678 51679 80; do
    for _ in $(seq 200); do ! reach host "http://127.0.0.1:$port/" || break; sleep 0.05; done
done

# -- before ------------------------------------------------------------------------------------------------------------
opens neighbour http://10.9.9.1:51678/ "this test's neighbour does not reach the host"
opens neighbour 'http://[fd00:9::1]:51678/' "this test's neighbour does not reach the host over IPv6"
closed container http://169.254.170.2/ "credentials are reachable without rules"
state >"$work/before"
setup --check >"$work/check" && fail "--check finds a bare host right"
grep -q '^missing .*localhost filter' "$work/check" || fail "--check does not name what is missing: $(cat "$work/check")"
state | cmp -s "$work/before" || fail "--check changed the host"

# -- without the localhost filter, which shows what that is for --------------------------------------------------------
settings+=(ECS_SKIP_LOCALHOST_TRAFFIC_FILTER=T)
setup >"$work/out" 2>&1 || fail "$(cat "$work/out")"
opens neighbour http://127.0.0.1:51679/ "this test's neighbour does not reach the host's loopback"
unset 'settings[1]'

# -- set up ------------------------------------------------------------------------------------------------------------
setup >"$work/out" 2>&1 || fail "$(cat "$work/out")"
state >"$work/after"
setup --check >"$work/check" || fail "--check does not like what host-setup left: $(cat "$work/check")"
grep -q '"at":' /run/ecs-host-setup/outcome.json || fail "the outcome is not told"
opens container http://169.254.170.2/ "a container does not reach its credentials"
opens host http://169.254.170.2/ "a process of the host does not reach its credentials"
opens container http://172.31.7.1:51678/ "a container does not reach introspection"
opens container 'http://[fd00:7::1]:51678/' "a container does not reach introspection over IPv6"
opens host http://127.0.0.1:51678/ "the host does not reach introspection"
closed neighbour http://10.9.9.1:51678/ "a neighbour reaches introspection"
closed neighbour 'http://[fd00:9::1]:51678/' "a neighbour reaches introspection over IPv6"
closed neighbour http://127.0.0.1:51679/ "a neighbour reaches the host's loopback"
ip route show 169.254.170.2 | grep -q "^169.254.170.2 dev lo scope link" || fail "no route without IPv4 routes"

setup >"$work/out" 2>&1 || fail "$(cat "$work/out")"
grep -qx 'All is as it should be.' "$work/out" || fail "the second time it does something: $(cat "$work/out")"
state | cmp -s "$work/after" || fail "the second time it changed the host"

# -- what the reference leaves and expects -----------------------------------------------------------------------------
pre_start() {
    iptables -t nat -A PREROUTING -p tcp -d 169.254.170.2 --dport 80 -j DNAT --to-destination 127.0.0.1:51679
    iptables -t filter -I INPUT --dst 127.0.0.0/8 ! --src 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
    for family in iptables ip6tables; do
        $family -t filter -I INPUT -p tcp --dport 51678 ! -i lo -j DROP
        $family -t filter -I INPUT -p tcp --dport 51678 -i docker0 -j ACCEPT
    done
    iptables -t nat -A OUTPUT -p tcp -d 169.254.170.2 --dport 80 -j REDIRECT --to-ports 51679
}
post_stop() {
    iptables -t nat -D PREROUTING -p tcp -d 169.254.170.2 --dport 80 -j DNAT --to-destination 127.0.0.1:51679
    iptables -t filter -D INPUT --dst 127.0.0.0/8 ! --src 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
    for family in iptables ip6tables; do
        $family -t filter -D INPUT -p tcp --dport 51678 ! -i lo -j DROP
        $family -t filter -D INPUT -p tcp --dport 51678 -i docker0 -j ACCEPT
    done
    iptables -t nat -D OUTPUT -p tcp -d 169.254.170.2 --dport 80 -j REDIRECT --to-ports 51679
}
pre_start && pre_start
setup --check >"$work/check" && fail "--check finds copies right"
grep -q '^duplicate .*3 times' "$work/check" || fail "--check does not count the copies: $(cat "$work/check")"
setup >"$work/out" 2>&1 || fail "copies: $(cat "$work/out")"
state >"$work/now"
same "$work/after" "$work/now" "copies of rules are left"
post_stop || fail "what the reference runs when it stops does not find our rules"
[ -z "$(rules)" ] || fail "the reference would leave: $(rules)"
pre_start
rules >"$work/reference"
setup >"$work/out" 2>&1 || fail "$(cat "$work/out")"
rules >"$work/now"
same "$work/reference" "$work/now" "the reference's own rules are not taken as they are"

# -- an agent that makes them itself, and crashes ----------------------------------------------------------------------
setup --remove >"$work/out" 2>&1 || fail "$(cat "$work/out")"
for crash in 1 2 3; do
    env -i "${settings[@]}" PATH="$PATH" ECS_HOST_SETUP=true ECS_EXTERNAL=true AWS_DEFAULT_REGION=us-west-2 \
        ECS_DATADIR="$work/data" ECS_CONTROL_SOCKET="$work/control.sock" ECS_AUDIT_LOGFILE_DISABLED=true \
        "$AGENT" >"$work/agent.log" 2>&1 &
    agent=$!
    for _ in $(seq 200); do ! grep -q 'waiting for it' "$work/agent.log" || break; sleep 0.05; done
    kill -KILL "$agent"
    wait "$agent" 2>/dev/null || true
    state >"$work/now"
    same "$work/after" "$work/now" "after crash $crash of an agent that sets the host up itself"
done

# -- instance metadata -------------------------------------------------------------------------------------------------
for address in 169.254.169.254 '[fd00:ec2::254]'; do opens container "http://$address/" "this test's container reaches no $address"; done
settings+=(ECS_BRIDGE_BLOCK_IMDS=true)
setup >"$work/out" 2>&1 || fail "$(cat "$work/out")"
for address in 169.254.169.254 '[fd00:ec2::254]'; do
    closed container "http://$address/" "a container reaches $address"
    opens host "http://$address/" "the host does not reach $address"
done
opens container http://169.254.170.2/ "a container does not reach its credentials beside blocked metadata"
setup --check >"$work/check" || fail "$(cat "$work/check")"
settings=("${settings[0]}")
setup >"$work/out" 2>&1 || fail "$(cat "$work/out")"
opens container http://169.254.169.254/ "metadata stays blocked"

# -- the other kind's tables, somebody else's rules --------------------------------------------------------------------
"iptables-$other" -I INPUT -p tcp --dport 51678 ! -i lo -j DROP
setup --check >"$work/check" && fail "--check finds the reference's rule in iptables-$other right"
grep -q "^other kind .*iptables-$other filter INPUT" "$work/check" || fail "--check does not name iptables-$other: $(cat "$work/check")"
eval "$(grep -o "iptables-$other -w .*" "$work/check")"
setup --check >"$work/check" || fail "its remedy does not help: $(cat "$work/check")"
iptables -I INPUT -p tcp --dport 51678 -i n0 -s 10.9.9.2 -j ACCEPT
setup --check >"$work/check" || fail "--check does not let others have their rules: $(cat "$work/check")"
grep -q '^foreign .*-i n0' "$work/check" || fail "--check does not show somebody else's rule: $(cat "$work/check")"

# -- taken back --------------------------------------------------------------------------------------------------------
setup --remove >"$work/out" 2>&1 || fail "$(cat "$work/out")"
[ "$(rules)" = '-A INPUT -s 10.9.9.2/32 -i n0 -p tcp -m tcp --dport 51678 -j ACCEPT' ] || fail "after --remove: $(rules)"
iptables -D INPUT -p tcp --dport 51678 -i n0 -s 10.9.9.2 -j ACCEPT
state | grep -e '^-' -e ' = ' >"$work/now" || true
grep -e '^-' -e ' = ' "$work/before" | cmp -s - "$work/now" || fail "after --remove: $(cat "$work/now")"
[ ! -e /run/ecs-host-setup/outcome.json ] || fail "after --remove the host is still said to be set up"

# -- several at once ---------------------------------------------------------------------------------------------------
runs=()
for _ in 1 2 3 4; do setup >/dev/null 2>&1 & runs+=($!); done
for run in "${runs[@]}"; do wait "$run" || fail "one of four at once failed"; done
rules >"$work/now"
same "$work/reference" "$work/now" "four at once left"
setup --remove >/dev/null 2>&1 || fail "it could not be taken back"

# -- without iptables --------------------------------------------------------------------------------------------------
for program in xtables-nft-multi xtables-legacy-multi; do mount --bind /dev/null "/usr/sbin/$program"; done
setup >"$work/out" 2>&1 && fail "it is content without iptables"
grep -q 'apt-get install iptables' "$work/out" || fail "it does not name the package: $(cat "$work/out")"
[ "$(sysctl -n net.ipv4.conf.all.route_localnet)" = 0 ] || fail "it opens loopback without a filter"
setup --check >"$work/check" && fail "--check is content without iptables"
setup --remove >"$work/out" 2>&1 || fail "it cannot take nothing back: $(cat "$work/out")"
