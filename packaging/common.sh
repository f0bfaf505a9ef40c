# Sourced by packaging/quickstart and tests/run: packages, a Docker daemon of our own, an image from busybox. Bash.

# say TEXT: one progress line with the time since the script began.
say() { printf '%6.1fs  %s\n' "$(bc_seconds)" "$*"; }
bc_seconds() { awk -v n="$(date +%s%N)" -v s="$script_began" 'BEGIN { printf "%.1f", (n - s) / 1e9 }'; }
script_began=$(date +%s%N)

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

need_root() {
    [ "$(id -u)" -eq 0 ] || fail "$1 must run as root (it starts containers and sets host rules): sudo $1"
}

# install_packages KIND...: the packages of these kinds from packaging/build-packages that are missing. Of the kind
# clients one is there too when a program of its name is: Node often comes from elsewhere.
install_packages() {
    local list missing=() name kind
    list=$(dirname "${BASH_SOURCE[0]}")/build-packages
    while read -r name kind _; do
        case "$name" in ''|\#*) continue ;; esac
        [[ " $* " == *" $kind "* ]] || continue
        [ "$kind" != clients ] || ! command -v "$name" >/dev/null || continue
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done <"$list"
    [ "${#missing[@]}" -gt 0 ] || return 0
    say "installing ${#missing[@]} packages: ${missing[*]}"
    local log; log=$(mktemp)
    # policy-rc.d: installing docker.io must not start a daemon on the host
    if ! { apt-get update -qq && without_services apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        fail "apt-get could not install: ${missing[*]}"
    fi
    rm -f "$log"
}

without_services() {
    local made=
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d && made=1
    fi
    DEBIAN_FRONTEND=noninteractive "$@"; local status=$?
    [ -z "$made" ] || rm -f /usr/sbin/policy-rc.d
    return $status
}

# start_dockerd DIR: a daemon with its own socket and data under DIR; sets DOCKER_HOST and dockerd_pid.
start_dockerd() {
    local dir=$1
    mkdir -p "$dir/data" "$dir/exec"
    dockerd --host "unix://$dir/docker.sock" --data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/docker.pid" \
        >"$dir/dockerd.log" 2>&1 &
    dockerd_pid=$!
    export DOCKER_HOST="unix://$dir/docker.sock"
    local try
    for try in $(seq 300); do
        docker version >/dev/null 2>&1 && return 0
        kill -0 "$dockerd_pid" 2>/dev/null || break
        sleep 0.1
    done
    tail -n 20 "$dir/dockerd.log" >&2
    fail "dockerd did not start (its log is above); remedy what it names, or start Docker yourself"
}

# stop_dockerd DIR: stops the daemon and its containers' leftovers, unmounts, removes DIR.
stop_dockerd() {
    local dir=$1 mount
    if [ -n "${dockerd_pid:-}" ]; then
        kill "$dockerd_pid" 2>/dev/null
        # it waits for containers that do not end; nobody waits for it longer than this
        timeout 30 tail --pid="$dockerd_pid" -f /dev/null || kill -KILL "$dockerd_pid" 2>/dev/null
        wait "$dockerd_pid" 2>/dev/null; dockerd_pid=
    fi
    while read -r _ mount _; do
        case "$mount" in "$dir"/*) umount -l "$mount" 2>/dev/null ;; esac
    done </proc/mounts
    rm -rf "$dir"
}

# start_containerd DIR: a daemon with its own socket and data under DIR; sets CONTAINERD_SOCKET and containerd_pid.
start_containerd() {
    local dir=$1
    mkdir -p "$dir"
    cat >"$dir/config.toml" <<EOF
version = 2
root = "$dir/root"
state = "$dir/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$dir/containerd.sock"
EOF
    containerd --config "$dir/config.toml" >"$dir/containerd.log" 2>&1 &
    containerd_pid=$!
    export CONTAINERD_SOCKET="$dir/containerd.sock"
    local try
    for try in $(seq 300); do
        ctr -a "$CONTAINERD_SOCKET" version >/dev/null 2>&1 && return 0
        kill -0 "$containerd_pid" 2>/dev/null || break
        sleep 0.1
    done
    tail -n 20 "$dir/containerd.log" >&2
    fail "containerd did not start (its log is above); remedy what it names, or start containerd yourself"
}

# stop_containerd DIR: stops the daemon and the shims of its containers, unmounts, removes DIR.
stop_containerd() {
    local dir=$1 mount
    if [ -n "${containerd_pid:-}" ]; then
        kill "$containerd_pid" 2>/dev/null
        timeout 30 tail --pid="$containerd_pid" -f /dev/null || kill -KILL "$containerd_pid" 2>/dev/null
        wait "$containerd_pid" 2>/dev/null; containerd_pid=
    fi
    # a shim is told by the socket in its arguments; its container goes with it
    pkill -KILL -f -- "-address $dir/containerd.sock" 2>/dev/null
    while read -r _ mount _; do
        case "$mount" in "$dir"/*) umount -l "$mount" 2>/dev/null ;; esac
    done </proc/mounts
    rm -rf "$dir"
}

# busybox_root DIR: a root of nothing but a static busybox and its applet links.
busybox_root() {
    mkdir -p "$1/bin" "$1/tmp" "$1/etc"
    cp "$(command -v busybox)" "$1/bin/busybox"
    local applet
    for applet in $("$1/bin/busybox" --list); do [ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"; done
}

# busybox_archive NAME FILE: that root as an image, in the form of `docker save`. Needs no daemon.
busybox_archive() {
    local dir config diff architecture; dir=$(mktemp -d)
    busybox_root "$dir/root"
    tar -C "$dir/root" --sort=name --mtime=@0 --owner=0 --group=0 -cf "$dir/layer.tar" .
    diff=$(sha256sum "$dir/layer.tar"); diff=${diff%% *}
    case "$(uname -m)" in aarch64) architecture=arm64 ;; *) architecture=amd64 ;; esac
    printf '{"architecture":"%s","os":"linux","config":{"Cmd":["sh"],"Env":["PATH=/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$architecture" "$diff" >"$dir/config"
    config=$(sha256sum "$dir/config"); config=${config%% *}.json
    mv "$dir/config" "$dir/$config"
    printf '[{"Config":"%s","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$config" "$1" >"$dir/manifest.json"
    tar -C "$dir" -cf "$2" "$config" layer.tar manifest.json
    rm -rf "$dir"
}

# busybox_image NAME: that root as an image of Docker's.
busybox_image() {
    local root; root=$(mktemp -d)
    busybox_root "$root"
    tar -C "$root" -c . | docker import -c 'CMD ["sh"]' -c 'ENV PATH=/bin' - "$1" >/dev/null
    rm -rf "$root"
}
