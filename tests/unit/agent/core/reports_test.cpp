#include <gmock/gmock.h>

#include "agent/core/rollup.hpp"
#include "agent/core/stop_reason.hpp"
#include "agent/core/view.hpp"
#include "agent/core/waiting.hpp"
#include "task_builder.hpp"

namespace nodeagent::core::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

model::PortMapping single(std::int64_t container_port) { return {container_port, 0, std::nullopt, {}}; }

TEST(NetworkBindings, ARangeIsOneEntryAndIpv6IsLeftOut) {
    model::Container web = container("web");
    web.port_mappings = {single(9000), {0, 0, std::nullopt, "8100-8104"}};
    TaskState task = task_of({web});
    ContainerState& c = task.containers[0];
    c.port_assignments.push_back({9000, 40009, "tcp", 0});
    for (std::uint16_t i = 0; i < 5; ++i) {
        c.port_assignments.push_back(
            {static_cast<std::uint16_t>(8100 + i), static_cast<std::uint16_t>(40000 + i), "tcp", 1});
        c.port_bindings.push_back(
            {static_cast<std::uint16_t>(8100 + i), static_cast<std::uint16_t>(40000 + i), "0.0.0.0", "tcp"});
    }
    c.port_bindings.push_back({9000, 40009, "::", "tcp"});
    c.port_bindings.push_back({9000, 40009, "0.0.0.0", "tcp"});
    c.port_bindings.push_back({7777, 50000, "0.0.0.0", "tcp"});  // the image's own EXPOSE: not asked for
    const auto bindings = network_bindings(c, Settings{});
    ASSERT_THAT(bindings, SizeIs(2));
    EXPECT_EQ(bindings[0].container_port, 9000) << "single ports come before ranges";
    EXPECT_EQ(bindings[0].host_port, 40009);
    EXPECT_EQ(bindings[1].container_port_range, "8100-8104");
    EXPECT_EQ(bindings[1].host_port_range, "40000-40004");
    EXPECT_EQ(bindings[1].container_port, std::nullopt);

    Settings all;
    all.exclude_ipv6_bindings = false;
    EXPECT_THAT(network_bindings(c, all), SizeIs(3));
    Settings six;
    six.ipv6_only = true;
    ASSERT_THAT(network_bindings(c, six), SizeIs(1));
    EXPECT_EQ(network_bindings(c, six)[0].bind_ip, "::");
}

TEST(NetworkBindings, GoOutWithTheReport) {
    model::Container web = container("web");
    web.port_mappings = {single(80)};
    Bench b(task_of({web}));
    b.launch = [](const std::string& c) {
        Observation o = running(c);
        o.ports = {{80, 49153, "0.0.0.0", "tcp"}};
        return ContainerStarted{c, o, {}};
    };
    b.start();
    ASSERT_THAT(b.container_reports().back().network_bindings, SizeIs(1));
    EXPECT_EQ(b.container_reports().back().network_bindings[0].host_port, 49153);
}

TEST(Reports, SentNeverExceedsWhatIsKnown) {
    Bench b(task_of({container("app")}));
    b.hear(Resumed{}).hear(SentAcknowledged{
        {.task_arn = kArn, .task_status = TaskStatus::Stopped, .containers = {{"app", ContainerStatus::Stopped}}}});
    EXPECT_EQ(b.task.sent, TaskStatus::None);
    EXPECT_EQ(b["app"].sent, ContainerStatus::None);
}

TEST(StopReason, HintsComeBeforeTheTextOfADeniedPull) {
    const auto text = [](std::string_view message) {
        return pull_failure(kCannotPullContainer, message, "img").message;
    };
    EXPECT_EQ(text("plain"), "plain");
    EXPECT_EQ(text("denied: requested access to the resource is denied"),
              "The task can\u2019t pull the image. Check whether the image exists. denied: requested access to the "
              "resource is denied");
    EXPECT_THAT(text("denied: User: arn:x is not authorized to perform: ecr:BatchGetImage on resource: y"),
                HasSubstr("Check that the role has the permissions to pull images from the registry. denied: User"));
    EXPECT_THAT(text("net/http: request canceled while waiting for connection"),
                HasSubstr("Check your network configuration. net"));
    EXPECT_EQ(
        pull_failure(kCannotPullContainerAuth, "denied: requested access to the resource is denied", "img").message,
        "denied: requested access to the resource is denied");
}

TEST(StopReason, SignedLayerUrlsAreBlanked) {
    const NamedError blanked = pull_failure(
        kCannotPullContainer,
        R"(Get "https://prod-us-west-2-starport-layer-bucket.s3.amazonaws.com/x?sig=abc": dial tcp: timeout)",
        "r/app:1");
    EXPECT_EQ(blanked.message, "Get REDACTED ECR URL related to r/app:1 dial tcp: timeout");
    EXPECT_EQ(pull_failure(kCannotPullContainer, "Get https://example.com/v2/: EOF", "i").message,
              "Get https://example.com/v2/: EOF");
}

TEST(StopReason, ATerminalReasonBeginsWithACapital) {
    EXPECT_EQ(terminal_reason("create  volume:\n no  space"), "Create volume: no space");
    EXPECT_EQ(to_text({"", "odd"}), "UnknownError: odd");
}

TEST(View, ShowsWhatReadersNeed) {
    model::Container app = with_restarts(container("app"));
    app.docker_config =
        model::DockerConfig{"{}", R"({"LogConfig":{"Type":"awslogs","Config":{"awslogs-group":"g"}},"MemoryReservation":33554432})",
                            "1.21"};
    Bench b(task_of({app}));
    EXPECT_EQ(view(b.task, "").containers[0].docker_name, "") << "there is no container of that name yet";
    b.start();
    const model::TaskView seen_by_readers = view(b.task, "waits");
    EXPECT_EQ(seen_by_readers.waiting_for, "waits");
    EXPECT_EQ(seen_by_readers.network_mode, "bridge");
    const model::ContainerView& c = seen_by_readers.containers.at(0);
    EXPECT_EQ(c.docker_id, "id-app");
    EXPECT_EQ(c.log_driver, "awslogs");
    EXPECT_EQ(c.memory_reservation, 32);
    EXPECT_EQ(c.log_options.at("awslogs-group"), "g");
    EXPECT_EQ(c.restart_count, 0);
    EXPECT_EQ(c.memory, 64);
}

TEST(Waiting, SaysWhatATaskWaitsForInOneSentence) {
    Bench b(task_of({with_dependency(container("web"), "init", "SUCCESS"), sidecar("init")}));
    const auto sentence = [&] { return waiting_for(b.task, b.settings, b.now); };
    b.hear(Resumed{});
    EXPECT_EQ(sentence(), "waits for CPU, memory, ports or GPUs of this host");
    b.hear(HostResourcesGranted{}).hear(ManifestResolved{"web", "", {}}).hear(ManifestResolved{"init", "", {}});
    EXPECT_EQ(sentence(), "container web waits for container init to end with exit code 0");
    b.run(ImagePulled{"init", "i", false, {}}).run(ContainerObserved{"init", exited("init", 0)});
    EXPECT_EQ(sentence(), "");
    b.hear(DesiredChanged{TaskStatus::Stopped});
    EXPECT_THAT(sentence(), HasSubstr("is stopping because ECS asked for it, and waits for the end of web (SIGKILL"));
}

}  // namespace
}  // namespace nodeagent::core::testing
