# A program per decoder: tests/fuzz/<name>.cpp with its seeds in tests/data/<corpus>.
# With NODEAGENT_FUZZ (preset fuzz, clang) a libFuzzer program, and a test labelled fuzz that runs it for
# NODEAGENT_FUZZ_SECONDS (environment, default 20) from its seeds; tests/fuzz/run_target says where inputs go.
# Otherwise a test labelled fuzz that replays the seeds and their prefixes.

# nodeagent_fuzz(name CORPUS dir LINKS ...): LINKS are the folders' libraries; the fuzz build has one of its own instead.
function(nodeagent_fuzz name)
  cmake_parse_arguments(ARG "" "CORPUS" "LINKS" ${ARGN})
  set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/data/${ARG_CORPUS})
  if(NODEAGENT_FUZZ)
    add_executable(${name} EXCLUDE_FROM_ALL fuzz/${name}.cpp)
    target_link_libraries(${name} PRIVATE fuzzed)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    target_precompile_headers(${name} REUSE_FROM fuzzed)
    add_dependencies(fuzz_targets ${name})
    add_test(NAME ${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/run_target $<TARGET_FILE:${name}> ${corpus})
    set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 86400)
  else()
    add_executable(${name} fuzz/${name}.cpp fuzz/replay.cpp)
    target_link_libraries(${name} PRIVATE nodeagent_flags ${ARG_LINKS})
    add_test(NAME ${name} COMMAND ${name} ${corpus})
    set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 120)
  endif()
endfunction()

if(NODEAGENT_FUZZ)
  target_compile_options(nodeagent_flags INTERFACE -fsanitize=fuzzer-no-link -ffunction-sections)
  target_link_options(nodeagent_flags INTERFACE -Wl,--gc-sections)
  add_custom_target(fuzz_targets)
  # Instrumenting clang takes its time, so only the files that decode, and what these call.
  set(fuzzed
    agent/base/error.cpp agent/base/files.cpp agent/base/gzip.cpp agent/base/json.cpp agent/base/random.cpp agent/base/strings.cpp
    agent/base/time_format.cpp
    agent/config/container_paths.cpp agent/config/contradictions.cpp agent/config/environment.cpp agent/config/host.cpp agent/config/load.cpp agent/config/settings.cpp agent/config/special_settings.cpp
    agent/config/ulimits.cpp agent/config/values.cpp
    agent/core/container_facts.cpp agent/core/dependencies.cpp agent/core/feature_gaps.cpp agent/core/fetched.cpp
    agent/core/fold.cpp agent/core/from_payload.cpp agent/core/host_resources.cpp agent/core/internal_containers.cpp agent/core/metadata_file.cpp
    agent/core/network_bindings.cpp
    agent/core/payload_rules.cpp agent/core/plan.cpp agent/core/pull_rules.cpp agent/core/rollup.cpp
    agent/core/saved_task.cpp agent/core/schedule.cpp agent/core/step.cpp agent/core/stop_reason.cpp
    agent/core/stop_time.cpp agent/core/task_state.cpp agent/core/transitions.cpp
    agent/credentials/answer.cpp agent/credentials/profile.cpp
    agent/engine/observation.cpp agent/engine/resources/vault.cpp agent/engine/spec/container_spec.cpp agent/engine/spec/docker_documents.cpp
    agent/engine/spec/engine_auth.cpp agent/engine/spec/env_file.cpp agent/engine/spec/environment.cpp
    agent/engine/spec/log_config.cpp agent/engine/spec/names.cpp agent/engine/spec/secret_values.cpp
    agent/engine/spec/volumes.cpp
    agent/local/cloudwatch/cbor.cpp agent/local/cloudwatch/get_metric_data.cpp
    agent/local/cloudwatch/get_metric_statistics.cpp agent/local/cloudwatch/list_metrics.cpp
    agent/local/cloudwatch/metric_store.cpp agent/local/cloudwatch/parameters.cpp
    agent/local/cloudwatch/put_metric_data.cpp agent/local/cloudwatch/query_protocol.cpp
    agent/local/cloudwatch/service.cpp agent/local/cloudwatch/statistic_set.cpp agent/local/cloudwatch/time_range.cpp
    agent/local/errors.cpp agent/local/publish_round.cpp
    agent/model/acs_messages.cpp agent/model/envelope.cpp agent/model/status.cpp agent/model/tcs_messages.cpp
    agent/net/aws_endpoint.cpp
    agent/takeover/bolt_file.cpp agent/takeover/reference_task.cpp
    metadata/message.cpp metadata/request_parser.cpp metadata/router.cpp metadata/task_protection.cpp metadata/url_path.cpp
    runtime/containerd/mount_words.cpp
    runtime/containerd/oci/capabilities.cpp runtime/containerd/oci/command.cpp runtime/containerd/oci/devices.cpp
    runtime/containerd/oci/documents.cpp runtime/containerd/oci/exec_process.cpp
    runtime/containerd/oci/file_systems.cpp runtime/containerd/oci/host_devices.cpp
    runtime/containerd/oci/kernel_settings.cpp runtime/containerd/oci/mount_options.cpp
    runtime/containerd/oci/resources.cpp runtime/containerd/oci/seccomp.cpp
    runtime/containerd/oci/seccomp_profile.cpp runtime/containerd/oci/security_options.cpp
    runtime/containerd/oci/spec.cpp runtime/containerd/oci/user.cpp
    runtime/containerd/images/chain_ids.cpp runtime/containerd/images/config_document.cpp
    runtime/containerd/images/image_archive_reader.cpp runtime/containerd/images/tar_reader.cpp
    runtime/docker/mapping.cpp
    runtime/registry/bounded_json.cpp runtime/registry/challenge.cpp runtime/registry/digest.cpp
    runtime/registry/manifest.cpp runtime/registry/platform.cpp runtime/registry/reference.cpp
    runtime/registry/refusal.cpp runtime/registry/token.cpp
    runtime/logs/config.cpp runtime/logs/events.cpp runtime/logs/pattern.cpp runtime/logs/shared.cpp
    runtime/logs/splitter.cpp runtime/logs/tag.cpp runtime/logs/text.cpp tests/fuzz/asio_parts.cpp)
  list(TRANSFORM fuzzed PREPEND ${CMAKE_SOURCE_DIR}/)
  add_library(fuzzed STATIC EXCLUDE_FROM_ALL ${fuzzed})
  set_target_properties(fuzzed PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  target_link_libraries(fuzzed PUBLIC nodeagent_flags ws_codec OpenSSL::Crypto ZLIB::ZLIB ${NODEAGENT_RE2})
  target_precompile_headers(fuzzed PRIVATE
    <algorithm> <array> <chrono> <functional> <map> <memory> <optional> <string> <string_view> <variant> <vector>
    <nlohmann/json.hpp> <boost/asio/awaitable.hpp> <boost/system/result.hpp>)
endif()

nodeagent_fuzz(acs_frame_fuzz CORPUS acs_frames LINKS model)
nodeagent_fuzz(ws_codec_fuzz CORPUS ws_streams LINKS ws_codec base)
nodeagent_fuzz(router_fuzz CORPUS http_requests LINKS metadata)
nodeagent_fuzz(query_fuzz CORPUS queries LINKS metadata)
nodeagent_fuzz(task_protection_fuzz CORPUS protection_bodies LINKS metadata)
nodeagent_fuzz(http_request_fuzz CORPUS http_streams LINKS metadata)
nodeagent_fuzz(payload_fuzz CORPUS payloads LINKS engine_spec runtime_docker)
nodeagent_fuzz(manifest_fuzz CORPUS manifests LINKS model)
nodeagent_fuzz(credentials_fuzz CORPUS credentials LINKS credentials)
nodeagent_fuzz(docker_config_fuzz CORPUS docker_configs LINKS engine_spec runtime_docker)
nodeagent_fuzz(oci_spec_fuzz CORPUS oci_documents LINKS engine_spec runtime_containerd_volumes)
nodeagent_fuzz(docker_inspect_fuzz CORPUS docker_inspects LINKS engine runtime_docker)
nodeagent_fuzz(docker_event_fuzz CORPUS docker_events LINKS runtime_docker)
nodeagent_fuzz(env_file_fuzz CORPUS env_files LINKS engine_spec)
nodeagent_fuzz(config_file_fuzz CORPUS config_files LINKS config engine_spec)
nodeagent_fuzz(saved_task_fuzz CORPUS saved_tasks LINKS core)
nodeagent_fuzz(bolt_file_fuzz CORPUS bolt_files LINKS takeover)
nodeagent_fuzz(reference_task_fuzz CORPUS reference_tasks LINKS takeover)
nodeagent_fuzz(cloudwatch_fuzz CORPUS cloudwatch_requests LINKS local)
nodeagent_fuzz(publish_round_fuzz CORPUS publish_rounds LINKS local)
nodeagent_fuzz(registry_manifest_fuzz CORPUS registry_manifests LINKS runtime_registry)
nodeagent_fuzz(registry_answer_fuzz CORPUS registry_answers LINKS runtime_registry)
nodeagent_fuzz(image_config_fuzz CORPUS image_configs LINKS runtime_containerd_images)
nodeagent_fuzz(image_archive_fuzz CORPUS image_archives LINKS runtime_containerd_images)
nodeagent_fuzz(log_lines_fuzz CORPUS log_lines LINKS runtime_logs)
