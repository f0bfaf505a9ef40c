#pragma once
// The fake runtime with a life of its own: it reads a container's command ("sleep 1.5; exit 3") and health check and
// does what they say in real time, takes a while for every verb, refuses what Docker would refuse, and keeps nothing of
// what is gone.

#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/clock.hpp"
#include "agent/base/random.hpp"
#include "agent/base/scope.hpp"
#include "tests/fakes/fake_backend.hpp"

namespace nodeagent::soak {

namespace asio = boost::asio;
using std::chrono::milliseconds;

class ScriptedRuntime final : public runtime::Backend {
  public:
    ScriptedRuntime(asio::any_io_executor shard, Clock& clock, std::uint64_t seed)
        : clock_(clock), random_(seed), fake_(clock), lives_(shard) {
        fake_.keep_records = false;
    }

    fakes::FakeBackend& inner() { return fake_; }
    void cancel() { lives_.cancel(); }
    asio::awaitable<void> drain() { return lives_.drain(); }

    asio::awaitable<Result<runtime::Capabilities>> probe() override { return fake_.probe(); }
    asio::awaitable<Result<void>> ping(std::chrono::nanoseconds deadline) override { return fake_.ping(deadline); }
    asio::awaitable<Result<runtime::ImageView>> inspect_image(std::string image) override {
        return fake_.inspect_image(std::move(image));
    }
    asio::awaitable<Result<std::string>> resolve_digest(std::string image, runtime::RegistryAuth auth,
                                                        std::chrono::nanoseconds deadline) override {
        co_await busy(1, 10);
        co_return co_await fake_.resolve_digest(std::move(image), std::move(auth), deadline);
    }
    asio::awaitable<Result<void>> pull(std::string reference, runtime::RegistryAuth auth, runtime::PullOptions options,
                                       std::function<void(const runtime::PullProgress&)> progress) override {
        co_await busy(10, 200);
        co_return co_await fake_.pull(std::move(reference), std::move(auth), std::move(options), std::move(progress));
    }
    asio::awaitable<Result<void>> tag(std::string source, std::string target) override {
        return fake_.tag(std::move(source), std::move(target));
    }
    asio::awaitable<Result<void>> load_image(std::string archive) override {
        return fake_.load_image(std::move(archive));
    }
    asio::awaitable<Result<void>> remove_image(std::string image) override {
        return fake_.remove_image(std::move(image));
    }
    asio::awaitable<Result<std::vector<runtime::ImageView>>> list_images() override { return fake_.list_images(); }

    asio::awaitable<Result<std::string>> create(runtime::ContainerSpec spec,
                                                std::chrono::nanoseconds deadline) override {
        co_await busy(1, 8);
        const std::string directory = spec.config.value("WorkingDir", std::string());
        if (!directory.empty() && !directory.starts_with('/')) {
            co_return Error{
                .kind = ErrorKind::Malformed,
                .what = "the working directory '" + directory + "' is invalid, it needs to be an absolute path"};
        }
        co_return co_await fake_.create(std::move(spec), deadline);
    }
    asio::awaitable<Result<void>> start(std::string id, std::chrono::nanoseconds deadline) override {
        co_await busy(2, 15);
        const auto* container = fake_.find(id);
        if (container != nullptr && command(*container) == "/no/such/program") {
            co_return Error{.kind = ErrorKind::NotFound,
                            .what =
                                "failed to create task for container: exec: \"/no/such/program\": stat "
                                "/no/such/program: no such file or directory: unknown"};
        }
        const Result<void> started = co_await fake_.start(id, deadline);
        container = fake_.find(id);
        if (started && container != nullptr) live(*container);
        co_return started;
    }
    asio::awaitable<Result<void>> stop(std::string id, std::chrono::seconds grace) override {
        co_await busy(1, 20);
        co_return co_await fake_.stop(std::move(id), grace);
    }
    asio::awaitable<Result<void>> remove(std::string id) override {
        co_await busy(1, 10);
        co_return co_await fake_.remove(std::move(id));
    }
    asio::awaitable<Result<runtime::ContainerView>> inspect(std::string id) override {
        return fake_.inspect(std::move(id));
    }
    asio::awaitable<Result<std::vector<runtime::ContainerView>>> list(std::string label) override {
        return fake_.list(std::move(label));
    }
    asio::awaitable<Error> watch(std::function<void()> connected,
                                 std::function<void(runtime::RuntimeEvent)> sink) override {
        return fake_.watch(std::move(connected), std::move(sink));
    }
    asio::awaitable<Result<void>> create_volume(runtime::VolumeSpec spec) override {
        return fake_.create_volume(std::move(spec));
    }
    asio::awaitable<Result<runtime::VolumeSpec>> inspect_volume(std::string name) override {
        return fake_.inspect_volume(std::move(name));
    }
    asio::awaitable<Result<void>> remove_volume(std::string name) override {
        return fake_.remove_volume(std::move(name));
    }

  private:
    asio::awaitable<void> busy(int from, int to) {
        const auto spread = random_() % static_cast<std::uint64_t>(to - from + 1);
        return clock_.sleep_for(milliseconds(from + static_cast<int>(spread)));
    }
    static std::string command(const fakes::FakeBackend::Container& container) {
        const auto found = container.spec.config.find("Cmd");
        return found == container.spec.config.end() || !found->is_array() || found->empty()
                   ? std::string()
                   : found->back().get<std::string>();
    }
    void live(const fakes::FakeBackend::Container& container) {
        double seconds = 0;
        int code = 0;
        if (std::sscanf(command(container).c_str(), "sleep %lf; exit %d", &seconds, &code) == 2) {
            const auto whole = std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(seconds));
            lives_.spawn(end_later(container.view.id, *container.view.started_at, whole, code));
        }
        if (container.spec.config.contains("Healthcheck")) lives_.spawn(become_healthy(container.view.id));
    }
    asio::awaitable<void> end_later(std::string id, WallTime run, milliseconds delay, int code) {
        co_await clock_.sleep_for(delay);
        const auto* container = fake_.find(id);
        if (container != nullptr && container->view.started_at == run) fake_.exit(id, code);
    }
    asio::awaitable<void> become_healthy(std::string id) {
        co_await clock_.sleep_for(milliseconds(400));
        runtime::Health health;
        health.status = runtime::Health::Status::Healthy;
        fake_.set_health(id, std::move(health));
    }

    Clock& clock_;
    Random random_;
    fakes::FakeBackend fake_;
    Scope lives_;
};

}  // namespace nodeagent::soak
