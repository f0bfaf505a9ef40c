# The log driver journald, with a journal.
define speaking '{"command": ["sh", "-c", "echo to the journal; echo and an error >&2; exit 4"], "logConfiguration": {"logDriver": "journald", "options": {"tag": "speaking"}}}'
task=$(run_task speaking)
becomes "$task" STOPPED
[ "$(describe "$task" | jq -r '.containers[0].exitCode')" = 4 ] || fail "$(describe "$task" | jq -c '[.stoppedReason, .containers[].reason]')"
id=$(runtime_id "$task")
in_journal() { journalctl -b -o json "CONTAINER_ID_FULL=$id" | jq -r '"\(.PRIORITY) \(.CONTAINER_TAG) \(.MESSAGE)"' | sort >"$state/said" && [ "$(wc -l <"$state/said")" -ge 2 ]; }
until_true 60 in_journal || fail "the journal has of it only: $(cat "$state/said")"
[ "$(cat "$state/said")" = $'3 speaking and an error\n6 speaking to the journal' ] || fail "the journal has: $(cat "$state/said")"
