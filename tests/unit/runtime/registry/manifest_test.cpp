#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/registry/manifest.hpp"
#include "runtime/registry/platform.hpp"
#include "tests/fakes/made_image.hpp"

namespace nodeagent::runtime::registry {
namespace {

using fakes::gzip_layer;
using fakes::make_image;
using fakes::plain_layer;
using ::testing::HasSubstr;

std::string why(std::string_view type, std::string_view body) {
    const auto parsed = parse_manifest(type, body);
    if (parsed) return "parsed";
    EXPECT_EQ(parsed.error().kind, ErrorKind::Malformed);
    return parsed.error().what;
}

/// A Docker manifest with something in it changed.
std::string changed(const std::function<void(Json&)>& change) {
    Json document = Json::parse(make_image({gzip_layer("a"), gzip_layer("b")}).manifest);
    change(document);
    return document.dump();
}

TEST(ManifestDocument, DockersAndOcisAreReadAlike) {
    for (const auto& image : {make_image({gzip_layer("a")}), make_image({plain_layer("a")})}) {
        const auto parsed = parse_manifest(image.manifest_type + "; charset=utf-8", image.manifest);
        ASSERT_TRUE(parsed) << parsed.error().what;
        const auto& manifest = std::get<Manifest>(*parsed);
        EXPECT_EQ(manifest.media_type, image.manifest_type);
        EXPECT_EQ(manifest.config.digest, image.id());
        ASSERT_EQ(manifest.layers.size(), 1U);
        EXPECT_EQ(manifest.layers[0].size, static_cast<std::int64_t>(image.layers[0].blob.size()));
    }
}

TEST(ManifestDocument, ItsFormDecidesWhereNobodySaysItsType) {
    const auto image = make_image({plain_layer("a")});
    EXPECT_TRUE(std::holds_alternative<Manifest>(*parse_manifest("text/plain", image.manifest)));
    EXPECT_TRUE(std::holds_alternative<Index>(*parse_manifest("", fakes::make_index(image))));
    Json untyped = Json::parse(image.manifest);
    untyped.erase("mediaType");
    EXPECT_EQ(std::get<Manifest>(*parse_manifest("application/json", untyped.dump())).media_type, kOciManifest);
}

TEST(ManifestDocument, SchemaOneIsRefusedWithARemedy) {
    for (const char* type : {"application/vnd.docker.distribution.manifest.v1+prettyjws", "application/json"}) {
        EXPECT_THAT(why(type, R"({"schemaVersion": 1, "name": "x", "fsLayers": []})"), HasSubstr("push it again"));
    }
}

TEST(ManifestDocument, OneThatIsAListAsWellIsRefused) {
    EXPECT_THAT(why(kDockerManifest, changed([](Json& m) { m["manifests"] = Json::array(); })), HasSubstr("as well"));
    EXPECT_THAT(why(kDockerIndex, changed([](Json&) {})), HasSubstr("calls the manifest"));
}

TEST(ManifestDocument, LayersThatCannotBePulledAreRefused) {
    for (const char* type : {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                             "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
                             "application/vnd.cncf.helm.chart.content.v1.tar+gzip", ""}) {
        EXPECT_THAT(why(kDockerManifest, changed([&](Json& m) { m["layers"][1]["mediaType"] = type; })),
                    HasSubstr("unsupported media type"));
    }
    EXPECT_THAT(why(kDockerManifest,
                    changed([](Json& m) { m["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json"; })),
                HasSubstr("no container image"));
}

TEST(ManifestDocument, ManifestBombsAreRefused) {
    EXPECT_THAT(why(kDockerManifest, std::string(kMaxManifest + 1, ' ')), HasSubstr("bytes that are allowed"));
    EXPECT_THAT(why(kDockerManifest, std::string(100000, '[')), HasSubstr("too deeply"));
    std::string many = R"({"schemaVersion":2,"x":[0)";
    for (int i = 0; i < 200000; ++i) many += ",0";
    EXPECT_THAT(why(kDockerManifest, many + "]}"), HasSubstr("too many members"));
    EXPECT_THAT(why(kDockerManifest, changed([](Json& m) {
                        for (int i = 0; i < 200; ++i) m["layers"].push_back(m["layers"][0]);
                    })),
                HasSubstr("202 layers"));
    EXPECT_THAT(why(kDockerManifest, changed([](Json& m) { m["config"]["size"] = std::int64_t{1} << 40; })),
                HasSubstr("are allowed"));
    EXPECT_THAT(why(kDockerManifest, changed([](Json& m) { m["layers"][0]["size"] = -1; })), HasSubstr("-1 bytes"));
    Json index{{"schemaVersion", 2}, {"manifests", Json::array()}};
    for (int i = 0; i < 1001; ++i) index["manifests"].push_back(fakes::descriptor_of(std::string(kOciManifest), "x"));
    EXPECT_THAT(why(kOciIndex, index.dump()), HasSubstr("1001 entries"));
}

TEST(ManifestDocument, ADigestThatIsNoneIsNotPrintedAsItComes) {
    const std::string text = why(
        kDockerManifest, changed([](Json& m) { m["layers"][0]["digest"] = "sha256:../../" + std::string(500, 'x'); }));
    EXPECT_THAT(text, HasSubstr("none of sha256"));
    EXPECT_LT(text.size(), 300U);
}

// ---- platforms

Index index_of(const std::vector<Platform>& platforms) {
    Index index;
    for (const Platform& platform : platforms) {
        index.entries.push_back({.manifest = {.media_type = std::string(kOciManifest),
                                              .digest = "digest-" + std::to_string(index.entries.size()),
                                              .size = 1},
                                 .platform = platform});
    }
    return index;
}
std::string chosen(const std::vector<Platform>& platforms, const Platform& wanted) {
    const auto choice = choose_platform(index_of(platforms), wanted);
    return choice ? choice->digest : choice.error().what;
}

TEST(ChoosePlatform, TakesTheBestVariantThatRuns) {
    const Platform arm64{"linux", "arm64", "v8"}, amd64{"linux", "amd64", ""};
    EXPECT_EQ(chosen({{"linux", "amd64", ""}, {"linux", "arm64", "v8"}, {"linux", "arm", "v7"}}, arm64), "digest-1");
    EXPECT_EQ(chosen({{"linux", "aarch64", ""}}, arm64), "digest-0");
    EXPECT_EQ(chosen({{"windows", "amd64", ""}, {"Linux", "x86_64", ""}}, amd64), "digest-1");
    EXPECT_EQ(chosen({{"linux", "amd64", "v3"}, {"linux", "amd64", ""}}, amd64), "digest-1");
    EXPECT_EQ(chosen({{"linux", "amd64", "v2"}}, amd64), "digest-0") << "Docker would take it";
    const Platform arm{"linux", "arm", "v7"};
    EXPECT_EQ(chosen({{"linux", "arm", "v8"}, {"linux", "arm", "v6"}, {"linux", "arm", "v7"}}, arm), "digest-2");
}

TEST(ChoosePlatform, SaysInDockersWordsThatThereIsNone) {
    EXPECT_EQ(chosen({{"linux", "s390x", ""}}, {"linux", "amd64", ""}),
              "no matching manifest for linux/amd64 in the manifest list entries");
    EXPECT_EQ(chosen({}, {"linux", "arm64", "v8"}),
              "no matching manifest for linux/arm64/v8 in the manifest list entries");
    EXPECT_EQ(chosen({{"", "", ""}}, {"linux", "amd64", ""}), "digest-0") << "nothing else it could be";
}

TEST(ChoosePlatform, AttestationsAreNoImages) {
    const auto image = make_image({plain_layer("a")});
    const auto parsed = parse_manifest("", fakes::make_index(image));
    ASSERT_TRUE(parsed) << parsed.error().what;
    const auto choice = choose_platform(std::get<Index>(*parsed), this_platform());
    ASSERT_TRUE(choice);
    EXPECT_EQ(choice->digest, image.digest());
}

}  // namespace
}  // namespace nodeagent::runtime::registry
