nodeagent_test(engine_test LABEL unit DIR unit/agent/engine LINKS engine)
nodeagent_test(resources_test LABEL unit DIR unit/agent/engine/resources LINKS engine)
