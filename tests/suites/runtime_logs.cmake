nodeagent_test(runtime_logs_test LABEL unit DIR unit/runtime/logs LINKS runtime_logs)
# Real pipes, real processes, ecs-local as the service.
if(TARGET ecs-awslogs AND TARGET ecs-local)
  add_test(NAME awslogs_test COMMAND python3 -m unittest awslogs_test
           WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/integration/logs)
  add_test(NAME log_drivers_test COMMAND python3 -m unittest drivers_test
           WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/integration/logs)
  add_test(NAME logs_reach_test COMMAND unshare --net sh -c "ip link set lo up && exec python3 -m unittest reach_test"
           WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/integration/logs)
  # docker's own driver against ours; in a network namespace of its own, since a dockerd without a bridge removes docker0
  add_test(NAME docker_awslogs_test
           COMMAND unshare --net sh -c "ip link set lo up && exec python3 -m unittest docker_awslogs_test"
           WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/integration/logs)
  if(TARGET ecs-node-agent)
    add_test(NAME agent_logs_test COMMAND unshare --net --mount sh -c "ip link set lo up && exec python3 -m unittest agent_test"
             WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/integration/logs)
    set_tests_properties(agent_logs_test PROPERTIES LABELS integration TIMEOUT 300 ENVIRONMENT "NODEAGENT_BUILD=${CMAKE_BINARY_DIR}")
  endif()
  set_tests_properties(awslogs_test logs_reach_test log_drivers_test docker_awslogs_test PROPERTIES LABELS integration TIMEOUT 300
    ENVIRONMENT "NODEAGENT_BUILD=${CMAKE_BINARY_DIR}")
endif()
