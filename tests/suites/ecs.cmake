nodeagent_test(ecs_test LABEL unit DIR unit/agent/ecs LINKS ecs)
