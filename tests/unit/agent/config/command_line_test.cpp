#include "agent/config/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/config/report.hpp"
#include "agent/config/settings.hpp"
#include "host_files.hpp"

namespace nodeagent::config {
namespace {

using testing::HasSubstr;
using testing::Not;

Result<CommandLine> parsed(std::vector<const char*> arguments) { return parse_command_line(arguments); }

TEST(CommandLine, TakesOneDashOrTwoAndValuesEitherWay) {
    const Result<CommandLine> got =
        parsed({"--k", "-blackhole-ec2-metadata=true", "-loglevel-driver", "debug", "--loglevel-on-instance=warn"});
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->insecure_tls);
    EXPECT_TRUE(got->blackhole_imds);
    EXPECT_EQ(got->log_level, log::Level::Debug);
    EXPECT_EQ(got->log_level_on_instance, log::Level::Warn);
    EXPECT_EQ(got->command, Command::Run);
}

TEST(CommandLine, LetsTheCommonLevelWinInWhateverOrder) {
    const Result<CommandLine> got = parsed({"-loglevel", "error", "-loglevel-driver", "debug"});
    ASSERT_TRUE(got);
    EXPECT_EQ(got->log_level, log::Level::Error);
    EXPECT_EQ(got->log_level_on_instance, log::Level::Error);
}

TEST(CommandLine, KnowsItsCommands) {
    EXPECT_EQ(parsed({"-version"})->command, Command::Version);
    EXPECT_EQ(parsed({"--healthcheck"})->command, Command::Healthcheck);
    EXPECT_EQ(parsed({"-ecs-attributes"})->command, Command::Attributes);
    EXPECT_EQ(parsed({"-windows-service"})->command, Command::WindowsService);
    EXPECT_EQ(parsed({"-h"})->command, Command::Help);
    EXPECT_EQ(parsed({"-version=false"})->command, Command::Run);
}

TEST(CommandLine, KnowsTheWordHostSetupAndItsFlags) {
    EXPECT_EQ(parsed({"host-setup"})->command, Command::HostSetup);
    EXPECT_EQ(parsed({"host-setup", "--check"})->command, Command::HostSetupCheck);
    EXPECT_EQ(parsed({"host-setup", "-remove"})->command, Command::HostSetupRemove);
    EXPECT_EQ(parsed({"host-setup", "--check", "--help"})->command, Command::HostSetupHelp);
    EXPECT_EQ(parsed({"host-setup", "-h", "--remove"})->command, Command::HostSetupHelp);
    const auto complaint = [](std::vector<const char*> arguments) {
        const Result<CommandLine> got = parsed(std::move(arguments));
        return got ? std::string("understood") : got.error().what;
    };
    EXPECT_THAT(complaint({"host-setup", "check"}), HasSubstr("unexpected \"check\""));
    EXPECT_THAT(complaint({"host-setup", "--verbose"}), HasSubstr("unexpected \"--verbose\""));
    EXPECT_THAT(complaint({"host-setup", ""}), HasSubstr("unexpected \"\""));
    EXPECT_THAT(complaint({"host-setup", "--"}), HasSubstr("unexpected \"--\""));
    EXPECT_THAT(complaint({"host-setup", "--check", "--remove"}), HasSubstr("not both"));
    EXPECT_THAT(complaint({"-k", "host-setup"}), HasSubstr("unexpected argument \"host-setup\""));
}

TEST(CommandLine, SaysWhatItCannotUnderstand) {
    const auto complaint = [](std::vector<const char*> arguments) {
        const Result<CommandLine> got = parsed(std::move(arguments));
        return got ? std::string("understood") : got.error().what;
    };
    EXPECT_THAT(complaint({"-verbose"}), HasSubstr("unknown flag \"-verbose\""));
    EXPECT_THAT(complaint({"-loglevel"}), HasSubstr("-loglevel needs a value"));
    EXPECT_THAT(complaint({"-k=maybe"}), HasSubstr("\"maybe\" is not a boolean"));
    EXPECT_THAT(complaint({"start"}), HasSubstr("unexpected argument \"start\""));
    EXPECT_THAT(complaint({"-"}), HasSubstr("unexpected argument"));
}

TEST(CommandLine, OverridesTheEnvironmentAndSaysSo) {
    HostFiles host;
    Surroundings surroundings;
    surroundings.read_file = host.reader();
    Result<Loaded> loaded = load({{"AWS_DEFAULT_REGION", "r"}, {"ECS_LOGLEVEL", "warn"}}, surroundings);
    ASSERT_TRUE(loaded);
    apply(*parsed({"-loglevel", "debug", "-k"}), *loaded);
    EXPECT_EQ(loaded->config.log_level, log::Level::Debug);
    EXPECT_TRUE(loaded->config.insecure_tls);
    bool listed = false;
    for (const EffectiveSetting& setting : loaded->settings) {
        if (setting.name != "ECS_LOGLEVEL") continue;
        listed = true;
        EXPECT_EQ(setting.value, "debug");
        EXPECT_EQ(setting.source, "command line");
    }
    EXPECT_TRUE(listed);
}

TEST(Report, HelpAndMarkdownNameEverySetting) {
    const std::string help = help_text("ecs-node-agent");
    const std::string table = settings_markdown();
    for (const Setting& setting : settings()) {
        EXPECT_THAT(help, HasSubstr(std::string(setting.name())));
        EXPECT_THAT(table, HasSubstr("`" + std::string(setting.name()) + "`"));
    }
    EXPECT_THAT(help, HasSubstr("-blackhole-ec2-metadata"));
    EXPECT_THAT(help, HasSubstr("at least 1s, else 1s (environment) or refused (file)"));
}

TEST(Report, CheckConfigShowsValuesSourcesWarningsAndProblems) {
    HostFiles host;
    Surroundings surroundings;
    surroundings.read_file = host.reader();
    const Examination examination =
        examine({{"ECS_CLUSTER", "prod"}, {"ECS_ENABLE_TASK_ENI", "true"}, {"ECS_ENGINE_AUTH_DATA", "{\"a\":1}"}},
                surroundings);
    const std::string report = check_report(examination);
    EXPECT_THAT(report, testing::ContainsRegex("ECS_CLUSTER +environment +prod"));
    EXPECT_THAT(report, HasSubstr("warning: ECS_ENABLE_TASK_ENI (environment): accepted, but not active"));
    EXPECT_THAT(report, HasSubstr("problem: no AWS region"));
    EXPECT_THAT(report, HasSubstr("<redacted>"));
    EXPECT_THAT(report, Not(HasSubstr("{\"a\":1}")));
    EXPECT_THAT(report, HasSubstr("would refuse to start"));
}

}  // namespace
}  // namespace nodeagent::config
