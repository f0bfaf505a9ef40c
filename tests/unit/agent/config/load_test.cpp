#include "agent/config/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/config/settings.hpp"
#include "host_files.hpp"

namespace nodeagent::config {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

constexpr const char* kFile = "/etc/ecs_container_agent/config.json";

class Load : public testing::Test {
  protected:
    Load() { environment["AWS_DEFAULT_REGION"] = "us-west-2"; }

    Examination examined() {
        Surroundings surroundings;
        surroundings.read_file = host.reader();
        surroundings.instance = &instance;
        surroundings.blackhole_imds = blackhole;
        return examine(environment, surroundings);
    }
    Config config() {
        Examination examination = examined();
        EXPECT_THAT(examination.problems, IsEmpty());
        return examination.loaded.config;
    }
    EffectiveSetting effective(std::string_view name) {
        for (EffectiveSetting& setting : examined().loaded.settings) {
            if (setting.name == name) return setting;
        }
        ADD_FAILURE() << name << " is not listed";
        return {};
    }

    Environment environment;
    HostFiles host;
    FakeInstance instance;
    bool blackhole = false;
};

TEST_F(Load, GivesTheDocumentedDefaults) {
    const Config got = config();
    EXPECT_EQ(got.cluster, "");
    EXPECT_EQ(got.data_dir, "/data/");
    EXPECT_EQ(got.container_stop_timeout, 30s);
    EXPECT_THAT(got.reserved_ports, ElementsAre(22, 2375, 2376, 51678, 51679));
    EXPECT_TRUE(got.task_cpu_mem_limit.enabled());
    EXPECT_FALSE(got.task_cpu_mem_limit.explicitly_enabled());
    EXPECT_FALSE(got.checkpoint);
    EXPECT_EQ(got.dynamic_port_first, 49153);
    EXPECT_EQ(got.detailed_os_family, "LINUX");
    EXPECT_TRUE(got.exclude_ipv6_port_binding);
    EXPECT_TRUE(got.ebs_task_attach);
}

TEST_F(Load, PrefersTheEnvironmentThenTheFileThenUserData) {
    environment["ECS_CLUSTER"] = "  from-environment\n";
    host.files[kFile] = R"({"Cluster":"from-file","DataDir":"/from-file"})";
    instance.user_data_answer =
        R"({"ECSAgentConfiguration":{"Cluster":"u","DataDir":"/u","CgroupPath":"/from-user-data"}})";
    const Config got = config();
    EXPECT_EQ(got.cluster, "from-environment");
    EXPECT_EQ(got.data_dir, "/from-file");
    EXPECT_EQ(got.cgroup_path, "/from-user-data");
    EXPECT_EQ(effective("ECS_CLUSTER").source, "environment");
    EXPECT_EQ(effective("ECS_DATADIR").source, std::string("file ") + kFile);
    EXPECT_EQ(effective("ECS_CGROUP_PATH").source, "user data");
    EXPECT_EQ(effective("ECS_HOST_DATA_DIR").source, "default");
}

TEST_F(Load, TakesFalseZeroAndEmptyListsForNothingSaid) {
    environment["ECS_ENABLE_TASK_IAM_ROLE_NETWORK_HOST"] = "false";
    environment["ECS_RESERVED_PORTS"] = "[]";
    environment["ECS_CONTAINER_STOP_TIMEOUT"] = "0";
    host.files[kFile] = R"({"TaskIAMRoleEnabledForNetworkHost":true,"DockerStopTimeout":5000000000})";
    const Config got = config();
    EXPECT_TRUE(got.task_iam_role_network_host);
    EXPECT_EQ(got.reserved_ports.size(), 5U);
    EXPECT_EQ(got.container_stop_timeout, 5s);
}

TEST_F(Load, LetsAnExplicitFalseOfATriStateWin) {
    environment["ECS_ENABLE_TASK_CPU_MEM_LIMIT"] = "F";
    host.files[kFile] = R"({"TaskCPUMemLimit":true,"PrivilegedDisabled":true,"Checkpoint":null})";
    const Config got = config();
    EXPECT_FALSE(got.task_cpu_mem_limit.enabled());
    EXPECT_TRUE(got.privileged_disabled.enabled());
}

TEST_F(Load, MatchesFileKeysWithoutRegardToCase) {
    host.files[kFile] = R"({"cluster":"c","RESERVEDPORTS":[1]})";
    const Config got = config();
    EXPECT_EQ(got.cluster, "c");
    EXPECT_THAT(got.reserved_ports, ElementsAre(1));
}

TEST_F(Load, AdoptsTheDeprecatedClusterArnOfTheFile) {
    host.files[kFile] = R"({"ClusterArn":"arn:aws:ecs:us-west-2:1:cluster/old"})";
    EXPECT_EQ(config().cluster, "arn:aws:ecs:us-west-2:1:cluster/old");
    EXPECT_THAT(examined().loaded.warnings, Contains(HasSubstr("ClusterArn")));
}

TEST_F(Load, IgnoresAFileThatIsNotThereAndRefusesOneThatIsBroken) {
    EXPECT_THAT(examined().problems, IsEmpty());
    host.files[kFile] = " \n\t";
    EXPECT_THAT(examined().problems, IsEmpty());
    host.files[kFile] = R"({"Cluster":)";
    EXPECT_THAT(examined().problems, ElementsAre(HasSubstr("invalid JSON at byte")));
    host.files[kFile] = R"(["Cluster"])";
    EXPECT_THAT(examined().problems, ElementsAre(HasSubstr("expected a JSON object")));
    host.failures[kFile] = Error{.kind = ErrorKind::Internal, .what = "read x: input/output error"};
    EXPECT_THAT(examined().problems, ElementsAre(HasSubstr("input/output")));
}

TEST_F(Load, ReadsTheFileTheEnvironmentNames) {
    environment["ECS_AGENT_CONFIG_FILE_PATH"] = "/etc/ecs/ecs.config.json";
    host.files["/etc/ecs/ecs.config.json"] = R"({"Cluster":"named"})";
    EXPECT_EQ(config().cluster, "named");
}

TEST_F(Load, NamesEveryMemberOfTheWrongTypeAtOnce) {
    host.files[kFile] = R"({"Cluster":5,"Checkpoint":"true","ReservedPorts":[22,"x"],"TaskCleanupWaitDuration":"3h"})";
    const std::vector<std::string> problems = examined().problems;
    EXPECT_THAT(problems, Contains(AllOf(HasSubstr("ECS_CLUSTER"), HasSubstr("expected a string, got a number"))));
    EXPECT_THAT(problems, Contains(AllOf(HasSubstr("ECS_CHECKPOINT"), HasSubstr("true, false or null"))));
    EXPECT_THAT(problems, Contains(AllOf(HasSubstr("ECS_RESERVED_PORTS"), HasSubstr("element 1"))));
    EXPECT_THAT(problems, Contains(AllOf(HasSubstr("CLEANUP_WAIT_DURATION"), HasSubstr("integer of nanoseconds"))));
    EXPECT_EQ(problems.size(), 4U);
}

TEST_F(Load, IgnoresUserDataThatIsNoJsonOrHasAMemberOfTheWrongType) {
    instance.user_data_answer = "#!/bin/sh\necho ECS_CLUSTER=x >> /etc/ecs/ecs.config\n";
    EXPECT_EQ(config().cluster, "");
    EXPECT_THAT(examined().loaded.warnings, IsEmpty());
    instance.user_data_answer = R"({"ECSAgentConfiguration":{"Cluster":"c","ReservedMemory":"lots"}})";
    EXPECT_EQ(config().cluster, "");
    EXPECT_THAT(examined().loaded.warnings, Contains(HasSubstr("user data is ignored")));
}

TEST_F(Load, WarnsWhenTheInstanceDoesNotAnswerForUserData) {
    instance.user_data_answer = Error{.kind = ErrorKind::Unavailable, .what = "no answer"};
    EXPECT_THAT(examined().loaded.warnings, ElementsAre(HasSubstr("EC2 user data: no answer")));
}

TEST_F(Load, TakesTheRegionFromTheIdentityDocument) {
    environment.erase("AWS_DEFAULT_REGION");
    instance.identity_region_answer = "eu-central-1";
    EXPECT_EQ(config().region, "eu-central-1");
    EXPECT_EQ(effective("AWS_DEFAULT_REGION").source, "instance metadata");
}

TEST_F(Load, AsksForThePlacementWhenThereIsNoIdentityDocument) {
    environment.erase("AWS_DEFAULT_REGION");
    host.files[kFile] = R"({"NoIID":true})";
    instance.identity_region_answer = "wrong";
    instance.placement_region_answer = "eu-west-1";
    EXPECT_EQ(config().region, "eu-west-1");
    instance.placement_region_answer = Error{.kind = ErrorKind::Unavailable, .what = "gone"};
    EXPECT_THAT(examined().problems, Contains(HasSubstr("gone")));
}

TEST_F(Load, RefusesToStartWithoutARegion) {
    environment.erase("AWS_DEFAULT_REGION");
    EXPECT_THAT(examined().problems, ElementsAre(HasSubstr("set AWS_DEFAULT_REGION")));
    environment["AWS_DEFAULT_REGION"] = "  ";
    instance.identity_region_answer = "eu-central-1";
    EXPECT_THAT(examined().problems, ElementsAre(HasSubstr("set AWS_DEFAULT_REGION"))) << "white space was something";
}

TEST_F(Load, NeverAsksAnExternalInstanceForAnything) {
    environment["ECS_EXTERNAL"] = "true";
    const Config got = config();
    EXPECT_TRUE(got.no_instance_identity);
    EXPECT_TRUE(got.blackhole_imds);
    EXPECT_EQ(instance.asked, 0);
    environment.erase("AWS_DEFAULT_REGION");
    host.files[kFile] = R"({"AWSRegion":"us-east-1"})";
    EXPECT_THAT(examined().problems, ElementsAre(HasSubstr("AWS_DEFAULT_REGION"))) << "the file does not count";
}

TEST_F(Load, AsksNothingOfTheInstanceWhenBlackholed) {
    blackhole = true;
    EXPECT_TRUE(config().blackhole_imds);
    EXPECT_EQ(instance.asked, 0);
}

TEST_F(Load, WatermarksArePercentagesOrOff) {
    EXPECT_EQ(config().image_high_watermark, 85);
    environment["ECS_IMAGE_CLEANUP_HIGH_WATERMARK"] = " 70 ";
    environment["ECS_IMAGE_CLEANUP_LOW_WATERMARK"] = "off";
    environment["ECS_TASK_QUEUE_OVERTAKE_AFTER"] = "off";
    EXPECT_EQ(config().image_high_watermark, 70);
    EXPECT_EQ(config().image_low_watermark, 0);
    EXPECT_EQ(config().task_queue_overtake_after, 0s);
    environment["ECS_IMAGE_CLEANUP_HIGH_WATERMARK"] = "101";
    EXPECT_EQ(config().image_high_watermark, 85);
}

TEST_F(Load, TheFileTurnsOvertakingOffToo) {
    host.files[kFile] = R"({"TaskQueueOvertakeAfter":"off"})";
    EXPECT_EQ(config().task_queue_overtake_after, 0s);
    host.files[kFile] = R"({"TaskQueueOvertakeAfter":0})";
    EXPECT_EQ(config().task_queue_overtake_after, 0s);
    host.files[kFile] = R"({"TaskQueueOvertakeAfter":60000000000})";
    EXPECT_EQ(config().task_queue_overtake_after, 60s);
}

TEST_F(Load, TreatsBadDurationsAsTheTableSays) {
    environment["ECS_CONTAINER_STOP_TIMEOUT"] = "-3s";
    environment["ECS_CONTAINER_START_TIMEOUT"] = "10s";
    environment["ECS_CONTAINER_CREATE_TIMEOUT"] = "1s";
    environment["ECS_MANIFEST_PULL_TIMEOUT"] = "1s";
    environment["ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION"] = "500ms";
    environment["ECS_CGROUP_CPU_PERIOD"] = "1ms";
    environment["ECS_IMAGE_PULL_TIMEOUT"] = "twice";
    environment["ECS_IMAGE_CLEANUP_INTERVAL"] = "9m";
    const Config got = config();
    EXPECT_EQ(got.container_stop_timeout, 1s);
    EXPECT_EQ(got.container_start_timeout, 45s);
    EXPECT_EQ(got.container_create_timeout, 1min);
    EXPECT_EQ(got.manifest_pull_timeout, 30s);
    EXPECT_EQ(got.task_cleanup_wait, 3h);
    EXPECT_EQ(got.cgroup_cpu_period, 100ms);
    EXPECT_EQ(got.image_pull_timeout, 2h);
    EXPECT_EQ(got.image_cleanup_interval, 30min);
    EXPECT_EQ(examined().loaded.warnings.size(), 8U);
}

TEST_F(Load, RefusesShortTimeoutsOfTheFileButNotOfTheEnvironment) {
    host.files[kFile] = R"({"DockerStopTimeout":1,"ContainerStartTimeout":1000000000,"ImagePullInactivityTimeout":1})";
    const Examination got = examined();
    EXPECT_THAT(got.problems,
                ElementsAre(HasSubstr("ECS_CONTAINER_STOP_TIMEOUT"), HasSubstr("ECS_CONTAINER_START_TIMEOUT")));
    EXPECT_EQ(got.loaded.config.image_pull_inactivity_timeout, 1min);
}

TEST_F(Load, RefusesAttributesAndTagsThatAreNotMapsOfStrings) {
    environment["ECS_INSTANCE_ATTRIBUTES"] = "{\"stack\":";
    environment["ECS_CONTAINER_INSTANCE_TAGS"] = R"({"a":1})";
    environment["ECS_AWSVPC_ADDITIONAL_LOCAL_ROUTES"] = R"(["10.0.0.0/16","10.0.0.0"])";
    EXPECT_THAT(examined().problems,
                ElementsAre(HasSubstr("ECS_INSTANCE_ATTRIBUTES"), HasSubstr("ECS_CONTAINER_INSTANCE_TAGS"),
                            HasSubstr("ECS_AWSVPC_ADDITIONAL_LOCAL_ROUTES")));
    environment["ECS_INSTANCE_ATTRIBUTES"] = R"({"stack":"blue"})";
    environment.erase("ECS_CONTAINER_INSTANCE_TAGS");
    environment.erase("ECS_AWSVPC_ADDITIONAL_LOCAL_ROUTES");
    EXPECT_THAT(config().instance_attributes, ElementsAre(Pair("stack", "blue")));
}

TEST_F(Load, RefusesUnknownLoggingDriversByName) {
    environment["ECS_AVAILABLE_LOGGING_DRIVERS"] = R"(["json-file","carrier-pigeon","smoke"])";
    EXPECT_THAT(examined().problems, ElementsAre(HasSubstr("carrier-pigeon, smoke")));
    environment["ECS_AVAILABLE_LOGGING_DRIVERS"] = "json-file";
    EXPECT_THAT(config().available_logging_drivers, ElementsAre("json-file", "none")) << "bad JSON is only a warning";
}

TEST_F(Load, KeepsThePortsBeforeABadOne) {
    environment["ECS_RESERVED_PORTS"] = "[22,80,70000,443]";
    environment["ECS_RESERVED_PORTS_UDP"] = "[53] and more";
    const Config got = config();
    EXPECT_THAT(got.reserved_ports, ElementsAre(22, 80));
    EXPECT_THAT(got.reserved_ports_udp, ElementsAre(53));
    EXPECT_THAT(examined().loaded.warnings, ElementsAre(HasSubstr("element 2")));
}

TEST_F(Load, ReservesThePrometheusPortWhenItIsServed) {
    environment["ECS_ENABLE_PROMETHEUS_METRICS"] = "true";
    EXPECT_THAT(config().reserved_ports, Contains(51680));
}

TEST_F(Load, ChecksTheNumberOfProcesses) {
    environment["ECS_TASK_PIDS_LIMIT"] = " 4194304 ";
    EXPECT_EQ(config().task_pids_limit, 4194304);
    environment["ECS_TASK_PIDS_LIMIT"] = "4194305";
    EXPECT_EQ(config().task_pids_limit, 0);
}

TEST_F(Load, TakesRateAndBurstApart) {
    environment["ECS_TASK_METADATA_RPS_LIMIT"] = "100, 200";
    EXPECT_EQ(config().metadata_steady_rate, 100);
    EXPECT_EQ(config().metadata_burst, 200);
    EXPECT_EQ(effective("ECS_TASK_METADATA_RPS_LIMIT").value, "100,200");
    for (const char* bad : {"100", "a,b", "1,2,3", "-1,60"}) {
        environment["ECS_TASK_METADATA_RPS_LIMIT"] = bad;
        EXPECT_EQ(config().metadata_steady_rate, 40) << bad;
        EXPECT_EQ(config().metadata_burst, 60) << bad;
        EXPECT_THAT(examined().loaded.warnings, Not(IsEmpty())) << bad;
    }
}

TEST_F(Load, KeepsThePollingIntervalInBoundsOnlyWhenPolling) {
    environment["ECS_POLLING_METRICS_WAIT_DURATION"] = "1m";
    EXPECT_EQ(config().poll_metrics_wait, 1min);
    environment["ECS_POLL_METRICS"] = "true";
    EXPECT_EQ(config().poll_metrics_wait, 20s);
}

TEST_F(Load, SendsNothingToCloudWatchUnlessToldHowMuch) {
    EXPECT_EQ(config().cloudwatch_metrics, CloudWatchMetrics::Off);
    host.files[kFile] = R"({"CloudWatchMetrics":"standard"})";
    EXPECT_EQ(config().cloudwatch_metrics, CloudWatchMetrics::Standard);
    environment["ECS_CLOUDWATCH_METRICS"] = " detailed ";
    EXPECT_EQ(config().cloudwatch_metrics, CloudWatchMetrics::Detailed);
    EXPECT_EQ(effective("ECS_CLOUDWATCH_METRICS").value, "detailed");
    host.files.erase(kFile);
    environment["ECS_CLOUDWATCH_METRICS"] = "everything";
    EXPECT_EQ(config().cloudwatch_metrics, CloudWatchMetrics::Off);
    EXPECT_THAT(examined().loaded.warnings, ElementsAre(HasSubstr("off, standard, detailed")));
}

TEST_F(Load, CheckpointsWhenADataDirectoryIsNamed) {
    environment["ECS_DATADIR"] = "/data";
    EXPECT_TRUE(config().checkpoint);
    environment["ECS_CHECKPOINT"] = "false";
    EXPECT_FALSE(config().checkpoint);
    environment["ECS_CHECKPOINT"] = "true";
    environment.erase("ECS_DATADIR");
    EXPECT_TRUE(config().checkpoint);
}

TEST_F(Load, TakesTheKernelsPortRangeUnlessOneIsGiven) {
    host.files["/proc/sys/net/ipv4/ip_local_port_range"] = "32768\t60999\n";
    EXPECT_EQ(config().dynamic_port_first, 32768);
    EXPECT_EQ(config().dynamic_port_last, 60999);
    environment["ECS_DYNAMIC_HOST_PORT_RANGE"] = "40000-40010";
    EXPECT_EQ(config().dynamic_port_first, 40000);
    environment["ECS_DYNAMIC_HOST_PORT_RANGE"] = "40010-40000";
    EXPECT_EQ(config().dynamic_port_first, 32768);
}

TEST_F(Load, TakesLimitsThatContainersHaveByDefault) {
    environment["ECS_DEFAULT_ULIMITS"] = "nofile=32768:65536, core=0,memlock=-1";
    const std::vector<DefaultUlimit> wanted{
        {.name = "nofile", .soft = 32768, .hard = 65536}, {.name = "core"}, {.name = "memlock", .soft = -1, .hard = -1}};
    EXPECT_EQ(config().default_ulimits, wanted);
    for (const char* bad : {"nofile", "nofile=2:1", "nofile=-1:5", "flying=1", "nofile=1:2:3", "core=0,", "core=x"}) {
        environment["ECS_DEFAULT_ULIMITS"] = bad;
        EXPECT_TRUE(config().default_ulimits.empty()) << bad;
    }
}

TEST_F(Load, TellsAnIpv6OnlyHostByItsRoutes) {
    const std::string header = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n";
    const std::string any(32, '0');
    host.files["/proc/net/route"] = header + "eth0 0000A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0\n";
    host.files["/proc/net/ipv6_route"] =
        any + " 00 " + any + " 00 fe80000000000000000000000000cafe 00000400 1 0 00000003 eth0\n";
    EXPECT_TRUE(config().ipv6_only);
    EXPECT_FALSE(config().exclude_ipv6_port_binding);
    host.files["/proc/net/route"] += "eth0 00000000 0100A8C0 0003 0 0 100 00000000 0 0 0\n";
    EXPECT_FALSE(config().ipv6_only);
    EXPECT_TRUE(config().exclude_ipv6_port_binding);
    environment["ECS_INSTANCE_IP_COMPATIBILITY"] = " IPv6 ";
    EXPECT_TRUE(config().ipv6_only);
    environment["ECS_EXCLUDE_IPV6_PORTBINDING"] = "true";
    EXPECT_TRUE(config().exclude_ipv6_port_binding);
}

TEST_F(Load, DoesNotTakeTheKernelsUnreachableRouteForAnIpv6Default) {
    const std::string any(32, '0');
    host.files["/proc/net/route"] = "Iface\n";
    host.files["/proc/net/ipv6_route"] = any + " 00 " + any + " 00 " + any + " ffffffff 1 0 00200200 lo\n";
    EXPECT_FALSE(config().ipv6_only);
}

TEST_F(Load, LetsTheFileLogFollowTheStreamUnlessADriverTakesTheLog) {
    environment["ECS_LOGLEVEL"] = "debug";
    EXPECT_EQ(config().log_level_on_instance, log::Level::Debug);
    environment["ECS_LOG_DRIVER"] = "awslogs";
    EXPECT_EQ(config().log_level_on_instance, log::Level::None);
    environment["ECS_LOGLEVEL_ON_INSTANCE"] = "warn";
    EXPECT_EQ(config().log_level_on_instance, log::Level::Warn);
}

TEST_F(Load, PutsASchemeBeforeABareEndpoint) {
    environment["ECS_BACKEND_HOST"] = " ecs.example.com ";
    EXPECT_EQ(config().api_endpoint, "https://ecs.example.com");
    environment["ECS_BACKEND_HOST"] = "http://127.0.0.1:18080";
    EXPECT_EQ(config().api_endpoint, "http://127.0.0.1:18080");
}

TEST_F(Load, DistinguishesAnEmptyFamilyFromAnAbsentOne) {
    environment["ECS_DETAILED_OS_FAMILY"] = "";
    EXPECT_EQ(config().detailed_os_family, "");
    environment["ECS_DETAILED_OS_FAMILY"] = "debian_12";
    EXPECT_EQ(config().detailed_os_family, "debian_12");
}

TEST_F(Load, TrunksOnlyWithTaskInterfaces) {
    EXPECT_FALSE(config().eni_trunking.enabled());
    environment["ECS_ENABLE_TASK_ENI"] = "true";
    EXPECT_TRUE(config().eni_trunking.enabled());
    environment["ECS_ENABLE_HIGH_DENSITY_ENI"] = "false";
    EXPECT_FALSE(config().eni_trunking.enabled());
}

TEST_F(Load, SwitchesVolumesOffWhenToldFalse) {
    environment["ECS_EBSTA_SUPPORTED"] = "false";
    EXPECT_FALSE(config().ebs_task_attach);
    environment["ECS_EBSTA_SUPPORTED"] = "perhaps";
    EXPECT_TRUE(config().ebs_task_attach);
}

TEST_F(Load, FindsGmsaOnlyWithAFetcher) {
    environment["ECS_GMSA_SUPPORTED"] = "true";
    environment["CREDENTIALS_FETCHER_HOST_DIR"] = "/var/credentials-fetcher/socket/credentials_fetcher.sock";
    EXPECT_FALSE(config().gmsa_domainless_capable) << "the socket is not there";
    host.failures[environment["CREDENTIALS_FETCHER_HOST_DIR"]] =
        Error{.kind = ErrorKind::Internal, .what = "no such device"};
    EXPECT_TRUE(config().gmsa_domainless_capable);
    EXPECT_FALSE(config().gmsa_capable);
    environment["ECS_DOMAIN_JOINED_LINUX_INSTANCE"] = "true";
    EXPECT_TRUE(config().gmsa_capable);
}

TEST_F(Load, RedactsSecretsEverywhere) {
    environment["ECS_ENGINE_AUTH_DATA"] = R"({"https://index.docker.io/v1/":{"auth":"c2VjcmV0"}})";
    environment["AWS_SECRET_ACCESS_KEY"] = "wJalrXUtnFEMI";
    environment["HTTPS_PROXY"] = "http://user:c2VjcmV0@proxy";
    for (const EffectiveSetting& setting : examined().loaded.settings) {
        EXPECT_THAT(setting.value, Not(HasSubstr("c2VjcmV0"))) << setting.name;
        EXPECT_THAT(setting.value, Not(HasSubstr("wJalrXUtnFEMI"))) << setting.name;
    }
    EXPECT_EQ(effective("ECS_ENGINE_AUTH_DATA").value, "<redacted>");
    EXPECT_EQ(config().engine_auth_data.reveal(), environment["ECS_ENGINE_AUTH_DATA"]);
}

TEST_F(Load, WarnsOfAMisspelledVariable) {
    environment["ECS_CLUTSER"] = "prod";
    EXPECT_THAT(examined().loaded.warnings, ElementsAre(HasSubstr("ECS_CLUTSER")));
}

TEST_F(Load, ShowsWhatIsChosenAutomaticallyAsSuch) {
    EXPECT_EQ(effective("ECS_IMAGE_PULL_PARALLEL").value, "automatic (cores and disk)");
    environment["ECS_IMAGE_PULL_PARALLEL"] = "3";
    EXPECT_EQ(effective("ECS_IMAGE_PULL_PARALLEL").value, "3");
}

TEST_F(Load, WarnsOfWatermarksInTheWrongOrder) {
    environment["ECS_IMAGE_CLEANUP_LOW_WATERMARK"] = "90";
    EXPECT_THAT(examined().loaded.warnings,
                ElementsAre("ECS_IMAGE_CLEANUP_LOW_WATERMARK (90) is not below ECS_IMAGE_CLEANUP_HIGH_WATERMARK (85): "
                            "84 is used as the low one"));
    environment["ECS_IMAGE_CLEANUP_HIGH_WATERMARK"] = "95";
    EXPECT_THAT(examined().loaded.warnings, IsEmpty());
    environment["ECS_IMAGE_CLEANUP_HIGH_WATERMARK"] = "off";
    EXPECT_THAT(examined().loaded.warnings,
                ElementsAre("ECS_IMAGE_CLEANUP_LOW_WATERMARK has no effect: ECS_IMAGE_CLEANUP_HIGH_WATERMARK is off"));
}

TEST_F(Load, WarnsOfRulesForOvertakingThatCannotApply) {
    environment["ECS_TASK_QUEUE_OVERTAKE_AFTER"] = "off";
    EXPECT_THAT(examined().loaded.warnings, IsEmpty());
    environment["ECS_TASK_QUEUE_MAX_OVERTAKEN"] = "5m";
    EXPECT_THAT(examined().loaded.warnings,
                ElementsAre("ECS_TASK_QUEUE_MAX_OVERTAKEN has no effect: ECS_TASK_QUEUE_OVERTAKE_AFTER is off"));
    environment["ECS_TASK_QUEUE_OVERTAKE_AFTER"] = "10m";
    EXPECT_THAT(examined().loaded.warnings, ElementsAre(AllOf(HasSubstr("ECS_TASK_QUEUE_MAX_OVERTAKEN (5m0s)"),
                                                              HasSubstr("ECS_TASK_QUEUE_OVERTAKE_AFTER (10m0s)"))));
}

TEST_F(Load, WarnsOfASettingThatAnotherOneSwitchesOff) {
    const std::vector<std::pair<Environment, std::string>> cases{
        {{{"ECS_DISABLE_IMAGE_CLEANUP", "true"}, {"ECS_IMAGE_CLEANUP_INTERVAL", "20m"}}, "ECS_IMAGE_CLEANUP_INTERVAL"},
        {{{"ECS_IMAGE_PULL_BEHAVIOR", "prefer-cached"}, {"ECS_IMAGE_CLEANUP_HIGH_WATERMARK", "90"}},
         "ECS_IMAGE_CLEANUP_HIGH_WATERMARK"},
        {{{"ECS_ENABLE_UNTRACKED_IMAGE_CLEANUP", "false"}, {"NON_ECS_IMAGE_MINIMUM_CLEANUP_AGE", "2h"}},
         "NON_ECS_IMAGE_MINIMUM_CLEANUP_AGE"},
        {{{"ECS_IMAGE_PULL_TIMEOUT", "5m"}, {"ECS_IMAGE_PULL_INACTIVITY_TIMEOUT", "6m"}},
         "ECS_IMAGE_PULL_INACTIVITY_TIMEOUT"},
        {{{"ECS_ENABLE_TASK_CPU_MEM_LIMIT", "false"}, {"ECS_TASK_PIDS_LIMIT", "100"}}, "ECS_TASK_PIDS_LIMIT"},
        {{{"ECS_AUDIT_LOGFILE_DISABLED", "true"}, {"ECS_AUDIT_LOGFILE", "/a"}}, "ECS_AUDIT_LOGFILE "},
        {{{"ECS_ENABLE_GPU_SUPPORT", "false"}, {"ECS_NVIDIA_RUNTIME", "nv"}}, "ECS_NVIDIA_RUNTIME"},
        {{{"ECS_CLOUDWATCH_METRICS", "standard"}, {"ECS_DISABLE_METRICS", "true"}}, "ECS_CLOUDWATCH_METRICS"},
    };
    const Environment plain = environment;
    for (const auto& [given, useless] : cases) {
        environment = plain;
        environment.insert(given.begin(), given.end());
        std::vector<testing::Matcher<std::string>> names;
        for (const auto& [name, value] : given) names.emplace_back(HasSubstr(name));
        EXPECT_THAT(examined().loaded.warnings, ElementsAre(testing::AllOfArray(names))) << useless;
        environment = plain;
        environment.insert(*given.begin());
        EXPECT_THAT(examined().loaded.warnings, IsEmpty()) << given.begin()->first << " alone contradicts nothing";
    }
}

TEST_F(Load, ReportsAllProblemsInOneError) {
    environment.erase("AWS_DEFAULT_REGION");
    environment["ECS_INSTANCE_ATTRIBUTES"] = "[";
    Surroundings surroundings;
    surroundings.read_file = host.reader();
    const Result<Loaded> got = load(environment, surroundings);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, ErrorKind::Malformed);
    EXPECT_THAT(got.error().what, AllOf(HasSubstr("ECS_INSTANCE_ATTRIBUTES"), HasSubstr("AWS_DEFAULT_REGION")));
}

TEST(Settings, HaveDistinctNamesAndHelp) {
    std::set<std::string_view> names;
    for (const Setting& setting : settings()) {
        EXPECT_FALSE(setting.name().empty());
        EXPECT_FALSE(setting.help.empty()) << setting.name();
        EXPECT_TRUE(names.insert(setting.name()).second) << setting.name();
        EXPECT_TRUE(setting.read_text != nullptr || setting.read_json != nullptr) << setting.name();
        EXPECT_TRUE(setting.key.empty() || setting.read_json != nullptr) << setting.name();
    }
}

}  // namespace
}  // namespace nodeagent::config
