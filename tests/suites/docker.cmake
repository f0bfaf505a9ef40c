nodeagent_test(docker_test LABEL unit DIR unit/runtime/docker LINKS runtime_docker)
nodeagent_test(backend_contract_test LABEL unit DIR unit/runtime/contract LINKS base)
