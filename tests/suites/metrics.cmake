nodeagent_test(metrics_test LABEL unit DIR unit/agent/telemetry/prometheus LINKS telemetry)
target_compile_definitions(metrics_test PRIVATE NODEAGENT_PACKAGING="${CMAKE_SOURCE_DIR}/packaging")

# What Prometheus itself says of our text and of the alert rules.
find_program(NODEAGENT_PROMTOOL promtool)
if(NODEAGENT_PROMTOOL)
  target_compile_definitions(metrics_test PRIVATE NODEAGENT_PROMTOOL="${NODEAGENT_PROMTOOL}")
  add_test(NAME alert_rules_test COMMAND ${NODEAGENT_PROMTOOL} test rules
           ${CMAKE_SOURCE_DIR}/packaging/prometheus/tests/ecs-node-agent_test.yml)
  set_tests_properties(alert_rules_test PROPERTIES LABELS unit TIMEOUT 120)
endif()

find_program(NODEAGENT_PROMETHEUS prometheus)
if(TARGET ecs-node-agent AND TARGET ecs-local AND NODEAGENT_PROMETHEUS AND NODEAGENT_PROMTOOL)
  add_test(NAME prometheus_test COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/prometheus_test.sh)
  set_tests_properties(prometheus_test PROPERTIES LABELS integration TIMEOUT 240 RESOURCE_LOCK agent-ports
    ENVIRONMENT "ECS_LOCAL=$<TARGET_FILE:ecs-local>;AGENT=$<TARGET_FILE:ecs-node-agent>;NODE=$<TARGET_FILE:ecs-node>")
endif()
