# The whole daemon with one fault at one point of a task's life: tests/run crash-matrix runs all of it.
if(TARGET ecs-node-agent AND NODEAGENT_TEST_POINTS AND NODEAGENT_DOCKER_REGISTRY)
  add_executable(crash_matrix integration/crash_matrix/main.cpp integration/crash_matrix/cell.cpp
    integration/crash_matrix/containerd_daemon.cpp integration/crash_matrix/containerd_leftovers.cpp
    integration/crash_matrix/docker_daemon.cpp integration/crash_matrix/history.cpp integration/crash_matrix/lane.cpp
    integration/crash_matrix/lane_cgroups.cpp integration/crash_matrix/lane_processes.cpp integration/crash_matrix/point_listener.cpp
    integration/crash_matrix/programs.cpp integration/crash_matrix/task.cpp)
  target_link_libraries(crash_matrix PRIVATE nodeagent_flags test_harness runtime_containerd runtime_image SQLite::SQLite3
    ZLIB::ZLIB)
  target_precompile_headers(crash_matrix REUSE_FROM nodeagent_pch)
  target_compile_definitions(crash_matrix PRIVATE NODEAGENT_AGENT="$<TARGET_FILE:ecs-node-agent>"
    NODEAGENT_CONTAINERD_MODULE="$<TARGET_FILE:ecs-containerd>" NODEAGENT_SOURCE="${CMAKE_SOURCE_DIR}")
  add_dependencies(crash_matrix ecs-node-agent ecs-containerd ecs-awslogs)
  # the column an operator meets most; the others take too long for every change
  add_test(NAME crash_matrix_kill COMMAND crash_matrix --fault kill --lanes 3)
  set_tests_properties(crash_matrix_kill PROPERTIES LABELS integration TIMEOUT 900)
  # of the other runtime, the points at which most is under way
  add_test(NAME crash_matrix_containerd COMMAND crash_matrix --runtime containerd --fault kill --lanes 3 --point pull.before
    --point container.create.done --point container.start.done --point container.exit.seen --point container.stop.done
    --point cleanup.container.removed)
  set_tests_properties(crash_matrix_containerd PROPERTIES LABELS integration TIMEOUT 300)
endif()
