// Whatever a document holds: a spec that is one, or an error that says why.
#include <gtest/gtest.h>

#include <set>

#include "runtime/containerd/mount_words.hpp"
#include "runtime/containerd/oci/documents.hpp"
#include "runtime/containerd/oci/exec_process.hpp"
#include "runtime/containerd/oci/mount_options.hpp"
#include "runtime/containerd/oci/spec.hpp"
#include "tests/fakes/docker_documents_at_random.hpp"
#include "tests/fakes/fake_devices.hpp"

namespace nodeagent::runtime::containerd::oci {
namespace {

void check_document(const Json& spec, const SpecInputs& from) {
    const std::string text = dump_json(spec);
    const auto back = parse_json(text);
    ASSERT_TRUE(back) << text;
    const Json& process = back->at("process");
    EXPECT_FALSE(process.at("args").empty()) << text;
    EXPECT_TRUE(process.at("cwd").get<std::string>().starts_with('/')) << text;
    std::set<std::string> places;
    for (const Json& mount : back->at("mounts")) {
        EXPECT_TRUE(places.insert(mount.at("destination").get<std::string>()).second) << text;
    }
    const std::string cgroup = back->at("linux").at("cgroupsPath").get<std::string>();
    EXPECT_TRUE(from.systemd_cgroup ? cgroup.find(".slice:ecs:") != std::string::npos
                                    : cgroup.starts_with('/') && cgroup.find("..") == std::string::npos)
        << text;
    EXPECT_EQ(process.at("capabilities").contains("effective"), from.user.uid == 0);
    if (!flag_of(from.host_config, "Privileged")) {
        EXPECT_EQ(back->at("linux").at("resources").at("devices").front().at("allow"), false) << text;
    }
    const auto exec = parse_json(with_command(exec_template(text), {"true"}));
    ASSERT_TRUE(exec);
    EXPECT_EQ(exec->at("args"), Json::array({"true"}));
    EXPECT_EQ(exec->at("env"), process.at("env"));
}

TEST(AnyDocument, BecomesASpecOrIsRefusedWithAReason) {
    const fakes::FakeDevices devices{{{.path = "/dev/null", .major = 1, .minor = 3}}};
    int taken = 0, refused = 0;
    for (unsigned seed = 0; seed < 3000; ++seed) {
        fakes::RandomDocuments documents(seed);
        const Json config = documents.config(), host = documents.host_config();
        ImageConfig image;
        if (documents.below(8) != 0) image.cmd = {"sh"};
        SpecInputs from{.config = config, .host_config = host, .image = image, .devices = devices};
        from.container_id = std::string(64, 'a');
        from.user.uid = documents.below(2) == 0 ? 0 : 1000;
        if (documents.below(2) == 0) from.netns_path = "/run/netns/x";
        from.cgroup_v2 = documents.below(2) == 0;
        from.systemd_cgroup = documents.below(4) == 0;
        from.init_program = "/usr/bin/tini-static";
        if (documents.below(8) == 0) from.mounts = {{"bind", "/a", "/a", {"rbind"}}, {"bind", "/b", "/a", {"rbind"}}};
        const auto spec = runtime_spec(from);
        if (spec) {
            ++taken;
            check_document(*spec, from);
        } else {
            ++refused;
            EXPECT_EQ(spec.error().kind, ErrorKind::Malformed) << config << host;
            EXPECT_FALSE(spec.error().what.empty()) << config << host;
        }
        if (testing::Test::HasFailure())
            FAIL() << "seed " << seed << "\n" << dump_json(config) << "\n" << dump_json(host);
    }
    EXPECT_GT(taken, 300);
    EXPECT_GT(refused, 300);
}

TEST(AnyMount, IsReadOrRefused) {
    for (unsigned seed = 0; seed < 5000; ++seed) {
        fakes::RandomDocuments documents(seed);
        const Json host = documents.host_config();
        for (const std::string& bind : texts_of(host, "Binds")) {
            const auto point = parse_bind(bind, text_of(host, "VolumeDriver"));
            EXPECT_TRUE(!point || (point->destination.starts_with('/') && point->destination != "/")) << bind;
        }
        for (const Json* mount : objects_of(host, "Mounts")) {
            const auto point = parse_mount(*mount);
            if (!point) continue;
            EXPECT_TRUE(point->destination.starts_with('/') && point->destination != "/");
            EXPECT_TRUE(point->type != MountPoint::Type::Bind || point->source.starts_with('/'));
        }
        for (const auto& [path, options] : text_map_of(host, "Tmpfs")) (void)tmpfs_options(options);
        for (const std::string& from : texts_of(host, "VolumesFrom")) (void)parse_volumes_from(from);
    }
}

}  // namespace
}  // namespace nodeagent::runtime::containerd::oci
