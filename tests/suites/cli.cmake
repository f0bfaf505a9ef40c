nodeagent_test(cli_test LABEL unit DIR unit/agent/cli LINKS cli)
nodeagent_test(cli_logs_test LABEL unit DIR unit/agent/cli/logs LINKS cli_logs)
# ecs-node logs through the real agent, on a containerd of its own in namespaces of its own.
if(TARGET ecs-node AND TARGET ecs-local AND TARGET ecs-containerd)
  add_test(NAME node_logs_test
           COMMAND unshare --net --mount --pid --fork --kill-child --mount-proc
                   sh -c "ip link set lo up && exec ${CMAKE_CURRENT_SOURCE_DIR}/integration/node_logs_test.sh")
  set_tests_properties(node_logs_test PROPERTIES LABELS integration TIMEOUT 120 ENVIRONMENT "BUILD=${CMAKE_BINARY_DIR}")
endif()
