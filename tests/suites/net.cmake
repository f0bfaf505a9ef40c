nodeagent_test(net_test LABEL unit DIR unit/agent/net LINKS net fake_acs)
