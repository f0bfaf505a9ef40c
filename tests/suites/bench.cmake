# Not a test: figures, by hand (tests/bench/bench.cpp says how).
add_executable(bench EXCLUDE_FROM_ALL bench/bench.cpp bench/agent_process.cpp bench/control_plane.cpp bench/docker_client.cpp)
target_link_libraries(bench PRIVATE nodeagent_flags base)
target_precompile_headers(bench REUSE_FROM nodeagent_pch)
