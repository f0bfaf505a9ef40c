nodeagent_test(config_test LABEL unit DIR unit/agent/config LINKS config)
