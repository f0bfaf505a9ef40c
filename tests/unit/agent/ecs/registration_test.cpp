#include "agent/ecs/registration.hpp"

#include "agent/base/files.hpp"
#include "agent/ecs/capabilities.hpp"
#include "tests/unit/agent/ecs/fixture.hpp"

namespace nodeagent::ecs {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

using Outcome = std::optional<Registration::Outcome>;

asio::awaitable<void> register_with(Registration& registration, RegistrationInputs inputs, Outcome& outcome) {
    outcome = co_await registration.run(std::move(inputs));
}

asio::awaitable<Result<std::string>> text(std::string value) { co_return value; }
asio::awaitable<Result<std::string>> no_text(int& calls) {
    ++calls;
    co_return Error{.kind = ErrorKind::Unavailable, .what = "IMDS is silent"};
}
asio::awaitable<Result<std::vector<model::Tag>>> tags(std::vector<model::Tag> value) { co_return value; }

class RegistrationTest : public EcsTest {
  protected:
    RegistrationTest() {
        config.cluster = "judge";
        config.task_iam_role.set = true;
        config.task_iam_role_network_host = true;
        config.available_logging_drivers = {"json-file", "none", "syslog"};
        sources.identity_document = [] { return text("{\"region\":\"us-west-2\"}"); };
        sources.identity_signature = [] { return text("c2ln"); };
    }

    RegistrationInputs inputs(std::string restored_arn = {}) {
        CapabilityInputs able{.config = config,
                              .api_versions = {},
                              .volume_plugins = {},
                              .task_limits = config.task_cpu_mem_limit.enabled(),
                              .optimized_cpu = true,
                              .gpu_driver_version = {}};
        for (int minor = 17; minor <= 41; ++minor) able.api_versions.push_back("1." + std::to_string(minor));
        HostFacts host;
        host.online_cpus = 2;
        host.memory_mib = 8000;
        host.cpu_architecture = "x86_64";
        return {.config = config,
                .host = host,
                .capabilities = capabilities(able),
                .restored_arn = std::move(restored_arn),
                .gpu_ids = std::nullopt,
                .outpost_arn = {}};
    }

    /// Answers like the service: the attributes come back, with the zone.
    static Result<net::HttpResponse> accept(const net::HttpRequest& request) {
        Json attributes = Json::parse(request.body).at("attributes");
        attributes.push_back({{"name", "ecs.availability-zone"}, {"value", "us-west-2b"}});
        net::HttpResponse response;
        response.status = 200;
        response.body =
            Json{{"containerInstance", {{"containerInstanceArn", "arn:i/1"}, {"attributes", attributes}}}}.dump();
        return response;
    }

    Registration::Outcome run(RegistrationInputs given) {
        Registration registration(api, credentials, clock, sources);
        Outcome outcome;
        scope.spawn(register_with(registration, std::move(given), outcome));
        let_pass([&outcome] { return outcome.has_value(); });
        EXPECT_TRUE(outcome.has_value());
        return outcome ? *outcome : RegistrationFailure{};
    }

    int exit_code(std::string_view code, std::string_view message, std::string restored_arn) {
        http.on("POST", "*").reply(400, error_body(code, message));
        const auto outcome = run(inputs(std::move(restored_arn)));
        return outcome ? 0 : outcome.error().exit_code;
    }

    // The recorded body without its volatile values and without the attributes this build does not have.
    void expect_like_recorded(const char* which, Json ours) {
        const auto file = read_file(std::string(NODEAGENT_TEST_DATA) + "/register_bodies.json");
        Json recorded = Json::parse(*file).at(which);
        EXPECT_EQ(ours.at("clientToken").get<std::string>().size(), 36U);
        EXPECT_EQ(ours.at("totalResources").at(0).at("integerValue"), 2048);
        EXPECT_EQ(ours.at("totalResources").at(1).at("integerValue"), 8000 - config.reserved_memory);
        for (const Json& attribute : ours.at("attributes")) {
            EXPECT_THAT(recorded.at("attributes"), testing::Contains(attribute));
        }
        for (const Json& attribute : recorded.at("attributes")) {
            if (!attribute.contains("value")) continue;
            EXPECT_THAT(ours.at("attributes"), testing::Contains(attribute));
        }
        for (Json* body : {&ours, &recorded}) {
            for (const char* name :
                 {"attributes", "clientToken", "instanceIdentityDocument", "instanceIdentityDocumentSignature"}) {
                EXPECT_TRUE(body->contains(name)) << name;
                body->erase(name);
            }
            for (const int volatile_one : {0, 1}) body->at("totalResources").at(volatile_one).erase("integerValue");
        }
        EXPECT_EQ(ours, recorded);
    }

    config::Config config;
    RegistrationSources sources;
    ApiClient api = api_client();
};

TEST_F(RegistrationTest, SendsWhatTheReferenceSendsAtTheFirstStart) {
    http.on("POST", "*").answer(&accept);
    const auto outcome = run(inputs());
    ASSERT_TRUE(outcome) << outcome.error().error.what;
    EXPECT_EQ(outcome->container_instance_arn, "arn:i/1");
    EXPECT_EQ(outcome->availability_zone, "us-west-2b");
    EXPECT_EQ(outcome->cluster, "judge");
    const Json body = sent("RegisterContainerInstance").at(0);
    expect_like_recorded("first", body);
    EXPECT_EQ(body.at("instanceIdentityDocument"), "{\"region\":\"us-west-2\"}");
    EXPECT_EQ(body.at("instanceIdentityDocumentSignature"), "c2ln");
}

TEST_F(RegistrationTest, SendsItsArnAndNoCustomAttributesWhenItRegistersAgain) {
    config.instance_attributes = {{"stack", "prod"}};
    http.on("POST", "*").answer(&accept);
    ASSERT_TRUE(
        run(inputs("arn:aws:ecs:us-west-2:123456789012:container-instance/judge/4beea3e1b064389508b705cbab389850")));
    expect_like_recorded("again", sent("RegisterContainerInstance").at(0));
}

TEST_F(RegistrationTest, SendsAttributesTagsAndReservationsAsConfigured) {
    config.instance_attributes = {{"stack", "prod"}, {"rack", "r1"}};
    config.reserved_memory = 256;
    config.reserved_ports = {22, 80, 5000};
    config.reserved_ports_udp = {53};
    config.container_instance_tags = {{"owner", "judge"}};
    config.privileged_disabled.set = true;
    config.selinux_capable.set = true;
    config.apparmor_capable.set = true;
    config.task_cpu_mem_limit.set = false;
    config.task_iam_role_network_host = false;
    config.available_logging_drivers = {"json-file", "awslogs", "fluentd", "none"};
    http.on("POST", "*").answer(&accept);
    ASSERT_TRUE(run(inputs()));
    const Json body = sent("RegisterContainerInstance").at(0);
    expect_like_recorded("configured", body);
    EXPECT_EQ(body.at("attributes").at(0), (Json{{"name", "rack"}, {"value", "r1"}})) << "custom attributes come first";
}

TEST_F(RegistrationTest, RegistersWithoutIdentityAfterHalfAMinuteOfAsking) {
    int calls = 0;
    sources.identity_document = [&calls] { return no_text(calls); };
    http.on("POST", "*").answer(&accept);
    const SteadyTime before = clock.now().steady;
    ASSERT_TRUE(run(inputs()));
    EXPECT_GT(calls, 8);
    EXPECT_LE(clock.now().steady - before, 30s);
    EXPECT_GE(credentials.invalidations, calls - 1);
    const Json body = sent("RegisterContainerInstance").at(0);
    EXPECT_EQ(body.at("instanceIdentityDocument"), "");
    EXPECT_EQ(body.at("instanceIdentityDocumentSignature"), "");
}

TEST_F(RegistrationTest, AnExternalInstanceNamesItsArchitectureAndHasNoIdentity) {
    config.external.set = true;
    http.on("POST", "*").answer(&accept);
    ASSERT_TRUE(run(inputs()));
    const Json body = sent("RegisterContainerInstance").at(0);
    EXPECT_EQ(body.at("instanceIdentityDocument"), "");
    EXPECT_THAT(body.at("attributes"), testing::Contains(Json{{"name", "ecs.cpu-architecture"}, {"value", "x86_64"}}));
}

TEST_F(RegistrationTest, SendsGpusAsPlatformDevices) {
    config.gpu_support = true;
    RegistrationInputs with_gpus = inputs();
    with_gpus.gpu_ids = {"GPU-1"};
    http.on("POST", "*").answer(&accept);
    ASSERT_TRUE(run(std::move(with_gpus)));
    ASSERT_TRUE(run(inputs()));
    const auto bodies = sent("RegisterContainerInstance");
    EXPECT_EQ(bodies.at(0).at("platformDevices"), Json::parse(R"([{"id":"GPU-1","type":"GPU"}])"));
    EXPECT_FALSE(bodies.at(1).contains("platformDevices"));
}

TEST_F(RegistrationTest, PropagatesInstanceTagsExceptReservedOnesAndOwnKeys) {
    config.propagate_tags_from = config::PropagateTags::Ec2Instance;
    config.container_instance_tags = {{"owner", "me"}};
    sources.instance_tags = [] {
        return tags({{.key = "owner", .value = "ec2"},
                     {.key = "team", .value = "a"},
                     {.key = "AWS:stack", .value = "x"},
                     {.key = "origin", .value = "aws:x"}});
    };
    http.on("POST", "*").answer(&accept);
    ASSERT_TRUE(run(inputs()));
    EXPECT_EQ(sent("RegisterContainerInstance").at(0).at("tags"),
              Json::parse(R"([{"key":"owner","value":"me"},{"key":"team","value":"a"}])"));
}

TEST_F(RegistrationTest, CannotPropagateTagsItCannotRead) {
    config.propagate_tags_from = config::PropagateTags::Ec2Instance;
    const auto outcome = run(inputs());
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().exit_code, 1);
    EXPECT_TRUE(http.requests.empty());
}

TEST_F(RegistrationTest, InsistsThroughServerErrorsAndThrottlingUnderOneToken) {
    http.on("POST", "*").reply(500).reply(500).reply(400, error_body("ThrottlingException")).answer(&accept);
    ASSERT_TRUE(run(inputs()));
    const auto bodies = sent("RegisterContainerInstance");
    ASSERT_EQ(bodies.size(), 4U);
    EXPECT_EQ(bodies.front(), bodies.back());
}

TEST_F(RegistrationTest, GivesUpAfterAnHourOfThrottling) {
    http.on("POST", "*").reply(400, error_body("ThrottlingException", "slow down"));
    const SteadyTime before = clock.now().steady;
    const auto outcome = run(inputs());
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().exit_code, 1);
    EXPECT_THAT(outcome.error().error.what, HasSubstr("ThrottlingException: slow down"));
    EXPECT_GT(clock.now().steady - before, 50min);
    EXPECT_LE(clock.now().steady - before, 61min);
}

TEST_F(RegistrationTest, EndsWithTheReferencesExitCodes) {
    EXPECT_EQ(exit_code("InvalidParameterException", "", ""), 5);
    EXPECT_EQ(exit_code("ClientException", "", ""), 5);
    EXPECT_EQ(exit_code("AccessDeniedException", "", ""), 1);
    EXPECT_EQ(exit_code("AccessDeniedException", "", "arn:i/1"), 1);
    EXPECT_EQ(exit_code("InvalidRequest", "Container instance type changes are not supported.", "arn:i/1"), 5);
    EXPECT_EQ(exit_code("InvalidRequest", "Container instance type changes are not supported.", ""), 1);
}

TEST_F(RegistrationTest, ANetworkErrorIsRecoverableAndNamesItsRemedy) {
    http.on("POST", "*").fail({.kind = ErrorKind::Unavailable, .what = "no answer from ecs"});
    const auto outcome = run(inputs());
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().exit_code, 1);
    EXPECT_THAT(outcome.error().error.what, HasSubstr("ECS_BACKEND_HOST"));
    EXPECT_EQ(http.requests.size(), 3U) << "the SDK layer's three attempts, no more";
}

TEST_F(RegistrationTest, CreatesTheDefaultClusterWhenNoneIsConfigured) {
    config.cluster.clear();
    http.on("POST", "*")
        .reply(400, error_body("ClientException", "Cluster not found."))
        .reply(200, R"({"cluster":{"clusterName":"default"}})")
        .answer(&accept);
    const auto outcome = run(inputs());
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->cluster, "default");
    EXPECT_EQ(sent("CreateCluster").at(0), Json::parse(R"({"clusterName":"default"})"));
    const auto bodies = sent("RegisterContainerInstance");
    ASSERT_EQ(bodies.size(), 2U);
    EXPECT_EQ(bodies[1].at("cluster"), "default");
}

TEST_F(RegistrationTest, RefusesAServiceThatChangesItsAttributes) {
    config.instance_attributes = {{"stack", "prod"}};
    http.on("POST", "*").reply(200, R"({"containerInstance":{"containerInstanceArn":"arn:i/1","attributes":[
        {"name":"stack","value":"dev"}]}})");
    const auto outcome = run(inputs());
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().exit_code, 5);
    EXPECT_THAT(outcome.error().error.what,
                HasSubstr("attribute stack was sent as \"prod\" but registered as \"dev\""));
}

TEST(AttributeMismatch, ANameOnlyAttributeMayBeMissing) {
    EXPECT_FALSE(attribute_mismatch({{.name = "ecs.capability.full-sync", .value = {}}}, {}));
    EXPECT_TRUE(attribute_mismatch({{.name = "ecs.os-type", .value = "linux"}}, {}));
}

}  // namespace
}  // namespace nodeagent::ecs
