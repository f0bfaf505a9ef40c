#pragma once
// ECS_ENGINE_AUTH_TYPE and ECS_ENGINE_AUTH_DATA: registry credentials of the instance. task-engine.md 5.7.

#include <map>
#include <string>
#include <string_view>

#include "agent/base/error.hpp"
#include "agent/base/secret.hpp"
#include "runtime/types.hpp"

namespace nodeagent::engine {

class EngineAuth {
  public:
    EngineAuth() = default;  ///< no credentials: every image is pulled anonymously
    /// `type` is "", "docker" or "dockercfg". Malformed for another type or data that is not the JSON the type asks
    /// for; the text never holds any of the data.
    [[nodiscard]] static Result<EngineAuth> parse(std::string_view type, const Secret& data);

    /// The entry for the registry of `image`: exact host, else the longest key of the same host that is a prefix of it.
    [[nodiscard]] runtime::RegistryAuth find(std::string_view image) const;

  private:
    std::map<std::string, runtime::RegistryAuth, std::less<>> by_registry_;
};

/// The part of an image reference before the first '/', when it is a host: it has '.' or ':' or is "localhost"; else
/// "".
[[nodiscard]] std::string_view registry_host(std::string_view image);

}  // namespace nodeagent::engine
