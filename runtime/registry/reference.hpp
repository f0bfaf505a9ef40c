#pragma once
// Image references as Docker reads them. Pure.

#include <string>
#include <string_view>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::registry {

/// Normalised: "busybox" is docker.io / library/busybox : latest.
struct Reference {
    std::string host;    ///< "docker.io", "127.0.0.1:5000"
    std::string path;    ///< "library/busybox"
    std::string tag;     ///< "" only when there is a digest
    std::string digest;  ///< "sha256:<64 hex digits>", or ""

    /// "docker.io/library/busybox"
    [[nodiscard]] std::string repository() const { return host + "/" + path; }
    /// As people write it: "busybox", "127.0.0.1:5000/team/web".
    [[nodiscard]] std::string familiar() const;
    /// What image records are called: "docker.io/library/busybox:latest", or "...@sha256:..." when there is a digest,
    /// which wins over a tag.
    [[nodiscard]] std::string record() const { return repository() + suffix(); }
    /// The same with the familiar name.
    [[nodiscard]] std::string shown() const { return familiar() + suffix(); }
    friend bool operator==(const Reference&, const Reference&) = default;

  private:
    [[nodiscard]] std::string suffix() const { return digest.empty() ? ":" + tag : "@" + digest; }
};

/// Malformed with Docker's text ("invalid reference format", "invalid reference format: repository name must be
/// lowercase") when no registry can have such a name.
[[nodiscard]] Result<Reference> parse_reference(std::string_view text);

/// "sha256:" and 64 lower-case hex digits, the only algorithm containerd stores by.
[[nodiscard]] bool is_digest(std::string_view text);

}  // namespace nodeagent::runtime::registry
