// A task with every kind of thing that is fetched for it: the agent, ecs-local with fixtures, a registry that wants a
// password, a real Docker daemon. Fixed ports, so one at a time.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "agent/base/fd.hpp"
#include "agent/base/json.hpp"
#include "agent/credentials/fixed_provider.hpp"
#include "agent/net/aws_client.hpp"
#include "agent/net/curl_http_client.hpp"
#include "runtime/docker/mapping.hpp"
#include "tests/fakes/temp_directory.hpp"
#include "tests/harness/agent_process.hpp"
#include "tests/harness/local_plane.hpp"
#include "tests/integration/docker_backend/docker_world.hpp"
#include "tests/integration/docker_registry/registry.hpp"

namespace nodeagent {
namespace {

using namespace std::chrono_literals;
using harness::AgentProcess;
using harness::LocalPlane;
using runtime::docker::DockerWorld;
using runtime::docker::Registry;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kKey = LocalPlane::kKey;
constexpr const char* kSecretKey = LocalPlane::kSecretKey;
const std::string kArn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:";

const std::string kParameter = "value-of-the-parameter";
const std::string kMember = "value-of-the-member";
const std::string kFromFile = "value-of-the-file";
const std::string kLogOption = "value-of-the-log-option";

void pause_a_little() {
    boost::asio::io_context io;
    boost::asio::steady_timer(io, 100ms).wait();
}

void write_file(const std::string& path, const std::string& content) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << content;
}

class Secrets : public ::testing::Test {
  protected:
    void SetUp() override {
        const std::string fixtures = directory_ + "/fixtures";
        write_file(fixtures + "/ssm/prod/db", kParameter + "\n");
        write_file(fixtures + "/ssm/tag", kLogOption + "\n");
        write_file(fixtures + "/secretsmanager/db.json",
                   Json{{"SecretString", {{"user", "u"}, {"password", kMember}}}}.dump());
        write_file(fixtures + "/secretsmanager/registry.json",
                   Json{{"SecretString", {{"username", Registry::kUser}, {"password", Registry::kPassword}}}}.dump());
        write_file(fixtures + "/s3/bucket/dir/app.env", "# comment\nFROM_FILE=" + kFromFile + "\nPARAMETER=file\n");
        std::filesystem::create_directories(directory_ + "/data");
        plane_ = std::make_unique<LocalPlane>(NODEAGENT_LOCAL, directory_ + "/plane", fixtures);
        plane_->call("CreateCluster", {{"clusterName", "c"}});
        push_private_image();
    }
    void TearDown() override {
        agent_.reset();
        const std::string filter = percent_encode(R"({"label":["com.amazonaws.ecs.cluster=c"]})");
        for (const Json& found : Json::parse(world_.call("GET", "/containers/json?all=1&filters=" + filter).body)) {
            world_.call("DELETE", "/containers/" + found.at("Id").get<std::string>() + "?force=1&v=1");
        }
        world_.call("DELETE", "/images/" + image() + "?force=1");
        if (HasFailure()) {
            std::ifstream log(directory_ + "/data/agent.log");
            std::cerr << log.rdbuf();
        }
        plane_.reset();
    }

    [[nodiscard]] std::string image() const { return registry_.address() + "/private:1"; }
    void push_private_image() {
        ASSERT_TRUE(world_.run(world_.backend().tag(world_.image(), image())));
        const runtime::RegistryAuth auth{Registry::kUser, Secret(Registry::kPassword), {}, {}};
        const auto pushed = world_.call("POST", "/images/" + registry_.address() + "/private/push?tag=1", {}, {},
                                        {{"X-Registry-Auth", runtime::docker::registry_auth_header(auth, false)}});
        ASSERT_EQ(pushed.body.find("error"), std::string::npos) << pushed.body;
        ASSERT_TRUE(world_.run(world_.backend().remove_image(image())));
    }

    void start_agent(std::vector<std::string> extra = {}) {
        for (const std::string& entry :
             {std::string("ECS_CLUSTER=c"), "AWS_ACCESS_KEY_ID=" + std::string(kKey),
              "AWS_SECRET_ACCESS_KEY=" + std::string(kSecretKey), "AWS_ENDPOINT_URL=" + plane_->endpoint(),
              std::string("ECS_LOGLEVEL=debug"), std::string("ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION=1s")}) {
            extra.push_back(entry);
        }
        agent_ = std::make_unique<AgentProcess>(NODEAGENT_AGENT, plane_->endpoint(), directory_ + "/data",
                                                "unix://" + runtime::docker::daemon_socket(), std::move(extra));
    }

    Json definition(const std::string& parameter) const {
        const Json container{
            {"name", "app"},
            {"image", image()},
            {"memory", 32},
            {"command", {"sleep", "600"}},
            {"repositoryCredentials", {{"credentialsParameter", kArn + "registry-AbCdEf"}}},
            {"secrets",
             {{{"name", "PARAMETER"}, {"valueFrom", parameter}},
              {{"name", "MEMBER"}, {"valueFrom", kArn + "db-AbCdEf:password::"}}}},
            {"environmentFiles", {{{"type", "s3"}, {"value", "arn:aws:s3:::bucket/dir/app.env"}}}},
            {"logConfiguration",
             {{"logDriver", "json-file"}, {"secretOptions", {{{"name", "tag"}, {"valueFrom", "tag"}}}}}}};
        return {{"family", "secrets"},
                {"executionRoleArn", "arn:aws:iam::123456789012:role/exec"},
                {"containerDefinitions", Json::array({container})}};
    }

    /// The ARN of a task of that definition, once the agent is there to take it; "" after a minute.
    std::string run_task(const std::string& parameter) {
        const Json registered = plane_->call("RegisterTaskDefinition", definition(parameter));
        EXPECT_FALSE(registered.is_null()) << plane_->last_error;
        for (int i = 0; i < 600; ++i) {
            last_ = plane_->call("RunTask", {{"cluster", "c"}, {"taskDefinition", "secrets"}});
            if (last_.is_object() && !last_["tasks"].empty()) return last_["tasks"][0]["taskArn"];
            pause_a_little();
        }
        ADD_FAILURE() << "the task is not placed: " << last_.dump() << plane_->last_error;
        return {};
    }
    Json wait_for(const std::string& task, const std::string& status) {
        for (int i = 0; i < 900; ++i) {
            last_ = plane_->call("DescribeTasks", {{"cluster", "c"}, {"tasks", {task}}});
            if (last_.is_object() && !last_["tasks"].empty() && last_["tasks"][0]["lastStatus"] == status) {
                return last_["tasks"][0];
            }
            pause_a_little();
        }
        ADD_FAILURE() << "never " << status << ": " << last_.dump();
        return Json::object();
    }

    Json inspected(const std::string& task) {
        const std::string filter = percent_encode(Json{{"label", {"com.amazonaws.ecs.task-arn=" + task}}}.dump());
        const Json found = Json::parse(world_.call("GET", "/containers/json?all=1&filters=" + filter).body);
        EXPECT_EQ(found.size(), 1U);
        if (found.empty()) return Json::object();
        return Json::parse(world_.call("GET", "/containers/" + found[0].at("Id").get<std::string>() + "/json").body);
    }
    void expect_everything_arrived(const std::string& task) {
        const Json container = inspected(task);
        EXPECT_THAT(container["Config"]["Env"], Contains("PARAMETER=" + kParameter));
        EXPECT_THAT(container["Config"]["Env"], Contains("MEMBER=" + kMember));
        EXPECT_THAT(container["Config"]["Env"], Contains("FROM_FILE=" + kFromFile));
        EXPECT_EQ(container["HostConfig"]["LogConfig"]["Config"].value("tag", ""), kLogOption);
    }

    /// Neither in what the agent keeps and logs, nor in any process's command line, nor in what it tells about itself.
    void expect_nothing_leaked() {
        std::string seen;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_ + "/data")) {
            if (!entry.is_regular_file() || entry.path().string().find("/envfiles/") != std::string::npos) continue;
            std::ifstream file(entry.path(), std::ios::binary);
            seen.append(std::istreambuf_iterator<char>(file), {});
        }
        ASSERT_THAT(seen, HasSubstr("ecs-node-agent starts")) << "the log is among the files";
        for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
            const std::string pid = entry.path().filename();
            if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
            std::ifstream file(entry.path() / "cmdline", std::ios::binary);
            seen.append(std::istreambuf_iterator<char>(file), {});
        }
        for (const char* page : {"/v1/tasks", "/v1/metadata"}) seen += introspected(page);
        ASSERT_THAT(seen, HasSubstr("\"Tasks\"")) << "the introspection pages are there";
        for (const std::string& value :
             {kParameter, kMember, kFromFile, kLogOption, std::string(Registry::kPassword)}) {
            EXPECT_EQ(seen.find(value), std::string::npos) << value;
        }
    }
    static std::string introspected(const std::string& page) {
        BlockingPool pool(1);
        net::CurlHttpClient http(pool, {});
        net::HttpRequest request;
        request.url = "http://127.0.0.1:51678" + page;
        std::string body;
        boost::asio::io_context io;
        boost::asio::co_spawn(io, http.send(std::move(request)),
                              [&](std::exception_ptr, Result<net::HttpResponse> response) {
                                  if (response) body = response->body;
                              });
        io.run();
        return body;
    }

    fakes::TempDirectory directory_;
    DockerWorld world_;
    Registry registry_;
    std::unique_ptr<LocalPlane> plane_;
    std::unique_ptr<AgentProcess> agent_;
    Json last_;
};

TEST_F(Secrets, EveryKindArrivesInTheContainerAndNowhereElse) {
    start_agent();
    const std::string task = run_task("/prod/db");
    ASSERT_FALSE(task.empty());
    wait_for(task, "RUNNING");
    expect_everything_arrived(task);
    expect_nothing_leaked();
    ASSERT_TRUE(std::filesystem::exists(directory_ + "/data/envfiles/c"));

    plane_->call("StopTask", {{"cluster", "c"}, {"task", task}});
    wait_for(task, "STOPPED");
    const std::string files = directory_ + "/data/envfiles/c/" + task.substr(task.rfind('/') + 1);
    for (int i = 0; i < 300 && std::filesystem::exists(files); ++i) pause_a_little();
    EXPECT_FALSE(std::filesystem::exists(files)) << "environment files outlive their task";
}

TEST_F(Secrets, AreFetchedAgainByAnAgentThatWasKilledBeforeItCreatedTheContainer) {
    const std::string socket = directory_ + "/point.sock";
    const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    start_agent({"NODEAGENT_TEST_POINT=container.create.before", "NODEAGENT_TEST_POINT_SOCKET=" + socket});
    const std::string task = run_task("/prod/db");
    pollfd waiting{listener.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&waiting, 1, 90'000), 1) << "the container is never about to be created";
    agent_->finish(SIGKILL);

    start_agent();
    wait_for(task, "RUNNING");
    expect_everything_arrived(task);
    expect_nothing_leaked();
}

TEST_F(Secrets, AMissingParameterStopsTheTaskAndIsNamed) {
    start_agent();
    const std::string task = run_task("/prod/absent");
    const Json stopped = wait_for(task, "STOPPED");
    EXPECT_THAT(
        stopped.value("stoppedReason", ""),
        HasSubstr("Fetching secret data from SSM Parameter Store in us-west-2: invalid parameters: /prod/absent"));
}

}  // namespace
}  // namespace nodeagent
