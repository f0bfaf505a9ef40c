// The fake that most tests of the engine run on keeps the contract of the real runtimes.

#include "agent/base/clock.hpp"
#include "tests/contract/backend_contract.hpp"
#include "tests/fakes/fake_backend.hpp"

namespace nodeagent::runtime {
namespace {

class FakeWorld final : public BackendWorld {
  public:
    FakeWorld() { backend_.have_image(image()); }
    ~FakeWorld() override { io.stop(); }

    Backend& backend() override { return backend_; }
    [[nodiscard]] std::string image() const override { return "busybox:latest"; }
    [[nodiscard]] std::string prefix() const override { return "fake-"; }
    ContainerSpec spec(const std::string& name, Program program) override {
        if (program == Program::ExitsWithSeven) backend_.exits_when_started(name, 7);
        ContainerSpec made;
        made.name = name;
        made.config["Image"] = image();
        made.config["Labels"][label()] = "1";
        made.host_config["NetworkMode"] = "bridge";
        return made;
    }
    void go_away() override { backend_.go_away(); }
    void come_back() override { backend_.come_back(); }

  private:
    SystemClock clock_;
    fakes::FakeBackend backend_{clock_};
};

INSTANTIATE_TEST_SUITE_P(Fake, BackendContract,
                         ::testing::Values(WorldFactory([] { return std::make_unique<FakeWorld>(); })),
                         [](const auto&) { return std::string("Memory"); });

}  // namespace
}  // namespace nodeagent::runtime
