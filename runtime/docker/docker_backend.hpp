#pragma once
// The verbs of runtime::Backend as calls of the Docker Engine API; backend.cpp has containers and volumes, images.cpp
// images.

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/json.hpp"
#include "runtime/backend.hpp"
#include "runtime/docker/api_client.hpp"
#include "runtime/docker/api_versions.hpp"

namespace nodeagent::runtime::docker {

class DockerBackend final : public Backend {
  public:
    explicit DockerBackend(std::unique_ptr<ApiClient> client) : client_(std::move(client)) {}

    asio::awaitable<Result<Capabilities>> probe() override;
    asio::awaitable<Result<void>> ping(std::chrono::nanoseconds deadline) override;

    asio::awaitable<Result<ImageView>> inspect_image(std::string image) override;
    asio::awaitable<Result<std::string>> resolve_digest(std::string image, RegistryAuth auth,
                                                        std::chrono::nanoseconds deadline) override;
    asio::awaitable<Result<void>> pull(std::string reference, RegistryAuth auth, PullOptions options,
                                       std::function<void(const PullProgress&)> progress) override;
    asio::awaitable<Result<void>> tag(std::string source, std::string target) override;
    asio::awaitable<Result<void>> load_image(std::string archive) override;
    asio::awaitable<Result<void>> remove_image(std::string image) override;
    asio::awaitable<Result<std::vector<ImageView>>> list_images() override;

    asio::awaitable<Result<std::string>> create(ContainerSpec spec, std::chrono::nanoseconds deadline) override;
    asio::awaitable<Result<void>> start(std::string id, std::chrono::nanoseconds deadline) override;
    asio::awaitable<Result<void>> stop(std::string id, std::chrono::seconds grace) override;
    asio::awaitable<Result<void>> remove(std::string id) override;
    asio::awaitable<Result<ContainerView>> inspect(std::string id) override;
    asio::awaitable<Result<std::vector<ContainerView>>> list(std::string label) override;

    asio::awaitable<Error> watch(std::function<void()> connected, std::function<void(RuntimeEvent)> sink) override;

    asio::awaitable<Result<void>> create_volume(VolumeSpec spec) override;
    asio::awaitable<Result<VolumeSpec>> inspect_volume(std::string name) override;
    asio::awaitable<Result<void>> remove_volume(std::string name) override;

  private:
    struct Call {
        std::string method = "GET";
        std::string path;  ///< without version
        std::chrono::nanoseconds timeout = std::chrono::seconds(30);
        std::string_view word;  ///< what a timeout says could not be reached (task-engine.md 5.2)
        std::string body{};
        std::vector<std::pair<std::string, std::string>> headers{};
        std::optional<ApiVersion> version{};
        std::string content_type = "application/json";
    };
    /// The answer of a call that worked; statuses from 400 on are errors in the daemon's words.
    asio::awaitable<Result<ApiResponse>> ask(Call call);
    asio::awaitable<Result<Json>> ask_document(Call call);
    asio::awaitable<Result<void>> tell(Call call);
    /// Asks the daemon once and again after its event stream broke: it may come back as another version.
    asio::awaitable<Result<ApiVersions>> versions();
    asio::awaitable<Result<Json>> read_version();

    std::unique_ptr<ApiClient> client_;
    std::optional<ApiVersions> versions_;
};

/// "Could not transition to <word>; timed out after waiting <duration>"
[[nodiscard]] Error transition_timeout(std::string_view word, std::chrono::nanoseconds waited);

}  // namespace nodeagent::runtime::docker
