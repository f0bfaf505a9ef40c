#pragma once
// The parts of an image's name. task-engine.md 5.5, 5.6, D.7.

#include <string>
#include <string_view>

namespace nodeagent::engine {

/// "sha256:..." of "name@sha256:..."; "" when the name has no digest.
[[nodiscard]] std::string_view image_digest(std::string_view image);
/// Without tag and digest: "localhost:5000/a:b" -> "localhost:5000/a".
[[nodiscard]] std::string_view image_repository(std::string_view image);
/// Fully written repository, so that two spellings compare: "busybox" -> "docker.io/library/busybox".
[[nodiscard]] std::string normalized_repository(std::string_view image);
/// What to pull: by digest when one is known, else by name with ":latest" when it has no tag.
[[nodiscard]] std::string pull_reference(std::string_view image, std::string_view resolved_digest);

}  // namespace nodeagent::engine
