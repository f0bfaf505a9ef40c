nodeagent_test(containerd_test LABEL unit DIR unit/runtime/containerd LINKS runtime_containerd)
