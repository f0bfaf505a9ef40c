nodeagent_test(metadata_test LABEL unit DIR unit/metadata LINKS metadata)

# by hand: see the file
add_executable(bench_metadata_server EXCLUDE_FROM_ALL ${CMAKE_CURRENT_SOURCE_DIR}/bench/metadata_server.cpp)
target_link_libraries(bench_metadata_server PRIVATE nodeagent_flags metadata GTest::gtest)
target_compile_definitions(bench_metadata_server PRIVATE NODEAGENT_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data")
