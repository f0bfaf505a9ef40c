#include "runtime/docker/image_reference.hpp"

namespace nodeagent::runtime::docker {

namespace {

std::string familiar(std::string_view repository) {
    for (const std::string_view hub : {std::string_view("docker.io/"), std::string_view("index.docker.io/")}) {
        if (!repository.starts_with(hub)) continue;
        repository.remove_prefix(hub.size());
        if (repository.starts_with("library/")) repository.remove_prefix(8);
        return std::string(repository);
    }
    if (repository.starts_with("library/") && repository.find('/', 8) == std::string_view::npos) {
        repository.remove_prefix(8);
    }
    return std::string(repository);
}

}  // namespace

ImageReference parse_image_reference(std::string_view image) {
    ImageReference reference{.repository = {}, .tag = "latest"};
    const std::size_t at = image.find('@');
    std::string_view name = image.substr(0, at);
    const std::size_t colon = name.rfind(':');
    const bool tagged = colon != std::string_view::npos && name.find('/', colon) == std::string_view::npos;
    if (tagged) {
        reference.tag = std::string(name.substr(colon + 1));
        name = name.substr(0, colon);
    }
    if (at != std::string_view::npos) reference.tag = std::string(image.substr(at + 1));
    reference.repository = familiar(name);
    return reference;
}

}  // namespace nodeagent::runtime::docker
