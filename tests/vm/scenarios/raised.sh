# Limits above the daemon's own, and a privileged container.
define raised '{"privileged": true, "ulimits": [{"name": "nofile", "softLimit": 1048576, "hardLimit": 1048576},
    {"name": "memlock", "softLimit": -1, "hardLimit": -1}, {"name": "rtprio", "softLimit": 50, "hardLimit": 50},
    {"name": "core", "softLimit": -1, "hardLimit": -1}],
    "command": ["sh", "-c", "trap \"exit 7\" TERM; grep -E \"^Max (open files|locked memory|realtime priority)\" /proc/self/limits; mkdir /m && mount -t tmpfs t /m && echo mounted; ip link add d0 type dummy && echo linked; [ -e /dev/vda ] && echo devices; echo 1 >/proc/sys/net/ipv4/ip_forward && echo tunable; echo done; while :; do sleep 1 & wait $!; done"]}' \
    '{"cpu": "128", "memory": "64"}'
task=$(run_task raised)
becomes "$task" RUNNING
id=$(runtime_id "$task")
done_printing() { printed "$id" | grep -qx done; }
until_true 60 done_printing || fail "it did not come to its end: $(printed "$id")"
text=$(printed "$id" | tr -s ' ')
for line in 'Max open files 1048576 1048576 files' 'Max locked memory unlimited unlimited bytes' \
    'Max realtime priority 50 50' mounted linked devices tunable; do
    grep -q "^$line" <<<"$text" || fail "it does not say \"$line\", but: $text"
done
stop_task "$task"
becomes "$task" STOPPED
