nodeagent_test(containerd_network_test LABEL unit DIR unit/runtime/containerd_network LINKS runtime_containerd_network)
nodeagent_test(containerd_networks_test LABEL contract DIR integration/containerd_network
               LINKS runtime_containerd_network TIMEOUT 300)
