nodeagent_test(cli_test LABEL unit DIR unit/agent/cli LINKS cli)
