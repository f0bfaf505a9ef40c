nodeagent_test(docker_test LABEL unit DIR unit/runtime/docker LINKS runtime_docker)
