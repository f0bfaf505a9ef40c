# A container that takes more than its limit is killed by the kernel, and the control plane is told that it was.
define greedy '{"memory": 32, "command": ["sh", "-c", "x=word; while :; do x=$x$x; done"]}' '{"memory": "64"}'
task=$(run_task greedy)
becomes "$task" STOPPED
answer=$(describe "$task" | jq -r '.containers[0] | "\(.exitCode) \(.reason)"')
case "$answer" in '137 OutOfMemory'*) ;; *) fail "the container ended with: $answer" ;; esac
journalctl -k -b | grep -q 'Memory cgroup out of memory' || fail "the kernel has not killed it: $(describe "$task")"
