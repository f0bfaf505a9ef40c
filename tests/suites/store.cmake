nodeagent_test(store_contract_test LABEL contract DIR contract/store LINKS engine)
