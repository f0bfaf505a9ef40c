# The whole daemon on a real Docker daemon. Its ports are fixed: never two at once.
nodeagent_test(daemon_test LABEL integration DIR integration LINKS test_harness takeover TIMEOUT 600)
if(TARGET daemon_test)
  target_compile_definitions(daemon_test PRIVATE NODEAGENT_AGENT="$<TARGET_FILE:ecs-node-agent>"
                                                 NODEAGENT_NODE="$<TARGET_FILE:ecs-node>")
  add_dependencies(daemon_test ecs-node-agent ecs-node)
  set_tests_properties(daemon_test PROPERTIES RESOURCE_LOCK agent-ports)
endif()
# What every field of a task definition comes to, likewise.
nodeagent_test(payload_fields_test LABEL integration DIR integration/fields LINKS test_harness TIMEOUT 600)
if(TARGET payload_fields_test)
  target_compile_definitions(payload_fields_test PRIVATE NODEAGENT_AGENT="$<TARGET_FILE:ecs-node-agent>")
  add_dependencies(payload_fields_test ecs-node-agent ecs-pause)
  set_tests_properties(payload_fields_test PROPERTIES RESOURCE_LOCK agent-ports)
endif()
# Needs root: a filesystem of its own for a Docker daemon of its own.
if(NODEAGENT_DOCKER_REGISTRY)
  nodeagent_test(small_disk_test LABEL integration DIR integration/small_disk LINKS engine runtime_docker TIMEOUT 300)
endif()
# The reference agent replaced under a cluster that ecs-local keeps. Fixed ports, likewise.
nodeagent_test(takeover_integration_test LABEL integration DIR integration/takeover LINKS test_harness net credentials takeover
               TIMEOUT 300)
if(TARGET takeover_integration_test)
  target_compile_definitions(takeover_integration_test PRIVATE NODEAGENT_AGENT="$<TARGET_FILE:ecs-node-agent>"
                                                               NODEAGENT_LOCAL="$<TARGET_FILE:ecs-local>")
  add_dependencies(takeover_integration_test ecs-node-agent ecs-local)
  set_tests_properties(takeover_integration_test PROPERTIES RESOURCE_LOCK agent-ports)
endif()
