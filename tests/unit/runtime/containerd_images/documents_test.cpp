#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/containerd/images/chain_ids.hpp"
#include "runtime/containerd/images/config_document.hpp"
#include "runtime/containerd/images/image_archive_reader.hpp"
#include "runtime/containerd/images/tar_reader.hpp"
#include "runtime/image_archive.hpp"
#include "runtime/registry/digest.hpp"
#include "tests/fakes/made_image.hpp"
#include "tests/integration/docker_backend/tar.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ChainIds, NameEachLayerWithAllBelow) {
    const std::string a = "sha256:" + std::string(64, 'a'), b = "sha256:" + std::string(64, 'b');
    // printf '%s %s' $a $b | sha256sum
    EXPECT_THAT(chain_ids({a, b}), ElementsAre(a, registry::digest_of(a + " " + b)));
    EXPECT_THAT(chain_ids({}), IsEmpty());
}

// ---- configurations

TEST(ConfigDocument, HasWhatContainersAreMadeFrom) {
    const auto image =
        fakes::make_image({fakes::plain_layer("a"), fakes::plain_layer("b")},
                          {{"User", "app:app"},
                           {"WorkingDir", "/srv"},
                           {"Env", {"A=1", "B="}},
                           {"Entrypoint", {"/bin/sh", "-c"}},
                           {"Cmd", "one word"},
                           {"Volumes", {{"/data", Json::object()}}},
                           {"ExposedPorts", {{"80/tcp", Json::object()}}},
                           {"Labels", {{"k", "v"}}},
                           {"StopSignal", "SIGINT"},
                           {"Healthcheck", {{"Test", {"CMD", "true"}}, {"Interval", 5000000000}, {"Retries", 3}}}});
    const auto parsed = parse_config(image.config);
    ASSERT_TRUE(parsed) << parsed.error().what;
    const ImageConfig& config = parsed->config;
    EXPECT_EQ(config.id, image.id());
    EXPECT_EQ(config.chain_id, chain_ids(parsed->diff_ids)[1]);
    EXPECT_EQ(config.user, "app:app");
    EXPECT_EQ(config.working_dir, "/srv");
    EXPECT_THAT(config.env, ElementsAre("A=1", "B="));
    EXPECT_THAT(config.entrypoint, ElementsAre("/bin/sh", "-c"));
    EXPECT_THAT(config.cmd, ElementsAre("one word")) << "old configurations have a word for a list";
    EXPECT_THAT(config.volumes, ElementsAre("/data"));
    EXPECT_THAT(config.exposed_ports, ElementsAre("80/tcp"));
    EXPECT_EQ(config.labels.at("k"), "v");
    EXPECT_EQ(config.stop_signal, "SIGINT");
    ASSERT_TRUE(config.healthcheck);
    EXPECT_EQ(config.healthcheck->interval, std::chrono::seconds(5));
    EXPECT_EQ(config.healthcheck->retries, 3);
    EXPECT_TRUE(parsed->created);
}

TEST(ConfigDocument, NullsAndAbsentPartsAreFine) {
    const auto parsed = parse_config(
        R"({"config": {"Cmd": null, "Entrypoint": null, "Volumes": null, "Env": null}, "rootfs": {"diff_ids": null}})");
    ASSERT_TRUE(parsed) << parsed.error().what;
    EXPECT_EQ(parsed->config.chain_id, "");
    EXPECT_FALSE(parsed->config.healthcheck);
    EXPECT_TRUE(parse_config(R"({"config": null, "rootfs": {"type": "layers", "diff_ids": []}})"));
}

TEST(ConfigDocument, WhatIsNoImagesIsRefused) {
    std::string bomb = R"({"rootfs": {"diff_ids": []}, "x": )" + std::string(5000, '[');
    std::string layers = R"({"rootfs": {"diff_ids": [)";
    for (int i = 0; i < 128; ++i) layers += (i > 0 ? ",\"" : "\"") + registry::digest_of(std::to_string(i)) + "\"";
    for (const std::string& body : {std::string("{}"), std::string("[]"), std::string("\xff"), bomb, layers + "]}}",
                                    std::string(R"({"rootfs": {"diff_ids": ["sha256:../x"]}})"),
                                    std::string(R"({"config": {"Cmd": [1]}, "rootfs": {"diff_ids": []}})"),
                                    std::string(registry::kMaxConfig + 1, ' ')}) {
        const auto parsed = parse_config(body);
        ASSERT_FALSE(parsed) << body.substr(0, 100);
        EXPECT_EQ(parsed.error().kind, ErrorKind::Malformed);
    }
}

// ---- tar

std::string header(const std::string& name, char type, std::size_t size) {
    docker::Tar tar;
    tar.file(name, std::string(size, 'x'));
    std::string bytes = tar.finish();
    bytes[156] = type;
    bytes.replace(148, 8, 8, ' ');
    std::size_t sum = 0;
    for (std::size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(bytes[i]);
    char text[8];
    std::snprintf(text, sizeof text, "%06zo", sum);
    bytes.replace(148, 7, std::string(text, 7));
    bytes.resize(bytes.size() - 1024);
    return bytes;
}

TEST(TarReader, ReadsFilesAndFollowsLinks) {
    docker::Tar tar;
    tar.file("./a/file", "content");
    tar.link("b/link", "../a/file");
    const std::string archive = tar.finish();
    const auto files = read_tar(archive);
    ASSERT_TRUE(files) << files.error().what;
    EXPECT_EQ(*content_of(*files, "a/file"), "content");
    EXPECT_EQ(*content_of(*files, "b/link"), "content");
    EXPECT_EQ(content_of(*files, "c").error().kind, ErrorKind::NotFound);
}

TEST(TarReader, ReadsTheLongNamesOfGnuAndPax) {
    const std::string name = std::string(150, 'n') + "/file";
    docker::Tar tar;
    tar.file("short", "content");
    const std::string rest = tar.finish();
    std::string gnu = header("././@LongLink", 'L', name.size());
    gnu.replace(512, name.size(), name);
    EXPECT_EQ(*content_of(*read_tar(gnu + rest), name), "content");
    const std::string record = std::to_string(name.size() + 10) + " path=" + name + "\n";
    ASSERT_EQ(record.size(), name.size() + 10);
    std::string pax = header("pax", 'x', record.size());
    pax.replace(512, record.size(), record);
    EXPECT_EQ(*content_of(*read_tar(pax + rest), name), "content");
}

TEST(TarReader, WhatLeadsOutOfTheArchiveIsRefused) {
    for (const char* name : {"../up", "a/../../up"}) {
        docker::Tar tar;
        tar.file(name, "x");
        EXPECT_FALSE(read_tar(tar.finish())) << name;
    }
    for (const char* target : {"/etc/passwd", "../../x"}) {
        docker::Tar tar;
        tar.link("a/link", target);
        EXPECT_FALSE(read_tar(tar.finish())) << target;
    }
    docker::Tar loop;
    loop.link("a", "b");
    loop.link("b", "a");
    const std::string archive = loop.finish();
    EXPECT_FALSE(content_of(*read_tar(archive), "a"));
}

TEST(TarReader, WhatIsNoArchiveOrEndsEarlyIsRefused) {
    docker::Tar tar;
    tar.file("file", std::string(2000, 'x'));
    const std::string archive = tar.finish();
    for (std::size_t size :
         {std::size_t{0}, std::size_t{100}, std::size_t{512}, std::size_t{1000}, std::size_t{2560}}) {
        EXPECT_FALSE(read_tar(std::string_view(archive).substr(0, size))) << size;
    }
    EXPECT_FALSE(read_tar(std::string(2048, 'x')));
    std::string damaged = archive;
    damaged[0] = 'g';
    EXPECT_FALSE(read_tar(damaged)) << "its checksum is another";
    std::string many;
    for (int i = 0; i < 10001; ++i) many += header("f", '0', 0);
    EXPECT_THAT(read_tar(many + std::string(1024, '\0')).error().what, HasSubstr("10000 entries"));
}

// ---- archives of images

TEST(ImageArchive, TheFormOfDockerSaveIsRead) {
    const std::string archive = image_archive("team/pause:1", "pause", "program");
    const auto images = read_image_archive(archive);
    ASSERT_TRUE(images) << images.error().what;
    ASSERT_EQ(images->size(), 1U);
    const ArchivedImage& image = images->front();
    EXPECT_THAT(image.names, ElementsAre("docker.io/team/pause:1"));
    EXPECT_THAT(image.document.config.entrypoint, ElementsAre("/pause"));
    ASSERT_EQ(image.layers.size(), 1U);
    EXPECT_EQ(registry::digest_of(image.layers[0]), image.document.diff_ids[0]);
    EXPECT_TRUE(registry::parse_manifest(image.manifest_type, image.manifest));
}

TEST(ImageArchive, AnOciLayoutIsRead) {
    const auto made = fakes::make_image({fakes::plain_layer("layer")});
    docker::Tar tar;
    const auto blob = [&tar](const std::string& bytes) {
        tar.file("blobs/sha256/" + registry::digest_of(bytes).substr(7), bytes);
    };
    blob(made.config);
    blob(made.layers[0].blob);
    blob(made.manifest);
    Json entry = fakes::descriptor_of(made.manifest_type, made.manifest);
    entry["annotations"]["io.containerd.image.name"] = "registry.example/web:2";
    tar.file("index.json", Json{{"schemaVersion", 2}, {"manifests", {entry}}}.dump());
    const std::string archive = tar.finish();
    const auto images = read_image_archive(archive);
    ASSERT_TRUE(images) << images.error().what;
    EXPECT_THAT(images->front().names, ElementsAre("registry.example/web:2"));
    EXPECT_EQ(images->front().document.config.id, made.id());
    EXPECT_EQ(images->front().manifest, made.manifest);
}

TEST(ImageArchive, OneThatLacksSomethingOrLiesIsRefused) {
    const auto archive_of = [](const std::string& name, const std::string& text) {
        docker::Tar tar;
        tar.file(name, text);
        return tar.finish();
    };
    for (const std::string& archive :
         {archive_of("x", "y"), archive_of("manifest.json", "[]"), archive_of("manifest.json", "{}"),
          archive_of("manifest.json", R"([{"Config": "gone.json", "Layers": []}])"),
          archive_of("manifest.json", R"([{"Config": "c", "RepoTags": ["UPPER:1"]}])"),
          archive_of("index.json", R"({"manifests": [{"digest": "sha256:../../etc/passwd"}]})")}) {
        const auto images = read_image_archive(archive);
        ASSERT_FALSE(images);
        EXPECT_EQ(images.error().kind, ErrorKind::Malformed) << images.error().what;
    }
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
