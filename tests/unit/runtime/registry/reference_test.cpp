#include <gtest/gtest.h>

#include "runtime/registry/reference.hpp"

namespace nodeagent::runtime::registry {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

TEST(Reference, AShortNameIsAnOfficialImageOfDockersHub) {
    const auto reference = parse_reference("busybox");
    ASSERT_TRUE(reference);
    EXPECT_EQ(reference->record(), "docker.io/library/busybox:latest");
    EXPECT_EQ(reference->shown(), "busybox:latest");
}

TEST(Reference, IsNormalisedAsDockerDoes) {
    const std::pair<std::string, std::string> known[] = {
        {"busybox:1.36", "docker.io/library/busybox:1.36"},
        {"library/busybox", "docker.io/library/busybox:latest"},
        {"index.docker.io/team/web:2", "docker.io/team/web:2"},
        {"docker.io/busybox", "docker.io/library/busybox:latest"},
        {"team/web", "docker.io/team/web:latest"},
        {"localhost/web", "localhost/web:latest"},
        {"localhost:5000/web", "localhost:5000/web:latest"},
        {"registry.example.com/a/b/c:v1", "registry.example.com/a/b/c:v1"},
        {"123456789012.dkr.ecr.eu-west-1.amazonaws.com/app@" + kDigest,
         "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app@" + kDigest},
        {"web:1@" + kDigest, "docker.io/library/web@" + kDigest},
        {"[::1]:5000/web", "[::1]:5000/web:latest"},
        {"a__b/c-d.e--f", "docker.io/a__b/c-d.e--f:latest"},
    };
    for (const auto& [text, record] : known) {
        const auto reference = parse_reference(text);
        ASSERT_TRUE(reference) << text << ": " << reference.error().what;
        EXPECT_EQ(reference->record(), record);
        const auto again = parse_reference(reference->shown());
        ASSERT_TRUE(again) << reference->shown();
        EXPECT_EQ(again->record(), record) << "the familiar name means the same";
    }
}

TEST(Reference, WhatNoRegistryCanHaveIsRefusedInDockersWords) {
    for (const std::string text : {"", ":1", "a//b", "-a", "a/", "web:", "web:.x", "web@sha256:12", "we b", "a___b",
                                   "a..b", "host.example:port/a", "web@md5:aaaa", "../etc/passwd", "a/../b", "web\n"}) {
        const auto reference = parse_reference(text);
        ASSERT_FALSE(reference) << text;
        EXPECT_EQ(reference.error().kind, ErrorKind::Malformed);
        EXPECT_EQ(reference.error().what, "invalid reference format") << text;
    }
    EXPECT_EQ(parse_reference("Web").error().what, "invalid reference format: repository name must be lowercase");
    EXPECT_FALSE(parse_reference(std::string(64, 'a'))) << "it could not be told from an id";
    EXPECT_FALSE(parse_reference("web:" + std::string(129, 't')));
    EXPECT_FALSE(parse_reference(std::string(300, 'n')));
}

}  // namespace
}  // namespace nodeagent::runtime::registry
