#include "agent/engine/spec/container_spec.hpp"
#include "tests/contract/backend_contract.hpp"
#include "tests/integration/docker_backend/docker_world.hpp"
#include "tests/unit/agent/engine/spec/spec_task.hpp"

namespace nodeagent::runtime {

INSTANTIATE_TEST_SUITE_P(Docker, BackendContract,
                         ::testing::Values(WorldFactory([] { return std::make_unique<docker::DockerWorld>(); })),
                         [](const auto&) { return std::string("Daemon"); });

namespace docker {
namespace {

using Kind = RuntimeEvent::Kind;
using std::chrono::seconds;
using std::chrono::steady_clock;

class DockerBackendTest : public ::testing::Test {
  protected:
    void TearDown() override {
        const auto left = world.run(backend.list(world.label()));
        ASSERT_TRUE(left);
        for (const ContainerView& view : *left) world.call("DELETE", "/containers/" + view.id + "?force=1&v=1");
    }
    std::string start(ContainerSpec spec) {
        const auto id = world.run(backend.create(std::move(spec), seconds(60)));
        if (!id) throw std::runtime_error(id.error().what);
        const auto done = world.run(backend.start(*id, seconds(60)));
        if (!done) throw std::runtime_error(done.error().what);
        return *id;
    }
    DockerWorld world;
    Backend& backend = world.backend();
};

TEST_F(DockerBackendTest, KillsAContainerThatIgnoresItsStopSignalOnceTheGraceIsOver) {
    const std::string id = start(world.shell(world.name("deaf"), "trap '' TERM; while :; do sleep 0.05; done"));
    const auto begun = steady_clock::now();
    ASSERT_TRUE(world.run(backend.stop(id, seconds(1))));
    EXPECT_GE(steady_clock::now() - begun, seconds(1));
    EXPECT_EQ(world.run(backend.inspect(id))->exit_code, 137);
}

TEST_F(DockerBackendTest, TellsThatTheKernelKilledAContainerForMemory) {
    ContainerSpec spec = world.shell(world.name("greedy"), "tail /dev/zero");
    spec.host_config["Memory"] = 8 * 1024 * 1024;
    spec.host_config["MemorySwap"] = 8 * 1024 * 1024;
    Watching events(world);
    const std::string id = start(std::move(spec));
    events.wait_for(id, Kind::Exited);
    EXPECT_TRUE(world.run(backend.inspect(id))->oom_killed);
    EXPECT_THAT(events.kinds_of(id), ::testing::Contains(Kind::Oom));
}

TEST_F(DockerBackendTest, SeesHealthComeAndTellsItsOutput) {
    ContainerSpec spec = world.spec(world.name("sick"), BackendWorld::Program::RunsUntilStopped);
    spec.config["Healthcheck"] = Json::parse(
        R"({"Test":["CMD-SHELL","echo not well; false"],"Interval":100000000,"Timeout":5000000000,"Retries":1})");
    Watching events(world);
    const std::string id = start(std::move(spec));
    events.wait_for(id, Kind::Health);
    const Health health = world.run(backend.inspect(id))->health;
    EXPECT_EQ(health.status, Health::Status::Unhealthy);
    EXPECT_EQ(health.output, "not well\n");
    EXPECT_EQ(health.exit_code, 1);
}

TEST_F(DockerBackendTest, SpeaksInTheWordsUsersOfTheReferenceKnow) {
    const auto view = world.run(backend.inspect("nodeagent-absent"));
    EXPECT_EQ(view.error().what, "Error response from daemon: No such container: nodeagent-absent");
    const auto volume = world.run(backend.inspect_volume("nodeagent-absent"));
    EXPECT_EQ(volume.error().what, "Error response from daemon: get nodeagent-absent: no such volume");
    ContainerSpec spec = world.shell(world.name("x"), "true");
    spec.api_version = "1.99";
    EXPECT_EQ(world.run(backend.create(std::move(spec), seconds(9))).error().what,
              "(v1.99) - docker client factory: client not found for docker version: 1.99");
}

TEST_F(DockerBackendTest, NamesAProgramThatDoesNotExistAndLeavesTheContainerStopped) {
    ContainerSpec spec = world.shell(world.name("nothing"), "");
    spec.config["Cmd"] = Json::array({"/no/such/program"});
    const auto id = world.run(backend.create(std::move(spec), seconds(60)));
    ASSERT_TRUE(id);
    const auto done = world.run(backend.start(*id, seconds(60)));
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().what, ::testing::HasSubstr("/no/such/program"));
    const auto view = world.run(backend.inspect(*id));
    EXPECT_EQ(view->phase, ContainerPhase::Stopped);
    EXPECT_FALSE(view->error.empty());
}

TEST_F(DockerBackendTest, RunsFiftyCallsAtOnceAndKeepsFewConnections) {
    int answered = 0;
    for (int i = 0; i < 50; ++i) {
        asio::co_spawn(world.io, backend.inspect_image(world.image()),
                       [&answered](std::exception_ptr, const Result<ImageView>& image) { answered += image ? 1 : 0; });
    }
    world.run_until([&answered] { return answered == 50; });
    EXPECT_EQ(answered, 50);
}

/// What an inspection shows of a container, with what a test cannot foresee taken out.
Json comparable(Json inspected) {
    Json host = std::move(inspected["HostConfig"]);
    Json config = std::move(inspected["Config"]);
    for (const char* volatile_member : {"Image", "Hostname", "Labels", "Env", "Cmd"}) config.erase(volatile_member);
    if (host["Links"].is_array()) host["Links"] = host["Links"].size();
    return Json{{"Config", std::move(config)}, {"HostConfig", std::move(host)}};
}

/// Members an older or newer daemon has more are not the agent's doing.
void expect_shown_as(const Json& reference, const Json& ours, const std::string& part) {
    for (const auto& [field, value] : reference[part].items()) {
        EXPECT_EQ(ours[part].value(field, Json()).dump(), value.dump()) << part << "." << field;
    }
}

TEST_F(DockerBackendTest, ContainersOfATracedPayloadAreInspectedAsTheReferencesWere) {
    const Json payload = engine::read_test_json("traces/s_inspect/payload.json");
    const Json moments = engine::read_test_json("traces/s_inspect/docker_inspect.json");
    engine::SpecContext context;
    context.cluster = "judge";
    context.region = "us-west-2";
    int compared = 0;
    for (const auto& [moment, containers] : moments.items()) {
        for (const Json& sent : payload) {
            if (sent["message"].value("type", "") != "PayloadMessage") continue;
            auto message = decode_document<model::PayloadMessage>(sent["message"]["message"]);
            ASSERT_TRUE(message);
            core::TaskState task = engine::prepared(*message->tasks.front());
            if (!containers.contains(task.definition->family + "/" + task.containers.front().name)) continue;
            for (core::ContainerState& container : task.containers) container.docker_name = world.name(container.name);
            context.cgroup_parent = "/ecs/" + core::task_id(task.arn);
            for (const core::ContainerState& container : task.containers) {
                const std::string key = task.definition->family + "/" + container.name;
                if (!containers.contains(key)) continue;
                SCOPED_TRACE(key);
                auto spec = engine::container_spec(task, container, context);
                ASSERT_TRUE(spec);
                spec->config["Image"] = world.image();
                spec->config["Labels"][world.label()] = "1";
                const auto id = world.run(backend.create(*spec, seconds(60)));
                ASSERT_TRUE(id) << id.error().what;
                if (!task.definition->containers.back().links.empty()) {
                    ASSERT_TRUE(world.run(backend.start(*id, seconds(60))));  // a link needs a running target
                }
                const Json inspected = Json::parse(world.call("GET", "/containers/" + *id + "/json").body);
                const Json reference = comparable(containers[key]);
                const Json ours = comparable(inspected);
                expect_shown_as(reference, ours, "Config");
                expect_shown_as(reference, ours, "HostConfig");
                ++compared;
            }
            for (const ContainerView& view : *world.run(backend.list(world.label()))) {
                world.call("DELETE", "/containers/" + view.id + "?force=1&v=1");
            }
        }
    }
    EXPECT_EQ(compared, 18);
}

}  // namespace
}  // namespace docker
}  // namespace nodeagent::runtime
