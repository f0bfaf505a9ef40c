// What was fetched for a task: it shows in no text of the runtime, and does not outlive the task on disk.

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "agent/engine/resources/environment_files.hpp"
#include "tests/fakes/fake_http_client.hpp"
#include "tests/unit/agent/engine/engine_fixture.hpp"

namespace nodeagent::engine {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kValue = "hunter2-hunter2";

class FetchedValues : public EngineFixture {
  protected:
    FetchedValues() {
        config.checkpoint = true;
        std::string pattern = testing::TempDir() + "fetched.XXXXXX";
        config.data_dir = ::mkdtemp(pattern.data());
        services = &access;
        http.on("GET", "*location=*").reply(200, "<LocationConstraint>us-west-2</LocationConstraint>");
        http.on("GET", "*app.env*").reply(200, std::string("TOKEN=") + kValue + "\n");
        http.on("POST", "https://ssm*")
            .reply(200, std::string(R"({"Parameters":[{"Name":"token","Value":")") + kValue + "\"}]}");
    }
    ~FetchedValues() override { std::filesystem::remove_all(config.data_dir); }

    static model::Task with_role(model::Container app) {
        model::Task made = task(kArn, {std::move(app)});
        model::RoleCredentials role;
        role.credentials_id = "execution";
        role.access_key_id = "ASIA";
        role.secret_access_key = Secret("s");
        role.session_token = Secret("t");
        made.execution_role_credentials = role;
        return made;
    }
    static model::Task with_secret() {
        model::Container app = container("app");
        model::ContainerSecret secret;
        secret.name = "TOKEN";
        secret.value_from = "token";
        secret.region = "us-west-2";
        secret.provider = "ssm";
        secret.type = "ENVIRONMENT_VARIABLE";
        secret.target = "CONTAINER";
        app.secrets = {secret};
        return with_role(app);
    }
    static model::Task with_file() {
        model::Container app = container("app");
        app.environment_files = {{.type = "s3", .value = "arn:aws:s3:::bkt/app.env"}};
        return with_role(app);
    }
    void run_with_secret() {
        start();
        accept({with_secret()});
        live_through(10s);
        ASSERT_TRUE(reported(kArn, TaskStatus::Running));
        ASSERT_THAT(backend.find("app")->view.env, testing::Contains(std::string("TOKEN=") + kValue));
        backend.find("app")->view.error = std::string("cannot use ") + kValue;
    }
    [[nodiscard]] std::string directory(const std::string& arn = kArn) const {
        return environment_files_directory(config.data_dir, config.cluster, arn);
    }
    void put_file(const std::string& arn) {
        std::filesystem::create_directories(directory(arn) + "/bkt");
        std::ofstream(directory(arn) + "/bkt/app.env") << "TOKEN=x\n";
    }
    void expect_redacted_reason() {
        ASSERT_TRUE(reported(kArn, TaskStatus::Stopped));
        EXPECT_THAT(reason(kArn, "app"), AllOf(HasSubstr("cannot use <redacted>"), Not(HasSubstr(kValue))));
        EXPECT_THAT(stored_task(kArn), Not(HasSubstr(kValue)));
    }

    fakes::FakeHttpClient http;
    ServiceAccess access{
        .http = http, .clock = clock, .environment = {}, .ipv6_only = false, .user_agent = "ecs-node-agent"};
};

TEST_F(FetchedValues, AreNotInTheErrorOfAContainerWhoseEndTheRuntimeTold) {
    run_with_secret();
    backend.exit("app", 1);
    settle();
    expect_redacted_reason();
}

TEST_F(FetchedValues, AreNotInTheErrorOfAContainerWhoseEndWasFoundLater) {
    run_with_secret();
    backend.break_stream();
    backend.exit("app", 1);
    live_through(2min);
    expect_redacted_reason();
}

TEST_F(FetchedValues, AreNotInTheErrorOfAContainerThatWasStopped) {
    run_with_secret();
    backend.on("watch").fail({.kind = ErrorKind::Unavailable, .what = "no events"}, 1);
    backend.break_stream();
    run(engine->stop_task(kArn));
    live_through(1min);
    expect_redacted_reason();
}

TEST_F(FetchedValues, OfEnvironmentFilesAreNotInTheErrorOfACreate) {
    backend.on("create").fail({.kind = ErrorKind::Malformed, .what = std::string("cannot use ") + kValue});
    start();
    accept({with_file()});
    live_through(10s);
    expect_redacted_reason();
}

TEST_F(FetchedValues, FilesGoWithATaskThatWasMadeAgainFromItsContainers) {
    start();
    accept({with_file()});
    live_through(10s);
    ASSERT_TRUE(reported(kArn, TaskStatus::Running));
    restart();
    ASSERT_TRUE(std::filesystem::exists(directory())) << "a known task keeps its files";
    live_through(5s);
    stop();
    run(store.erase(Shelf::Tasks, kArn));
    start();
    live_through(5s);
    ASSERT_EQ(engine->tasks().size(), 1U);
    put_file(kArn);
    backend.exit("app", 0);
    live_through(11min);
    EXPECT_TRUE(engine->tasks().empty());
    EXPECT_FALSE(std::filesystem::exists(directory()));
}

TEST_F(FetchedValues, FilesOfTasksThatNobodyKnowsGoAtTheStart) {
    put_file(kArn);
    put_file(arn_of(9));
    std::filesystem::create_directories(config.data_dir + "/envfiles/old-cluster/77");
    start();
    settle();
    EXPECT_FALSE(std::filesystem::exists(directory()));
    EXPECT_FALSE(std::filesystem::exists(directory(arn_of(9))));
    EXPECT_FALSE(std::filesystem::exists(config.data_dir + "/envfiles/old-cluster/77"));
}

TEST_F(FetchedValues, FilesOfAnAgentThatMayRunOnTheSameDirectoryStay) {
    config.checkpoint = false;
    put_file(kArn);
    start();
    settle();
    EXPECT_TRUE(std::filesystem::exists(directory()));
}

TEST_F(FetchedValues, FilesOfATaskThatComesWhileItsLeftoversAreRemovedStay) {
    start();
    accept({task(kArn, {container("app")})});
    settle();
    stop();
    run(store.erase(Shelf::Tasks, kArn));
    advance(1min);
    leftovers_before = clock.now().wall;
    backend.find("app")->view.mounts = {
        {.name = "ecs-fam-7-data-0123456789abcdef0123", .source = {}, .destination = {}}};
    backend.on("remove_volume").block();
    start();
    settle();
    ASSERT_EQ(backend.calls("remove_volume"), 1);
    EXPECT_TRUE(accept({with_file()}).handled);
    live_through(10s);
    ASSERT_TRUE(std::filesystem::exists(directory()));
    backend.release("remove_volume");
    live_through(10s);
    EXPECT_TRUE(std::filesystem::exists(directory()));
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
}

}  // namespace
}  // namespace nodeagent::engine
