nodeagent_test(core_test LABEL unit DIR unit/agent/core LINKS core)
