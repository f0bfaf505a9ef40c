# nodeagent_fuzz(name CORPUS dir LINKS ...): tests/fuzz/<name>.cpp with its seeds in tests/data/<dir>. With NODEAGENT_FUZZ
# (clang) a libFuzzer program to be run by hand: build/fuzz/<name> -max_total_time=60 tests/data/<dir>. Otherwise a test
# labelled fuzz that replays the seeds and their prefixes.
if(NODEAGENT_FUZZ)
  target_compile_options(nodeagent_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

function(nodeagent_fuzz name)
  cmake_parse_arguments(ARG "" "CORPUS" "LINKS" ${ARGN})
  set(corpus ${CMAKE_SOURCE_DIR}/tests/data/${ARG_CORPUS})
  if(NODEAGENT_FUZZ)
    add_executable(${name} fuzz/${name}.cpp)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name} fuzz/${name}.cpp fuzz/replay.cpp)
    add_test(NAME ${name} COMMAND ${name} ${corpus})
    set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 120)
  endif()
  target_link_libraries(${name} PRIVATE nodeagent_flags ${ARG_LINKS})
endfunction()

nodeagent_fuzz(acs_frame_fuzz CORPUS acs_frames LINKS model)
nodeagent_fuzz(ws_codec_fuzz CORPUS ws_streams LINKS ws_codec base)
nodeagent_fuzz(router_fuzz CORPUS http_requests LINKS metadata)
