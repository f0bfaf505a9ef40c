nodeagent_test(cgroups_test LABEL unit DIR unit/cgroups LINKS cgroups systemd)
nodeagent_test(cgroups_contract_test LABEL contract DIR contract/cgroups LINKS cgroups)
