nodeagent_test(ecs_test LABEL unit DIR unit/agent/ecs LINKS ecs ALONE poll_endpoint_test.cpp registration_test.cpp)
