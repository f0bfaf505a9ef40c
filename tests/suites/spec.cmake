nodeagent_test(spec_test LABEL unit DIR unit/agent/engine/spec LINKS engine_spec ALONE payload_fields_test.cpp)
