nodeagent_test(app_test LABEL unit DIR unit/agent/app LINKS app)
