nodeagent_test(takeover_test LABEL unit DIR unit/agent/takeover LINKS takeover)
