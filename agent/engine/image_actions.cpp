// ResolveManifest, PullImage and ProvideImage. task-engine.md 2.7, 5.5, 5.6.

#include <optional>
#include <utility>

#include "agent/base/log.hpp"
#include "agent/base/test_point.hpp"
#include "agent/engine/actions.hpp"
#include "agent/engine/image_claims.hpp"
#include "agent/engine/image_ledger.hpp"
#include "agent/engine/image_puller.hpp"
#include "agent/engine/image_reference.hpp"
#include "agent/engine/patient_call.hpp"
#include "agent/engine/pause_image.hpp"
#include "agent/engine/runtime_errors.hpp"
#include "agent/engine/runtime_link.hpp"

namespace nodeagent::engine {

namespace {

constexpr std::chrono::seconds kPresenceLimit(30);

/// The image's own digest among those the runtime knows it by; "" when it has none at all.
DigestResult local_digest(const runtime::ImageView& image, const std::string& name) {
    if (image.repo_digests.empty()) return ManifestDigest{};
    const std::string repository = normalized_repository(name);
    for (const std::string& known : image.repo_digests) {
        if (normalized_repository(known) == repository) return ManifestDigest{std::string(image_digest(known))};
    }
    return core::NamedError{.name = std::string(kResolveManifest.error_name),
                            .message = "failed to find a repo digest matching '" + name + "'"};
}

}  // namespace

asio::awaitable<Result<runtime::ImageView>> Actions::look_at_image(std::string image) {
    std::function<asio::awaitable<Result<runtime::ImageView>>()> call = [this, image = std::move(image)] {
        return tools_.backend.inspect_image(image);
    };
    Result<runtime::ImageView> view = co_await patient_call(tools_.link, tools_.clock, std::move(call));
    co_return view;
}

asio::awaitable<bool> Actions::pull_needed(std::string image, std::optional<runtime::ImageView>& cached) {
    using config::ImagePullBehavior;
    const ImagePullBehavior behavior = tools_.config.image_pull_behavior;
    if (behavior == ImagePullBehavior::Default || behavior == ImagePullBehavior::Always) co_return true;
    if (behavior == ImagePullBehavior::Once && !tools_.images.pulled_before(image)) co_return true;
    Result<runtime::ImageView> found = co_await look_at_image(image);
    if (found) cached = *std::move(found);
    co_return behavior == ImagePullBehavior::PreferCached && !cached;
}

asio::awaitable<RegistryAuthResult> Actions::registry_auth(LiveTask& task, std::string container) {
    RegistryAuthRequest request;
    request.execution_credentials_id = task.state().execution_credentials_id;
    if (const core::ContainerState* found = task.state().find(container)) {
        request.image = found->definition->image;
        request.authentication = found->definition->registry_authentication;
        if (request.authentication && request.authentication->asm_auth_data) {
            const std::string& parameter = request.authentication->asm_auth_data->credentials_parameter;
            request.fetched = tools_.vault.registry(task.state().arn, parameter);
        }
    }
    RegistryAuthResult found = co_await tools_.registry_auth.find(std::move(request));
    co_return found;
}

asio::awaitable<void> Actions::run(LiveTask& task, core::ResolveManifest action) {
    const core::ContainerState* container = task.state().find(action.container);
    if (container == nullptr) co_return;
    const std::string image = container->definition->image;
    core::ManifestResolved resolved{.container = action.container, .digest = {}, .error = {}};
    if (const auto digest = image_digest(image); !digest.empty()) {
        resolved.digest = digest;
        task.tell(std::move(resolved));
        co_return;
    }
    NODEAGENT_POINT("manifest.before");
    co_await tools_.link.wait_reachable();
    std::optional<runtime::ImageView> cached;
    const bool needed = co_await pull_needed(image, cached);
    DigestResult digest = ManifestDigest{};
    if (needed) {
        RegistryAuthResult auth = co_await registry_auth(task, action.container);
        if (auth) {
            runtime::RegistryAuth known = *std::move(auth);
            PullFor whom{task.state().arn, action.container};
            digest = co_await tools_.puller.resolve(image, std::move(known), std::move(whom));
        } else {
            digest = std::move(auth).error();
        }
    } else if (cached) {
        digest = local_digest(*cached, image);
    } else {
        digest =
            core::NamedError{.name = std::string(kResolveManifest.error_name), .message = "No such image: " + image};
    }
    NODEAGENT_POINT("manifest.resolved");
    if (digest) {
        resolved.digest = std::move(digest)->text;
    } else {
        resolved.error = std::move(digest).error();
        conceal(task, resolved.error);
    }
    task.tell(std::move(resolved));
}

asio::awaitable<void> Actions::run(LiveTask& task, core::PullImage action) {
    const core::ContainerState* container = task.state().find(action.container);
    if (container == nullptr) co_return;
    const std::string image = container->definition->image;
    const std::string digest = container->image_digest;
    core::ImagePulled pulled{.container = action.container, .image_id = {}, .pulled = false, .error = {}};
    if (task.state().desired == core::TaskStatus::Stopped) {
        pulled.error =
            core::NamedError{.name = "TaskStoppedBeforePullBeginError",
                             .message = "Task stopped before image pull could begin for task: " + task.state().arn};
        task.tell(std::move(pulled));
        co_return;
    }
    NODEAGENT_POINT("pull.before");
    co_await tools_.link.wait_reachable();
    // until the ledger knows that the image is used, nobody removes it
    const ImageClaims::Hold in_use = co_await tools_.claims.use(image);
    std::optional<runtime::ImageView> found;
    const bool needed = co_await pull_needed(image, found);
    if (needed) {
        task.tell(core::PullBegan{action.container});
        RegistryAuthResult auth = co_await registry_auth(task, action.container);
        if (auth) {
            runtime::RegistryAuth known = *std::move(auth);
            PullFor whom{task.state().arn, action.container};
            pulled.error = co_await tools_.puller.pull(image, digest, std::move(known), std::move(whom));
        } else {
            pulled.error = std::move(auth).error();
        }
        conceal(task, pulled.error);
        pulled.pulled = true;
        Result<runtime::ImageView> view = co_await look_at_image(image);
        if (view) {
            found = *std::move(view);
        } else if (!pulled.error) {
            log::warn("pulled image cannot be inspected", {{"image", image}, {"cause", view.error().what}});
        }
    }
    NODEAGENT_POINT("pull.done");
    if (found) {
        pulled.image_id = found->id;
        tools_.images.use(task.state().arn, action.container, image, *found, needed && !pulled.error,
                          tools_.clock.now().wall);
    }
    task.tell(std::move(pulled));
}

asio::awaitable<void> Actions::run(LiveTask& task, core::ProvideImage action) {
    const core::ContainerState* container = task.state().find(action.container);
    if (container == nullptr) co_return;
    const std::string image = container->definition->image;
    core::ImagePulled provided{.container = action.container, .image_id = {}, .pulled = false, .error = {}};
    Result<runtime::ImageView> present = co_await look_at_image(image);
    if (!present && present.error().kind == ErrorKind::NotFound) {
        auto work = [places = tools_.pause_programs] { return make_pause_image(places); };
        Result<std::string> archive = co_await tools_.pool.run(std::move(work));
        Result<void> loaded;
        if (archive) {
            std::function<asio::awaitable<Result<void>>()> load = [this, &archive] {
                return tools_.backend.load_image(*archive);
            };
            loaded = co_await patient_call(tools_.link, tools_.clock, std::move(load));
        } else {
            loaded = std::move(archive).error();
        }
        if (loaded) log::info("image of pause containers loaded", {{"image", image}});
        if (!loaded) {
            provided.error =
                core::NamedError{.name = std::string(core::kCannotCreateContainer),
                                 .message = "image " + image + " cannot be loaded: " + loaded.error().what};
        }
    } else if (!present) {
        provided.error = named_error(kCreate, present.error(), kPresenceLimit);
    }
    task.tell(std::move(provided));
}

}  // namespace nodeagent::engine
