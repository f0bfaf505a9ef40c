# The units' hardening as systemd judges it: exposure at most 4.0.
add_test(NAME unit_exposure_test
  COMMAND systemd-analyze security --offline=yes --threshold=40 ${CMAKE_SOURCE_DIR}/systemd/ecs.service)
add_test(NAME host_setup_exposure_test
  COMMAND systemd-analyze security --offline=yes --threshold=40 ${CMAKE_SOURCE_DIR}/systemd/ecs-host-setup.service)
set_tests_properties(unit_exposure_test host_setup_exposure_test PROPERTIES LABELS integration)
# The packages of this build, from installation to purge, on a copy of this machine's files.
add_executable(notify_listener harness/notify_listener.cpp)
target_link_libraries(notify_listener PRIVATE nodeagent_flags)
add_test(NAME package_test COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/package_test.sh)
set_tests_properties(package_test PROPERTIES LABELS integration TIMEOUT 300 RESOURCE_LOCK agent-ports
  ENVIRONMENT "BUILD=${CMAKE_BINARY_DIR};CPACK=${CMAKE_CPACK_COMMAND};NOTIFY_LISTENER=$<TARGET_FILE:notify_listener>")
