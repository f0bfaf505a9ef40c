#pragma once
// A container runtime in memory that keeps the contract of runtime::Backend (tests/contract runs it against this one
// too). Images, containers and volumes are plain members; failures and delays are scripted per call:
//
//   backend.have_image("busybox:latest");
//   backend.on("pull", "private:1").fail({.kind = ErrorKind::Denied, .what = "no basic auth credentials"});
//   backend.on("start").block();                  ... backend.release("start");
//   backend.exit("web", 3);                       // by container name, id, or the ECS container name label

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/base/strings.hpp"
#include "runtime/backend.hpp"

namespace nodeagent::fakes {

inline constexpr std::string_view kContainerNameLabel = "com.amazonaws.ecs.container-name";

class FakeBackend final : public runtime::Backend {
  public:
    /// What happens when a verb is called with an argument. Empty argument: any.
    class Script {
      public:
        /// The next `times` calls fail; negative: all of them.
        Script& fail(Error error, int times = -1) {
            failures_.emplace_back(std::move(error), times);
            return *this;
        }
        /// Calls wait until release() of the same verb and argument.
        Script& block() {
            blocked_ = true;
            return *this;
        }

      private:
        friend class FakeBackend;
        std::deque<std::pair<Error, int>> failures_;
        bool blocked_ = false;
    };

    struct Container {
        runtime::ContainerView view;
        runtime::ContainerSpec spec;
    };

    explicit FakeBackend(Clock& clock) : clock_(clock) {
        capabilities.runtime = "docker";
        capabilities.version = "20.10.24";
        capabilities.api_versions = {"1.21", "1.41"};
    }

    Script& on(std::string verb, std::string argument = {}) { return scripts_[{std::move(verb), std::move(argument)}]; }
    void release(const std::string& verb, const std::string& argument = {}) {
        on(verb, argument).blocked_ = false;
        wake_all();
    }
    /// How often the verb was called, with the argument when one is given.
    [[nodiscard]] int calls(const std::string& verb, const std::string& argument = {}) const {
        int count = 0;
        for (const auto& [called, with] : log_)
            count += called == verb && (argument.empty() || with == argument) ? 1 : 0;
        return count;
    }
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& log() const { return log_; }

    /// The image is on the host.
    runtime::ImageView& have_image(const std::string& name, std::vector<std::string> env = {}) {
        runtime::ImageView image;
        image.id = "sha256:" + pad("1a", ++serial_);
        image.repo_tags = {name};
        image.env = std::move(env);
        image.size = 1'000'000;
        return images[name] = image;
    }
    /// The image can be pulled; its manifest digest.
    void offer_image(const std::string& name, std::string digest = {}) {
        if (digest.empty()) digest = "sha256:" + pad("d1", ++serial_);
        offered[name] = std::move(digest);
    }
    /// Containers made from this spec name or ECS container name end right after their start.
    void exits_when_started(const std::string& container, int code) { instant_exits_[container] = code; }

    /// The main process of the container ends.
    void exit(const std::string& container, int code, bool oom = false) {
        Container* found = find(container);
        if (found == nullptr || found->view.phase != runtime::ContainerPhase::Running) return;
        end(*found, code, oom);
    }
    void set_health(const std::string& container, runtime::Health health) {
        if (Container* found = find(container)) {
            found->view.health = std::move(health);
            emit(runtime::RuntimeEvent::Kind::Health, found->view.id, std::nullopt);
        }
    }
    /// By id, name, or the ECS container name label (the latest of that name).
    [[nodiscard]] Container* find(const std::string& key) {
        if (const auto it = containers.find(key); it != containers.end()) return &it->second;
        Container* latest = nullptr;
        for (auto& [id, container] : containers) {
            const auto label = container.view.labels.find(std::string(kContainerNameLabel));
            const bool labelled = label != container.view.labels.end() && label->second == key;
            if (container.view.name == key || labelled) latest = &container;
        }
        return latest;
    }

    /// The daemon goes away: streams break and every call gives Unavailable until come_back().
    void go_away() {
        present_ = false;
        break_stream();
        wake_all();
    }
    void come_back() { present_ = true; }
    /// The event stream ends though the daemon is there; events of until the next watch() are lost.
    void break_stream() {
        if (stream_) stream_->broken = true;
        wake_all();
    }

    asio::awaitable<Result<runtime::Capabilities>> probe() override {
        if (auto failed = co_await enter("probe", {})) co_return *std::move(failed);
        co_return capabilities;
    }
    asio::awaitable<Result<void>> ping(std::chrono::nanoseconds) override {
        if (auto failed = co_await enter("ping", {})) co_return *std::move(failed);
        co_return Result<void>{};
    }
    asio::awaitable<Result<runtime::ImageView>> inspect_image(std::string image) override {
        if (auto failed = co_await enter("inspect_image", image)) co_return *std::move(failed);
        if (const auto* found = find_image(image)) co_return *found;
        co_return Error{.kind = ErrorKind::NotFound, .what = "No such image: " + image};
    }
    asio::awaitable<Result<std::string>> resolve_digest(std::string image, runtime::RegistryAuth,
                                                        std::chrono::nanoseconds) override {
        if (auto failed = co_await enter("resolve_digest", image)) co_return *std::move(failed);
        const auto found = offered.find(image);
        if (found == offered.end()) {
            co_return Error{.kind = ErrorKind::NotFound, .what = "manifest unknown: manifest unknown"};
        }
        co_return found->second;
    }
    asio::awaitable<Result<void>> pull(std::string reference, runtime::RegistryAuth auth, runtime::PullOptions,
                                       std::function<void(const runtime::PullProgress&)> progress) override {
        if (keep_records) pulled_with.push_back(auth.username);
        runtime::PullProgress begun;
        begun.status = "Pulling fs layer";
        if (pull_progress) begun = *pull_progress;
        progress(begun);
        if (auto failed = co_await enter("pull", reference)) co_return *std::move(failed);
        const std::string name = reference.substr(0, reference.find('@'));
        for (const auto& [offer, digest] : offered) {
            const bool by_digest = reference.find('@') != std::string::npos && reference.ends_with(digest);
            if (offer != reference && !by_digest) continue;
            runtime::ImageView image;
            image.id = "sha256:" + pad("2b", ++serial_);
            image.repo_digests = {repository(name) + "@" + digest};
            if (by_digest) {
                images[reference] = image;
            } else {
                image.repo_tags = {reference};
                images[reference] = image;
            }
            co_return Result<void>{};
        }
        co_return Error{.kind = ErrorKind::NotFound,
                        .what = "pull access denied for " + repository(name) +
                                ", repository does not exist or may require 'docker login'"};
    }
    asio::awaitable<Result<void>> tag(std::string source, std::string target) override {
        if (auto failed = co_await enter("tag", target)) co_return *std::move(failed);
        const auto* found = find_image(source);
        if (found == nullptr) co_return Error{.kind = ErrorKind::NotFound, .what = "No such image: " + source};
        runtime::ImageView image = *found;
        image.repo_tags = {target};
        images[target] = image;
        co_return Result<void>{};
    }
    asio::awaitable<Result<void>> load_image(std::string archive) override {
        if (auto failed = co_await enter("load_image", {})) co_return *std::move(failed);
        constexpr std::string_view kNames = "\"RepoTags\":[\"";
        const std::size_t names = archive.find(kNames);
        if (names == std::string::npos) co_return Error{.kind = ErrorKind::Malformed, .what = "no image archive"};
        const std::size_t begin = names + kNames.size();
        const std::string name = archive.substr(begin, archive.find('"', begin) - begin);
        if (!images.contains(name)) have_image(name);
        co_return Result<void>{};
    }
    asio::awaitable<Result<void>> remove_image(std::string image) override {
        if (auto failed = co_await enter("remove_image", image)) co_return *std::move(failed);
        const auto* found = find_image(image);
        if (found == nullptr) co_return Error{.kind = ErrorKind::NotFound, .what = "No such image: " + image};
        for (const auto& [id, container] : containers) {
            if (container.view.image_id == found->id) {
                co_return Error{.kind = ErrorKind::Conflict,
                                .what = "conflict: image is being used by container " + id};
            }
        }
        const std::string id = found->id;
        if (images.erase(image) == 0) std::erase_if(images, [&](const auto& entry) { return entry.second.id == id; });
        co_return Result<void>{};
    }
    asio::awaitable<Result<std::vector<runtime::ImageView>>> list_images() override {
        if (auto failed = co_await enter("list_images", {})) co_return *std::move(failed);
        std::map<std::string, runtime::ImageView> by_id;
        for (const auto& [name, image] : images) {
            auto& merged = by_id.emplace(image.id, image).first->second;
            merged.repo_tags.erase(std::remove(merged.repo_tags.begin(), merged.repo_tags.end(), name),
                                   merged.repo_tags.end());
            if (name.find('@') == std::string::npos) merged.repo_tags.push_back(name);
        }
        std::vector<runtime::ImageView> all;
        for (auto& [id, image] : by_id) all.push_back(image);
        co_return all;
    }

    asio::awaitable<Result<std::string>> create(runtime::ContainerSpec spec, std::chrono::nanoseconds) override {
        const std::string name = spec.name;
        if (auto failed = co_await enter("create", name)) co_return *std::move(failed);
        for (const auto& [id, container] : containers) {
            if (container.view.name != name) continue;
            if (carries_labels(container, spec.config)) co_return id;
            co_return Error{.kind = ErrorKind::Conflict,
                            .what = "Conflict. The container name \"/" + name + "\" is already in use"};
        }
        const std::string image_name = spec.config.value("Image", std::string());
        const auto* image = find_image(image_name);
        if (image == nullptr) co_return Error{.kind = ErrorKind::NotFound, .what = "No such image: " + image_name};
        Container made;
        made.view.id = pad("c0", ++serial_);
        made.view.name = name;
        made.view.image = image_name;
        made.view.image_id = image->id;
        if (const auto env = spec.config.find("Env"); env != spec.config.end() && env->is_array()) {
            for (const auto& entry : *env) made.view.env.push_back(entry.get<std::string>());
        }
        made.view.cpu_shares = spec.host_config.value("CpuShares", std::int64_t{0});
        made.view.memory_bytes = spec.host_config.value("Memory", std::int64_t{0});
        made.view.created_at = clock_.now().wall;
        if (spec.config.contains("Labels")) {
            for (const auto& [key, value] : spec.config["Labels"].items())
                made.view.labels[key] = value.get<std::string>();
        }
        if (const auto binds = spec.host_config.find("Binds"); binds != spec.host_config.end() && binds->is_array()) {
            for (const auto& bind : *binds) {  // source:destination[:options]
                const std::string text = bind.get<std::string>();
                const auto parts = split(text, ':');
                made.view.mounts.push_back(
                    {.name = {}, .source = std::string(parts.at(0)), .destination = std::string(parts.at(1))});
            }
        }
        made.view.network_mode = spec.host_config.value("NetworkMode", std::string("default"));
        made.spec = std::move(spec);
        const std::string id = made.view.id;
        containers.emplace(id, std::move(made));
        emit(runtime::RuntimeEvent::Kind::Created, id, std::nullopt);
        co_return id;
    }
    asio::awaitable<Result<void>> start(std::string id, std::chrono::nanoseconds) override {
        Container* found = find(id);
        if (auto failed = co_await enter("start", found ? found->view.name : id)) co_return *std::move(failed);
        found = find(id);
        if (found == nullptr) co_return Error{.kind = ErrorKind::NotFound, .what = "No such container: " + id};
        if (found->view.phase == runtime::ContainerPhase::Running) co_return Result<void>{};
        run(*found);
        co_return Result<void>{};
    }
    asio::awaitable<Result<void>> stop(std::string id, std::chrono::seconds grace) override {
        Container* found = find(id);
        if (keep_records) graces[found ? label_of(*found) : id] = grace;
        if (auto failed = co_await enter("stop", found ? found->view.name : id)) co_return *std::move(failed);
        found = find(id);
        if (found != nullptr && found->view.phase == runtime::ContainerPhase::Running) end(*found, 137, false);
        co_return Result<void>{};
    }
    asio::awaitable<Result<void>> remove(std::string id) override {
        Container* found = find(id);
        if (auto failed = co_await enter("remove", found ? found->view.name : id)) co_return *std::move(failed);
        found = find(id);
        if (found == nullptr) co_return Result<void>{};
        if (found->view.phase == runtime::ContainerPhase::Running) {
            co_return Error{.kind = ErrorKind::Conflict, .what = "You cannot remove a running container " + id};
        }
        const std::string gone = found->view.id;
        containers.erase(gone);
        emit(runtime::RuntimeEvent::Kind::Removed, gone, std::nullopt);
        co_return Result<void>{};
    }
    asio::awaitable<Result<runtime::ContainerView>> inspect(std::string id) override {
        Container* found = find(id);
        if (auto failed = co_await enter("inspect", found ? found->view.name : id)) co_return *std::move(failed);
        found = find(id);
        if (found == nullptr) co_return Error{.kind = ErrorKind::NotFound, .what = "No such container: " + id};
        co_return found->view;
    }
    asio::awaitable<Result<std::vector<runtime::ContainerView>>> list(std::string label) override {
        if (auto failed = co_await enter("list", label)) co_return *std::move(failed);
        std::vector<runtime::ContainerView> all;
        for (const auto& [id, container] : containers) {
            if (!label.empty() && !container.view.labels.contains(label)) continue;
            // only what the contract promises, so that nobody relies on more
            runtime::ContainerView brief;
            brief.id = container.view.id;
            brief.name = container.view.name;
            brief.phase = container.view.phase;
            brief.image_id = container.view.image_id;
            brief.labels = container.view.labels;
            all.push_back(std::move(brief));
        }
        co_return all;
    }

    asio::awaitable<Error> watch(std::function<void()> connected,
                                 std::function<void(runtime::RuntimeEvent)> sink) override {
        if (auto failed = co_await enter("watch", {})) co_return *std::move(failed);
        const auto stream = std::make_shared<Stream>();
        stream_ = stream;
        connected();
        for (;;) {
            while (!stream->events.empty()) {
                const runtime::RuntimeEvent event = stream->events.front();
                stream->events.pop_front();
                sink(event);
            }
            if (stream->broken) break;
            co_await changed();
        }
        if (stream_ == stream) stream_ = nullptr;
        co_return Error{.kind = ErrorKind::Unavailable, .what = "event stream ended"};
    }

    asio::awaitable<Result<void>> create_volume(runtime::VolumeSpec spec) override {
        const std::string name = spec.name;
        if (auto failed = co_await enter("create_volume", name)) co_return *std::move(failed);
        volumes.emplace(name, std::move(spec));
        co_return Result<void>{};
    }
    asio::awaitable<Result<runtime::VolumeSpec>> inspect_volume(std::string name) override {
        if (auto failed = co_await enter("inspect_volume", name)) co_return *std::move(failed);
        const auto found = volumes.find(name);
        if (found == volumes.end())
            co_return Error{.kind = ErrorKind::NotFound, .what = "get " + name + ": no such volume"};
        co_return found->second;
    }
    asio::awaitable<Result<void>> remove_volume(std::string name) override {
        if (auto failed = co_await enter("remove_volume", name)) co_return *std::move(failed);
        volumes.erase(name);
        co_return Result<void>{};
    }

    runtime::Capabilities capabilities;
    std::optional<runtime::PullProgress> pull_progress;  ///< what the next pulls tell when they begin
    std::map<std::string, runtime::ImageView> images;    ///< by the name they are found under
    std::map<std::string, std::string> offered;          ///< image name -> manifest digest in the registry
    std::map<std::string, Container> containers;         ///< by id
    std::map<std::string, runtime::VolumeSpec> volumes;  ///< by name
    std::map<std::string, std::chrono::seconds> graces;  ///< of the last stop, by ECS container name (or id)
    std::vector<std::string> pulled_with;                ///< user name of each pull
    bool keep_records = true;  ///< false: calls, graces and pulled_with stay empty, for runs of hours

  private:
    struct Stream {
        std::deque<runtime::RuntimeEvent> events;
        bool broken = false;
    };

    static std::string pad(const std::string& prefix, int serial) {
        const std::string digits = std::to_string(serial);
        return prefix + std::string(62 - digits.size(), '0') + digits;
    }
    /// Without tag: the ':' behind the last '/'.
    static std::string repository(const std::string& name) {
        const auto colon = name.rfind(':');
        const auto slash = name.rfind('/');
        return colon != std::string::npos && (slash == std::string::npos || colon > slash) ? name.substr(0, colon)
                                                                                           : name;
    }
    static bool carries_labels(const Container& container, const nlohmann::json& config) {
        const auto labels = config.find("Labels");
        if (labels == config.end()) return container.view.labels.empty();
        for (const auto& [key, value] : labels->items()) {
            const auto found = container.view.labels.find(key);
            if (found == container.view.labels.end() || value != found->second) return false;
        }
        return true;
    }
    static std::string label_of(const Container& container) {
        const auto label = container.view.labels.find(std::string(kContainerNameLabel));
        return label == container.view.labels.end() ? container.view.name : label->second;
    }
    [[nodiscard]] const runtime::ImageView* find_image(const std::string& name) const {
        if (const auto it = images.find(name); it != images.end()) return &it->second;
        if (const auto it = images.find(name + ":latest"); it != images.end()) return &it->second;
        for (const auto& [known, image] : images) {
            if (image.id == name) return &image;
        }
        return nullptr;
    }

    [[nodiscard]] bool blocked(const std::string& verb, const std::string& argument) const {
        const auto script = scripts_.find({verb, argument});
        return script != scripts_.end() && script->second.blocked_;
    }
    /// Books the call, waits while it is blocked, and gives the failure that was scripted, if any.
    asio::awaitable<std::optional<Error>> enter(std::string verb, std::string argument) {
        if (keep_records) log_.emplace_back(verb, argument);
        while (blocked(verb, {}) || blocked(verb, argument)) co_await changed();
        if (!present_) {
            co_return Error{.kind = ErrorKind::Unavailable,
                            .what = "Cannot connect to the Docker daemon. Is it running?"};
        }
        for (const auto& key : {std::pair{verb, argument}, std::pair{verb, std::string()}}) {
            const auto script = scripts_.find(key);
            if (script == scripts_.end() || script->second.failures_.empty()) continue;
            auto& failures = script->second.failures_;
            Error error = failures.front().first;
            if (failures.front().second > 0 && --failures.front().second == 0) failures.pop_front();
            co_return error;
        }
        co_return std::nullopt;
    }
    asio::awaitable<void> changed() {
        const auto executor = co_await asio::this_coro::executor;
        if (!wake_) wake_ = std::make_unique<asio::steady_timer>(executor, asio::steady_timer::time_point::max());
        boost::system::error_code woken;
        co_await wake_->async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    void wake_all() {
        if (wake_) wake_->cancel();
    }
    void emit(runtime::RuntimeEvent::Kind kind, const std::string& id, std::optional<int> exit_code) {
        if (stream_ && !stream_->broken) stream_->events.push_back({kind, id, exit_code});
        wake_all();
    }
    void run(Container& container) {
        container.view.phase = runtime::ContainerPhase::Running;
        container.view.exit_code.reset();
        container.view.started_at = clock_.now().wall;
        container.view.finished_at.reset();
        container.view.pid = 1000 + (++serial_);
        publish_ports(container);
        emit(runtime::RuntimeEvent::Kind::Started, container.view.id, std::nullopt);
        for (const std::string& key : {container.view.name, label_of(container)}) {
            if (const auto code = instant_exits_.find(key); code != instant_exits_.end()) {
                end(container, code->second, false);
                return;
            }
        }
    }
    void end(Container& container, int code, bool oom) {
        if (oom) emit(runtime::RuntimeEvent::Kind::Oom, container.view.id, std::nullopt);
        container.view.phase = runtime::ContainerPhase::Stopped;
        container.view.exit_code = code;
        container.view.oom_killed = oom;
        container.view.finished_at = clock_.now().wall;
        container.view.pid = 0;
        container.view.ports.clear();
        emit(runtime::RuntimeEvent::Kind::Exited, container.view.id, code);
    }
    static void publish_ports(Container& container) {
        container.view.ports.clear();
        const auto bindings = container.spec.host_config.find("PortBindings");
        if (bindings == container.spec.host_config.end() || !bindings->is_object()) return;
        for (const auto& [port, hosts] : bindings->items()) {
            const auto slash = port.find('/');
            for (const auto& host : hosts) {
                runtime::PortBinding bound;
                bound.container_port = static_cast<std::uint16_t>(parse_integer(port.substr(0, slash)).value_or(0));
                bound.host_port =
                    static_cast<std::uint16_t>(parse_integer(host.value("HostPort", std::string("0"))).value_or(0));
                bound.host_ip = "0.0.0.0";
                bound.protocol = slash == std::string::npos ? "tcp" : port.substr(slash + 1);
                container.view.ports.push_back(bound);
            }
        }
    }

    Clock& clock_;
    bool present_ = true;
    int serial_ = 0;
    std::map<std::pair<std::string, std::string>, Script> scripts_;
    std::vector<std::pair<std::string, std::string>> log_;
    std::map<std::string, int> instant_exits_;
    std::shared_ptr<Stream> stream_;
    std::unique_ptr<asio::steady_timer> wake_;  ///< never expires; cancelling it is the signal
};

}  // namespace nodeagent::fakes
