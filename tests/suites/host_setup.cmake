nodeagent_test(host_setup_test LABEL unit DIR unit/agent/host_setup LINKS app)
# Against the kernel, in network namespaces of its own.
add_test(NAME host_setup_rules_test COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/host_setup_test.sh)
set_tests_properties(host_setup_rules_test PROPERTIES LABELS integration TIMEOUT 120
  ENVIRONMENT "AGENT=$<TARGET_FILE:ecs-node-agent>")
# The units under a systemd of their own.
add_test(NAME host_setup_units_test COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/host_setup_units_test.sh)
set_tests_properties(host_setup_units_test PROPERTIES LABELS integration TIMEOUT 120
  ENVIRONMENT "AGENT=$<TARGET_FILE:ecs-node-agent>;UNITS=${CMAKE_SOURCE_DIR}/systemd")
