#include "runtime/docker/mapping.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/base/strings.hpp"
#include "runtime/docker/api_versions.hpp"
#include "runtime/docker/image_reference.hpp"

namespace nodeagent::runtime::docker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ContainerView with_state(const std::string& state) {
    return container_view(Json::parse(R"({"Id":"c1","Name":"/web","State":)" + state + "}"));
}

TEST(DockerMapping, TellsThePhaseOfAContainer) {
    EXPECT_EQ(with_state(R"({"Running":true,"StartedAt":"2026-01-01T00:00:00Z"})").phase, ContainerPhase::Running);
    EXPECT_EQ(with_state(R"({"Running":true,"Paused":true,"Restarting":true})").phase, ContainerPhase::Running);
    EXPECT_EQ(with_state(R"({"Running":false,"StartedAt":"0001-01-01T00:00:00Z","Error":""})").phase,
              ContainerPhase::Created);
    EXPECT_EQ(with_state(R"({"Running":false,"StartedAt":"0001-01-01T00:00:00Z","Error":"bind: in use"})").phase,
              ContainerPhase::Stopped);
    EXPECT_EQ(with_state(R"({"Running":false,"StartedAt":"2026-01-01T00:00:00Z"})").phase, ContainerPhase::Stopped);
    EXPECT_EQ(with_state(R"({"Dead":true,"StartedAt":"0001-01-01T00:00:00Z"})").phase, ContainerPhase::Stopped);
}

TEST(DockerMapping, HasAnExitCodeOnlyOnceTheContainerEnded) {
    const std::string ended = R"("ExitCode":3,"StartedAt":"2026-01-01T00:00:00Z","FinishedAt":"2026-01-01T00:00:01Z")";
    EXPECT_EQ(with_state("{\"Running\":false," + ended + "}").exit_code, 3);
    EXPECT_EQ(with_state("{\"Running\":true," + ended + "}").exit_code, std::nullopt);
    EXPECT_EQ(with_state(R"({"ExitCode":0,"FinishedAt":"0001-01-01T00:00:00Z"})").exit_code, std::nullopt);
}

TEST(DockerMapping, ReadsPortsNetworksMountsLabelsAndTimes) {
    const ContainerView view = container_view(Json::parse(R"({"Id":"c1","Name":"/web","Image":"sha256:i",
        "Created":"2026-01-01T00:00:00.5Z","Config":{"Labels":{"a":"b"}},"HostConfig":{"NetworkMode":"bridge"},
        "State":{"Running":true,"Pid":42,"OOMKilled":true,"Error":"boom"},
        "NetworkSettings":{"Ports":{"53/udp":null,"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"},{"HostIp":"::","HostPort":"8080"}]},
          "Networks":{"bridge":{"IPAddress":"172.17.0.2","GlobalIPv6Address":"fd00::2"}}},
        "Mounts":[{"Name":"v","Source":"/s","Destination":"/d"}]})"));
    EXPECT_EQ(view.name, "web");
    EXPECT_EQ(view.pid, 42);
    EXPECT_TRUE(view.oom_killed);
    EXPECT_EQ(view.error, "boom");
    EXPECT_EQ(view.labels.at("a"), "b");
    EXPECT_THAT(view.ports, ElementsAre(PortBinding{80, 8080, "0.0.0.0", "tcp"}, PortBinding{80, 8080, "::", "tcp"}));
    EXPECT_THAT(view.networks, ElementsAre(Network{"bridge", "172.17.0.2", "fd00::2"}));
    EXPECT_THAT(view.mounts, ElementsAre(Mount{"v", "/s", "/d"}));
    EXPECT_EQ(view.network_mode, "bridge");
    EXPECT_EQ(view.created_at->time_since_epoch(), std::chrono::milliseconds(1767225600500));
}

TEST(DockerMapping, ReadsHealthWithTheLastProbesOutputCutShort) {
    const ContainerView view = with_state(R"({"Running":true,"Health":{"Status":"unhealthy","Log":[
        {"ExitCode":0,"Output":"fine"},{"ExitCode":7,"Output":")" +
                                          std::string(2000, 'x') + R"("}]}})");
    EXPECT_EQ(view.health.status, Health::Status::Unhealthy);
    EXPECT_EQ(view.health.exit_code, 7);
    EXPECT_EQ(view.health.output.size(), 1024U);
    EXPECT_EQ(with_state(R"({"Running":true,"Health":{"Status":"none"}})").health, Health{});
}

TEST(DockerMapping, SurvivesAnswersOfTheWrongShape) {
    for (const char* text :
         {"[]", "null", R"({"State":[],"Mounts":{},"NetworkSettings":{"Ports":[],"Networks":7}})",
          R"({"Id":5,"Config":{"Labels":["x"]},"State":{"Health":{"Status":"healthy","Log":[1]}}})"}) {
        EXPECT_EQ(container_view(Json::parse(text)).id, "");
    }
    EXPECT_EQ(runtime_event("{"), std::nullopt);
    EXPECT_EQ(runtime_event("7"), std::nullopt);
}

TEST(DockerMapping, ListsContainersOfNewAndOldDaemons) {
    const ContainerView view = listed_container(Json::parse(
        R"({"Id":"c1","Names":["/app/db","/db"],"ImageID":"sha256:i","State":"paused","Created":1767225600,"Labels":{"a":"b"}})"));
    EXPECT_EQ(view.name, "db");
    EXPECT_EQ(view.phase, ContainerPhase::Running);
    EXPECT_EQ(listed_container(Json::parse(R"({"State":"created"})")).phase, ContainerPhase::Created);
    EXPECT_EQ(listed_container(Json::parse(R"({"State":"exited"})")).phase, ContainerPhase::Stopped);
    EXPECT_EQ(listed_container(Json::parse(R"({"Status":"Up 3 minutes"})")).phase, ContainerPhase::Running);
}

TEST(DockerMapping, TakesContainerEventsThatChangeSomething) {
    using Kind = RuntimeEvent::Kind;
    const auto kind = [](const std::string& action, const std::string& type = "container") {
        const auto event =
            runtime_event(R"({"Type":")" + type + R"(","Action":")" + action + R"(","Actor":{"ID":"c1"}})");
        return event ? std::optional(event->kind) : std::nullopt;
    };
    EXPECT_EQ(kind("create"), Kind::Created);
    EXPECT_EQ(kind("start"), Kind::Started);
    EXPECT_EQ(kind("die"), Kind::Exited);
    EXPECT_EQ(kind("oom"), Kind::Oom);
    EXPECT_EQ(kind("destroy"), Kind::Removed);
    EXPECT_EQ(kind("health_status: healthy"), Kind::Health);
    EXPECT_EQ(kind("health_status: unhealthy"), Kind::Health);
    EXPECT_EQ(kind("health_status: starting"), std::nullopt);
    EXPECT_EQ(kind("exec_start: sh"), std::nullopt);
    EXPECT_EQ(kind("create", "volume"), std::nullopt);

    const auto exited = runtime_event(
        R"({"status":"die","id":"c1","Type":"container","Action":"die","Actor":{"ID":"c1","Attributes":{"exitCode":"137"}}})");
    EXPECT_EQ(exited->container_id, "c1");
    EXPECT_EQ(exited->exit_code, 137);
    EXPECT_EQ(runtime_event(R"({"status":"start","id":"old"})")->container_id, "old");
}

TEST(DockerMapping, PutsTheDocumentsIntoOneCreateBody) {
    ContainerSpec spec;
    spec.config = Json::parse(R"({"Image":"i","Cmd":null})");
    spec.host_config = Json::parse(R"({"Memory":1})");
    EXPECT_EQ(Json::parse(create_body(spec)),
              Json::parse(R"({"Image":"i","Cmd":null,"HostConfig":{"Memory":1},"NetworkingConfig":{}})"));
    EXPECT_EQ(Json::parse(create_body({})), Json::parse(R"({"HostConfig":{},"NetworkingConfig":{}})"));
}

TEST(DockerMapping, EncodesRegistryCredentialsAsTheReferenceDoes) {
    EXPECT_EQ(registry_auth_header({}, true), "e30K");
    EXPECT_EQ(registry_auth_header({}, false), "e30=");
    const RegistryAuth auth{
        .username = "AWS", .password = Secret("p\"<\xff"), .email = {}, .server_address = "https://r"};
    std::string header = registry_auth_header(auth, true);
    std::replace(header.begin(), header.end(), '-', '+');
    std::replace(header.begin(), header.end(), '_', '/');
    EXPECT_EQ(*base64_decode(header),
              "{\"username\":\"AWS\",\"password\":\"p\\\"\\u003c\\ufffd\",\"serveraddress\":\"https://r\"}\n");
}

TEST(DockerMapping, SpeaksErrorsInTheDaemonsWords) {
    const Error conflict = daemon_error(409, R"({"message":"name in use"})");
    EXPECT_EQ(conflict.kind, ErrorKind::Conflict);
    EXPECT_EQ(conflict.what, "Error response from daemon: name in use");
    EXPECT_EQ(daemon_error(404, "page not found\n").what, "Error response from daemon: page not found");
    EXPECT_EQ(daemon_error(500, "").what, "Error response from daemon: HTTP status 500");
    EXPECT_EQ(daemon_error(503, "{}").kind, ErrorKind::Unavailable);
}

TEST(DockerMapping, KnowsRefusalsOfRegistriesByTheirWords) {
    const auto kind = [](std::string_view text) { return kind_of_pull_error(text, ErrorKind::Internal); };
    EXPECT_EQ(kind("pull access denied for x, repository does not exist or may require 'docker login'"),
              ErrorKind::Denied);
    EXPECT_EQ(kind("Head \"https://r/v2/\": unauthorized: authentication required"), ErrorKind::Denied);
    EXPECT_EQ(kind("no basic auth credentials"), ErrorKind::Denied);
    EXPECT_EQ(kind("manifest for x:y not found: manifest unknown: manifest unknown"), ErrorKind::NotFound);
    EXPECT_EQ(kind("toomanyrequests: slow down"), ErrorKind::Throttled);
    EXPECT_EQ(kind("disk full"), ErrorKind::Internal);
}

TEST(PullLog, AddsUpTheLayers) {
    PullLog log;
    EXPECT_FALSE(log.add(R"({"status":"Pulling from library/x","id":"latest"})"));
    EXPECT_TRUE(log.add(R"({"status":"Downloading","id":"a","progressDetail":{"current":10,"total":100}})"));
    EXPECT_TRUE(log.add(R"({"status":"Downloading","id":"b","progressDetail":{"current":5,"total":50}})"));
    EXPECT_TRUE(log.add(R"({"status":"Downloading","id":"a","progressDetail":{"current":90,"total":100}})"));
    EXPECT_EQ(log.progress().current_bytes, 95U);
    EXPECT_EQ(log.progress().total_bytes, 150U);
    EXPECT_FALSE(log.error());
}

TEST(PullLog, CountsLayersAndThoseThatAreThere) {
    PullLog log;
    EXPECT_FALSE(log.add(R"({"status":"Pulling from library/x","id":"latest"})"));
    EXPECT_TRUE(log.add(R"({"status":"Already exists","progressDetail":{},"id":"a"})"));
    EXPECT_TRUE(log.add(R"({"status":"Pulling fs layer","progressDetail":{},"id":"b"})"));
    EXPECT_TRUE(log.add(R"({"status":"Downloading","id":"b","progressDetail":{"current":90,"total":100}})"));
    EXPECT_TRUE(log.add(R"({"status":"Download complete","progressDetail":{},"id":"b"})"));
    EXPECT_EQ(log.progress().current_bytes, 100U) << "the last bytes have no record of their own";
    EXPECT_FALSE(log.add(R"({"status":"Extracting","id":"b","progressDetail":{"current":50,"total":100}})"));
    EXPECT_EQ(log.progress().layers, 2U);
    EXPECT_EQ(log.progress().layers_done, 1U);
    EXPECT_TRUE(log.add(R"({"status":"Pull complete","progressDetail":{},"id":"b"})"));
    EXPECT_FALSE(log.add(R"({"status":"Digest: sha256:0"})"));
    EXPECT_EQ(log.progress().layers_done, 2U);
}

TEST(DockerMapping, ReadsWhenAnImageWasBuiltFromBothItsForms) {
    const WallTime built{std::chrono::seconds(1'700'000'000)};
    EXPECT_EQ(image_view(Json::parse(R"({"Id":"i","Created":1700000000})")).created, built);
    EXPECT_EQ(image_view(Json::parse(R"({"Id":"i","Created":"2023-11-14T22:13:20Z"})")).created, built);
    EXPECT_EQ(image_view(Json::parse(R"({"Id":"i"})")).created, std::nullopt);
}

TEST(DockerMapping, TakesASecondCountBeyondAllTimeForNone) {
    for (const char* count : {"9223372036854775807", "9223372037", "-9223372037"}) {
        const Json document = Json::parse(std::string(R"({"Id":"i","Created":)") + count + "}");
        EXPECT_EQ(image_view(document).created, std::nullopt) << count;
        EXPECT_EQ(listed_container(document).created_at, std::nullopt) << count;
    }
}

TEST(DockerMapping, RefusesNestingWithoutEnd) {
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    EXPECT_EQ(runtime_event(R"({"Action":"start","id":"c1","x":)" + deep + "}"), std::nullopt);
    PullLog log;
    EXPECT_FALSE(log.add(R"({"status":"Downloading","id":"a","x":)" + deep + "}"));
    EXPECT_EQ(daemon_error(500, deep).kind, ErrorKind::Internal);
}

TEST(PullLog, KeepsTheErrorAndIgnoresWhatIsNoRecord) {
    PullLog log;
    EXPECT_FALSE(log.add("not json"));
    EXPECT_FALSE(log.add(R"({"errorDetail":{"message":"denied"},"error":"denied: x"})"));
    EXPECT_EQ(log.error(), "denied: x");
}

TEST(DockerMapping, NamesEnabledVolumePlugins) {
    const Json plugins = Json::parse(R"([
        {"Name":"vieux/sshfs:latest","Enabled":true,"Config":{"Interface":{"Types":[{"Prefix":"docker","Capability":"volumedriver","Version":"1.0"}]}}},
        {"Name":"rexray:1.2","Enabled":true,"Config":{"Interface":{"Types":["docker.volumedriver/1.0"]}}},
        {"Name":"off:latest","Enabled":false,"Config":{"Interface":{"Types":["docker.volumedriver/1.0"]}}},
        {"Name":"log:latest","Enabled":true,"Config":{"Interface":{"Types":["docker.logdriver/1.0"]}}}])");
    EXPECT_THAT(volume_plugins(plugins), ElementsAre("vieux/sshfs", "vieux/sshfs.latest", "rexray.1.2"));
    EXPECT_THAT(volume_plugins(Json::parse("{}")), IsEmpty());
}

TEST(DockerMapping, ReadsWhatTheDaemonSaysOfItsHost) {
    Capabilities capabilities;
    add_daemon_facts(Json::parse(R"({"CgroupDriver":"systemd","CgroupVersion":"2",
        "SecurityOptions":["name=seccomp,profile=default","apparmor"]})"),
                     capabilities);
    EXPECT_TRUE(capabilities.cgroup_v2);
    EXPECT_TRUE(capabilities.systemd_cgroup_driver);
    EXPECT_THAT(capabilities.security_options, ElementsAre("seccomp", "apparmor"));
}

TEST(ImageReference, SplitsAtTheLastColonWithoutASlash) {
    const auto parts = [](std::string_view image) {
        const ImageReference reference = parse_image_reference(image);
        return reference.repository + " " + reference.tag;
    };
    EXPECT_EQ(parts("localhost:5000/a"), "localhost:5000/a latest");
    EXPECT_EQ(parts("a:b"), "a b");
    EXPECT_EQ(parts("a:b@sha256:0"), "a sha256:0");
    EXPECT_EQ(parts("docker.io/library/busybox:1"), "busybox 1");
    EXPECT_EQ(parts("index.docker.io/team/x"), "team/x latest");
    EXPECT_EQ(parts("library/busybox"), "busybox latest");
    EXPECT_EQ(parts("r.tld/library/x"), "r.tld/library/x latest");
}

TEST(ApiVersions, StandardIsTheLowestTheDaemonTakesFrom121On) {
    EXPECT_EQ(to_string(ApiVersions::of_daemon({1, 12}, {1, 41})->standard()), "1.21");
    EXPECT_EQ(to_string(ApiVersions::of_daemon({1, 24}, {1, 50})->standard()), "1.24");
    EXPECT_EQ(to_string(ApiVersions::of_daemon({1, 44}, {1, 52})->standard()), "1.44");
    EXPECT_EQ(to_string(ApiVersions::of_daemon({1, 60}, {1, 70})->standard()), "1.60");
    EXPECT_FALSE(ApiVersions::of_daemon({1, 12}, {1, 20}));
}

TEST(ApiVersions, OfAPayloadIsRaisedToTheStandard) {
    const auto of = [](std::string_view wish) {
        const auto version = ApiVersions::of_daemon({1, 12}, {1, 41})->for_payload(wish);
        return version ? to_string(*version) : version.error().what;
    };
    EXPECT_EQ(of("1.18"), "1.21");
    EXPECT_EQ(of(""), "1.21");
    EXPECT_EQ(of("latest"), "1.21");
    EXPECT_EQ(of("1.30"), "1.30");
    EXPECT_EQ(of("1.43"), "(v1.43) - docker client factory: client not found for docker version: 1.43");
    EXPECT_EQ(to_string(*ApiVersions::of_daemon({1, 60}, {1, 70})->for_payload("1.18")), "1.60");
}

TEST(ApiVersions, AdvertisedIncludeOldOnesOnceTheDaemonHasDroppedThem) {
    const auto old = ApiVersions::of_daemon({1, 12}, {1, 19 + 2})->advertised();
    EXPECT_EQ(old.front(), "1.17");
    EXPECT_EQ(old.back(), "1.21");
    const auto recent = ApiVersions::of_daemon({1, 24}, {1, 50})->advertised();
    EXPECT_EQ(recent.front(), "1.17");
    EXPECT_EQ(recent.back(), "1.44");
    const auto between = ApiVersions::of_daemon({1, 22}, {1, 30})->advertised();
    EXPECT_EQ(between.front(), "1.22");
    EXPECT_FALSE(ApiVersions::of_daemon({1, 60}, {1, 70})->advertised().empty());
}

}  // namespace
}  // namespace nodeagent::runtime::docker
