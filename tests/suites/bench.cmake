# Real processes around a real agent: for integration tests and figures.
nodeagent_library(test_harness SOURCES harness/agent_process.cpp harness/await_file.cpp harness/control_plane.cpp harness/docker_client.cpp LINKS base)

# Not a test: figures, by hand (bench/bench.cpp says how).
add_executable(bench EXCLUDE_FROM_ALL bench/bench.cpp)
target_link_libraries(bench PRIVATE nodeagent_flags test_harness)
target_precompile_headers(bench REUSE_FROM nodeagent_pch)

add_executable(store_bench EXCLUDE_FROM_ALL bench/store_bench.cpp)
target_link_libraries(store_bench PRIVATE nodeagent_flags engine)
target_precompile_headers(store_bench REUSE_FROM nodeagent_pch)

# Not a test either: hours of tasks of every kind (bench/soak.cpp says how).
add_executable(soak EXCLUDE_FROM_ALL bench/soak.cpp bench/soak_agent.cpp bench/soak_engine.cpp bench/soak_ledger.cpp
  bench/soak_report.cpp bench/soak_workload.cpp)
target_link_libraries(soak PRIVATE nodeagent_flags engine ecs test_harness)
target_precompile_headers(soak REUSE_FROM nodeagent_pch)

add_executable(sampler_bench EXCLUDE_FROM_ALL bench/sampler_bench.cpp)
target_link_libraries(sampler_bench PRIVATE nodeagent_flags telemetry)
target_precompile_headers(sampler_bench REUSE_FROM nodeagent_pch)

add_executable(telemetry_bench EXCLUDE_FROM_ALL bench/telemetry_bench.cpp)
target_link_libraries(telemetry_bench PRIVATE nodeagent_flags test_harness)
target_precompile_headers(telemetry_bench REUSE_FROM nodeagent_pch)

add_executable(pull_bench EXCLUDE_FROM_ALL bench/pull_bench.cpp)
target_link_libraries(pull_bench PRIVATE nodeagent_flags runtime_containerd_images runtime_containerd ZLIB::ZLIB)
target_compile_definitions(pull_bench PRIVATE NODEAGENT_CONTAINERD_MODULE="$<TARGET_FILE:ecs-containerd>")
target_precompile_headers(pull_bench REUSE_FROM nodeagent_pch)
add_dependencies(pull_bench ecs-containerd)
