nodeagent_test(docker_document_test LABEL contract DIR integration/docker_document
               LINKS runtime_docker runtime_image runtime_containerd_volumes runtime_containerd_oci TIMEOUT 300)
