nodeagent_test(containerd_images_test LABEL unit DIR unit/runtime/containerd_images LINKS runtime_containerd_images runtime_image ZLIB::ZLIB)
nodeagent_test(registry_test LABEL unit DIR unit/runtime/registry LINKS runtime_registry ZLIB::ZLIB)
