nodeagent_test(containerd_test LABEL unit DIR unit/runtime/containerd LINKS runtime_containerd
               ALONE backend_test.cpp exits_test.cpp keyed_lock_test.cpp strays_test.cpp loggers_test.cpp)
# the module's path is a build's own
nodeagent_test(containerd_backend_test LABEL contract DIR integration/containerd_backend LINKS runtime_containerd runtime_image
               TIMEOUT 300)
target_compile_definitions(containerd_backend_test PRIVATE NODEAGENT_CONTAINERD_MODULE="$<TARGET_FILE:ecs-containerd>"
  NODEAGENT_LOGGER="$<TARGET_FILE:ecs-awslogs>")
add_dependencies(containerd_backend_test ecs-containerd ecs-awslogs)
