# Secrets, environment files and private registries, with ecs-local as every AWS service. Fixed ports: never two at once.
if(TARGET ecs-node-agent AND TARGET ecs-local AND NODEAGENT_DOCKER_REGISTRY)
  nodeagent_test(secrets_integration_test LABEL integration DIR integration/secrets
                 LINKS test_harness net credentials runtime_docker TIMEOUT 600)
  target_compile_definitions(secrets_integration_test PRIVATE
    NODEAGENT_AGENT="$<TARGET_FILE:ecs-node-agent>" NODEAGENT_LOCAL="$<TARGET_FILE:ecs-local>")
  add_dependencies(secrets_integration_test ecs-node-agent ecs-local)
  set_tests_properties(secrets_integration_test PROPERTIES RESOURCE_LOCK agent-ports)
endif()
