// An archive of images: what is read lies within it.
#include "runtime/containerd/images/image_archive_reader.hpp"
#include "runtime/containerd/images/tar_reader.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    using namespace nodeagent;
    using namespace nodeagent::runtime;
    using fuzz::require;
    const std::string_view archive = fuzz::text_of(bytes, size);
    const auto within = [&archive](std::string_view part) {
        return part.empty() ||
               (part.data() >= archive.data() && part.data() + part.size() <= archive.data() + archive.size());
    };
    const auto files = containerd::read_tar(archive);
    if (!files) {
        require(files.error().kind == ErrorKind::Malformed, "a bad archive is malformed", files.error().what);
    } else {
        for (const auto& [name, file] : *files) {
            require(within(file.content), "a file lies within the archive", name);
            require(!name.empty() && !name.starts_with('/') && ("/" + name + "/").find("/../") == std::string::npos,
                    "a name stays in the archive", name);
            (void)containerd::content_of(*files, name);
        }
    }
    const auto images = containerd::read_image_archive(archive);
    if (!images) return 0;
    for (const auto& image : *images) {
        require(within(image.config), "a configuration lies within the archive");
        require(image.layers.size() == image.parsed.layers.size(), "layers are those of the manifest");
    }
    return 0;
}
