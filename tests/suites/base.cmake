nodeagent_test(base_test LABEL unit DIR unit/agent/base LINKS model)
