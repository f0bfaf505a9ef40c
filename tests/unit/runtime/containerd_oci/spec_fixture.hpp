#pragma once
// An OCI document of documents given as text.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/containerd/oci/spec.hpp"
#include "tests/fakes/fake_devices.hpp"

namespace nodeagent::runtime::containerd::oci {

class SpecTest : public testing::Test {
  protected:
    SpecTest() { image.cmd = {"sh"}; }

    SpecInputs inputs() {
        return {.config = config,
                .host_config = host,
                .image = image,
                .container_id = std::string(64, 'c'),
                .hostname = "cccccccccccc",
                .netns_path = "/run/netns/ecs-c",
                .devices = devices};
    }
    Json made(const SpecInputs& from) {
        auto spec = runtime_spec(from, &warnings);
        if (!spec) {
            ADD_FAILURE() << spec.error().what;
            return Json::object();
        }
        return *std::move(spec);
    }
    Json made() { return made(inputs()); }
    std::string refusal(const SpecInputs& from) {
        const auto spec = runtime_spec(from);
        if (spec) {
            ADD_FAILURE() << "nothing was refused";
            return {};
        }
        EXPECT_EQ(spec.error().kind, ErrorKind::Malformed);
        return spec.error().what;
    }
    std::string refusal() { return refusal(inputs()); }

    static const Json* mount(const Json& spec, std::string_view destination) {
        for (const Json& one : spec.at("mounts")) {
            if (one.at("destination") == destination) return &one;
        }
        return nullptr;
    }
    static std::vector<std::string> options(const Json& spec, std::string_view destination) {
        const Json* found = mount(spec, destination);
        return found == nullptr ? std::vector<std::string>{"not mounted"}
                                : found->at("options").get<std::vector<std::string>>();
    }
    /// Path of the namespace, "" for a new one, "host" for none.
    static std::string name_space(const Json& spec, std::string_view type) {
        for (const Json& one : spec.at("linux").at("namespaces")) {
            if (one.at("type") == type) return one.value("path", "");
        }
        return "host";
    }

    Json config = Json::object(), host = Json::object();
    ImageConfig image;
    fakes::FakeDevices devices{{{.path = "/dev/fuse", .major = 10, .minor = 229},
                                {.path = "/dev/zero", .major = 1, .minor = 5},
                                {.path = "/dev/sda", .type = 'b', .major = 8, .minor = 0, .mode = 0660, .gid = 6},
                                {.path = "/dev/snd/pcm", .major = 116, .minor = 2},
                                {.path = "/dev/snd/timer", .major = 116, .minor = 33}}};
    std::vector<std::string> warnings;
};

}  // namespace nodeagent::runtime::containerd::oci
