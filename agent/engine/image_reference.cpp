#include "agent/engine/image_reference.hpp"

namespace nodeagent::engine {

std::string_view image_digest(std::string_view image) {
    const auto at = image.find('@');
    return at == std::string_view::npos ? std::string_view() : image.substr(at + 1);
}

std::string_view image_repository(std::string_view image) {
    image = image.substr(0, image.find('@'));
    const auto colon = image.rfind(':');
    if (colon == std::string_view::npos || image.find('/', colon) != std::string_view::npos) return image;
    return image.substr(0, colon);
}

std::string normalized_repository(std::string_view image) {
    const std::string repository(image_repository(image));
    const auto slash = repository.find('/');
    const std::string first = slash == std::string::npos ? std::string() : repository.substr(0, slash);
    const bool has_host =
        first.find('.') != std::string::npos || first.find(':') != std::string::npos || first == "localhost";
    if (has_host && first != "docker.io" && first != "index.docker.io") return repository;
    const std::string path = has_host ? repository.substr(slash + 1) : repository;
    return path.find('/') == std::string::npos ? "docker.io/library/" + path : "docker.io/" + path;
}

std::string pull_reference(std::string_view image, std::string_view resolved_digest) {
    if (!image_digest(image).empty()) return std::string(image);
    if (!resolved_digest.empty()) return std::string(image_repository(image)) + "@" + std::string(resolved_digest);
    if (image_repository(image).size() == image.size()) return std::string(image) + ":latest";
    return std::string(image);
}

}  // namespace nodeagent::engine
