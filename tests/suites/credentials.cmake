nodeagent_test(credentials_test LABEL unit DIR unit/agent/credentials LINKS credentials)
