nodeagent_test(containerd_oci_test LABEL unit DIR unit/runtime/containerd_oci
               LINKS runtime_containerd_volumes runtime_containerd_oci engine_spec)
