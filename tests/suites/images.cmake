nodeagent_test(containerd_images_test LABEL unit DIR unit/runtime/containerd_images LINKS runtime_containerd_images ZLIB::ZLIB)
