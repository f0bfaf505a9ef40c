#include "runtime/logs/config.hpp"

#include <gtest/gtest.h>

#include "runtime/logs/pattern.hpp"
#include "runtime/logs/tag.hpp"

namespace nodeagent::runtime::logs {
namespace {

std::string refusal(std::string_view driver, const LogOptions& options) {
    const auto valid = validate(driver, options);
    return valid ? "" : valid.error().what;
}

TEST(LogOptions, AreRefusedInDockersWords) {
    EXPECT_EQ(refusal("awslogs", {{"awslogs-group", "g"}}), "");
    EXPECT_EQ(refusal("awslogs", {}), "must specify a value for log opt 'awslogs-group'");
    EXPECT_EQ(refusal("awslogs", {{"awslogs-group", "g"}, {"x", "1"}}), "unknown log opt 'x' for awslogs log driver");
    EXPECT_EQ(refusal("awslogs", {{"awslogs-group", "g"}, {"awslogs-create-group", "maybe"}}),
              "must specify valid value for log opt 'awslogs-create-group': strconv.ParseBool: parsing \"maybe\": "
              "invalid syntax");
    EXPECT_EQ(refusal("awslogs", {{"awslogs-group", "g"}, {"awslogs-max-buffered-events", "0"}}),
              "must specify a positive integer for log opt 'awslogs-max-buffered-events': 0");
    EXPECT_EQ(refusal("awslogs", {{"awslogs-group", "g"}, {"mode", "async"}}),
              "logger: logging mode not supported: async");
    EXPECT_EQ(refusal("awslogs", {{"awslogs-group", "g"}, {"max-buffer-size", "1m"}}),
              "logger: max-buffer-size option is only supported with 'mode=non-blocking'");
    EXPECT_EQ(refusal("gelf", {}), "logger: no log driver named 'gelf' is registered");
    EXPECT_EQ(refusal("json-file", {{"max-file", "0"}}), "max-file cannot be less than 1");
    EXPECT_EQ(refusal("journald", {{"max-file", "2"}}), "unknown log opt 'max-file' for journald log driver");
}

TEST(LogOptions, ExcludeEachOtherAsInDocker) {
    EXPECT_NE(refusal("awslogs",
                      {{"awslogs-group", "g"}, {"awslogs-datetime-format", "%Y"}, {"awslogs-multiline-pattern", "^x"}}),
              "");
    EXPECT_NE(
        refusal("awslogs", {{"awslogs-group", "g"}, {"awslogs-format", "json/emf"}, {"awslogs-datetime-format", "%Y"}}),
        "");
    EXPECT_EQ(refusal("awslogs", {{"awslogs-group", "g"}, {"awslogs-format", "text"}}),
              "unsupported log format 'text'");
}

TEST(LogOptions, HaveTheirPatternsAndTagsChecked) {
    EXPECT_NE(
        refusal("awslogs", {{"awslogs-group", "g"}, {"awslogs-multiline-pattern", "("}}).find("multiline pattern"),
        std::string::npos);
    EXPECT_NE(refusal("awslogs", {{"awslogs-group", "g"}, {"tag", "{{.Nothing}}"}}), "");
    EXPECT_EQ(refusal("awslogs", {{"awslogs-group", "g"}, {"tag", "{{ .Name | upper }}/{{.ID}}"}}), "");
}

TEST(LoggerConfig, IsReadAsItWasWritten) {
    LoggerConfig config;
    config.driver = "awslogs";
    config.options = {{"awslogs-group", "g\n\"x\""}};
    config.container_id = "abc";
    config.credentials.uri = "http://127.0.0.1:51679/v2/credentials/1";
    config.spool = {.directory = "/var/lib/ecs/spool/1", .max_bytes = 5, .seconds = 7};
    const auto read = decode_config(encode_config(config));
    ASSERT_TRUE(read);
    EXPECT_EQ(encode_config(*read), encode_config(config));
    EXPECT_EQ(read->spool.max_bytes, 5U);
    EXPECT_EQ(read->options.at("awslogs-group"), "g\n\"x\"");
}

TEST(Sizes, AreDockers) {
    EXPECT_EQ(ram_bytes("10m"), 10U << 20U);
    EXPECT_EQ(ram_bytes("1.5 KiB"), 1536U);
    EXPECT_EQ(human_bytes("10k"), 10'000U);
    EXPECT_FALSE(ram_bytes("-1"));
    EXPECT_FALSE(ram_bytes("ten"));
    EXPECT_FALSE(ram_bytes("1x"));
}

TEST(DatetimeFormat, BecomesDockersExpression) {
    EXPECT_EQ(datetime_expression("[%H:%M%L] %x."), R"([(?:[0,1][0-9]|2[0-3]):[0-5][0-9]\.\d{3}] .)");
    const auto pattern = multiline_pattern({{"awslogs-datetime-format", "%b %d, %Y"}});
    ASSERT_TRUE(pattern);
    EXPECT_TRUE((*pattern)->matches("at Jan 02, 2026 it began"));
    EXPECT_FALSE((*pattern)->matches("  at line 3"));
}

TEST(LogTag, FillsInTheTemplate) {
    LoggerConfig config;
    config.container_id = "0123456789abcdef";
    config.container_name = "/web";
    config.image_id = "sha256:fedcba9876543210";
    config.options["tag"] = "{{.ID}}-{{.Name | upper}}-{{ .ImageID }}";
    EXPECT_EQ(*log_tag(config, ""), "0123456789ab-WEB-fedcba987654");
    config.options.clear();
    EXPECT_EQ(*log_tag(config, "{{.FullID}}"), "0123456789abcdef");
}

}  // namespace
}  // namespace nodeagent::runtime::logs
