nodeagent_test(docker_test LABEL unit DIR unit/runtime/docker LINKS runtime_docker)
nodeagent_test(backend_contract_test LABEL unit DIR unit/runtime/contract LINKS base runtime_image)
nodeagent_test(docker_backend_test LABEL contract DIR integration/docker_backend LINKS runtime_docker runtime_image engine_spec
               TIMEOUT 300)
if(NODEAGENT_DOCKER_REGISTRY)
  nodeagent_test(docker_pull_test LABEL contract DIR integration/docker_registry LINKS runtime_docker TIMEOUT 300)
else()
  message(STATUS "docker_pull_test is left out: apt-get install docker-registry")
endif()
