nodeagent_test(containerd_oci_test LABEL unit DIR unit/runtime/containerd_oci
               LINKS runtime_containerd_volumes runtime_containerd_oci engine_spec)
# The document given to runc beside a real Docker daemon: needs root.
nodeagent_test(runc_parity_test LABEL contract DIR integration/runc_parity
               LINKS runtime_containerd_volumes runtime_containerd_oci runtime_docker TIMEOUT 300)
# Mounts of their own: need root.
nodeagent_test(containerd_roots_test LABEL contract DIR integration/containerd_roots
               LINKS runtime_containerd_volumes runtime_containerd_oci)
