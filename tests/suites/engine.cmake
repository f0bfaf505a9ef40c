nodeagent_test(engine_test LABEL unit DIR unit/agent/engine LINKS engine)
