# Tasks of several kinds on their way when the power goes: the run cuts it some seconds later.
define steady '{"command": ["sleep", "100000"]}'
define short '{"essential": true, "command": ["sh", "-c", "exit 3"]}'
for family in steady short steady; do run_task "$family"; done >"$state/tasks"
becomes "$(head -n 1 "$state/tasks")" RUNNING
# these are between two steps, whichever
for family in steady short steady steady; do run_task "$family"; done >>"$state/tasks"
sync -f "$state/tasks"
