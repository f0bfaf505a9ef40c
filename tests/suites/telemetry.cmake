nodeagent_test(telemetry_test LABEL unit DIR unit/agent/telemetry LINKS telemetry TIMEOUT 900)
nodeagent_test(docker_stats_test LABEL contract DIR contract/telemetry LINKS telemetry test_harness)
