nodeagent_test(local_test LABEL unit DIR unit/agent/local LINKS local ALONE logs_test.cpp)
if(TARGET ecs-node-agent AND TARGET ecs-local)
  add_test(NAME aws_cli_test COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/aws_cli_test.sh)
  set_tests_properties(aws_cli_test PROPERTIES LABELS integration TIMEOUT 180 RESOURCE_LOCK agent-ports
    ENVIRONMENT "ECS_LOCAL=$<TARGET_FILE:ecs-local>;AGENT=$<TARGET_FILE:ecs-node-agent>")
  # SDKs of Debian and curl in a real task; tests/run clients has many more
  add_test(NAME clients_test COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/clients/run --short)
  set_tests_properties(clients_test PROPERTIES LABELS integration TIMEOUT 300 RESOURCE_LOCK agent-ports
    ENVIRONMENT "ECS_LOCAL=$<TARGET_FILE:ecs-local>;AGENT=$<TARGET_FILE:ecs-node-agent>")
endif()
if(TARGET ecs-local)
  add_test(NAME cloudwatch_cli_test COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/cloudwatch_cli_test.sh)
  set_tests_properties(cloudwatch_cli_test PROPERTIES LABELS integration TIMEOUT 180
    ENVIRONMENT "ECS_LOCAL=$<TARGET_FILE:ecs-local>")
endif()
