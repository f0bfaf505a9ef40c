# The whole daemon on a real Docker daemon. Its ports are fixed: never two at once.
nodeagent_test(daemon_test LABEL integration DIR integration LINKS test_harness TIMEOUT 600)
if(TARGET daemon_test)
  target_compile_definitions(daemon_test PRIVATE NODEAGENT_AGENT="$<TARGET_FILE:ecs-node-agent>")
  add_dependencies(daemon_test ecs-node-agent)
  set_tests_properties(daemon_test PROPERTIES RESOURCE_LOCK agent-ports)
endif()
# Needs root: a filesystem of its own for a Docker daemon of its own.
if(NODEAGENT_DOCKER_REGISTRY)
  nodeagent_test(small_disk_test LABEL integration DIR integration/small_disk LINKS engine runtime_docker TIMEOUT 300)
endif()
