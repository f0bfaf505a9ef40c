// Pulls from Debian's docker-registry, and from one that misbehaves, into Debian's containerd.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <thread>

#include "runtime/containerd/images/image_store.hpp"
#include "runtime/image_archive.hpp"
#include "tests/fakes/fake_registry.hpp"
#include "tests/harness/containerd_process.hpp"
#include "tests/harness/registry_push.hpp"
#include "tests/harness/token_service.hpp"
#include "tests/integration/docker_backend/tar.hpp"
#include "tests/integration/docker_registry/registry.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using docker::Registry;
using docker::Tar;
using fakes::FakeRegistry;
using fakes::gzip_layer;
using fakes::MadeImage;
using fakes::make_image;
using fakes::plain_layer;
using fakes::zstd_layer;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string noise(std::size_t size) {
    std::string out(size, '\0');
    std::uint32_t state = 7;
    for (char& c : out) c = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
    return out;
}

std::string tar_of(const std::string& path, const std::string& content) {
    Tar tar;
    tar.file(path, content);
    return tar.finish();
}

/// One daemon for all tests, a namespace for each.
class ContainerdImages : public ::testing::Test {
  protected:
    static void SetUpTestSuite() {
        folder = std::make_unique<fakes::TempDirectory>();
        daemon = std::make_unique<test::ContainerdProcess>(folder->path());
    }
    static void TearDownTestSuite() {
        daemon.reset();
        folder.reset();
    }
    void SetUp() override {
        client = daemon->connect("test-" + uuid4().substr(0, 8));
        ASSERT_TRUE(client->make_namespace());
        options.registry.retry_pause = milliseconds(10);
        open();
    }
    void TearDown() override {
        const auto images = client->list_images();
        if (!images) return;
        for (const Image& image : *images) (void)client->delete_image(image.name, true);
    }
    void open() { store.emplace(client, options); }
    Result<void> pull(const std::string& reference, const RegistryAuth& auth = {}) {
        return store->pull(reference, auth, {}, {}, {});
    }
    /// What the image's top snapshot has at `path`.
    std::string content(const std::string& image, const std::string& path) {
        const auto found = store->find(image);
        if (!found) return found.error().what;
        const std::string container = "c-" + uuid4().substr(0, 8);
        const auto mounts = store->prepare_root(container, *found);
        if (!mounts) return mounts.error().what;
        const std::string target = *folder + "/mnt";
        std::filesystem::create_directories(target);
        const SnapshotMount& mount = mounts->front();
        std::string text = "not mounted";
        const unsigned long flags = mount.type == "bind" ? MS_BIND : 0;
        std::string data;
        for (const std::string& option : mount.options) {
            if (option != "rw" && option != "ro" && option != "rbind") data += (data.empty() ? "" : ",") + option;
        }
        if (::mount(mount.source.c_str(), target.c_str(), mount.type.c_str(), flags, data.c_str()) == 0) {
            std::ifstream file(target + path, std::ios::binary);
            text = file ? std::string(std::istreambuf_iterator<char>(file), {}) : "no such file";
            ::umount2(target.c_str(), MNT_DETACH);
        }
        EXPECT_TRUE(store->remove_root(container));
        return text;
    }
    /// What is left of a failed pull but what a next one resumes.
    [[nodiscard]] bool nothing_is_unpacked() {
        for (int tries = 0; tries < 100; ++tries) {  // the collector does not work at once
            const auto snapshots = client->list_snapshots("overlayfs");
            if (snapshots && snapshots->empty()) return true;
            (void)client->delete_lease("none");
            std::this_thread::sleep_for(milliseconds(20));
        }
        return false;
    }

    static std::unique_ptr<fakes::TempDirectory> folder;
    static std::unique_ptr<test::ContainerdProcess> daemon;
    std::shared_ptr<Client> client;
    ImageStoreOptions options;
    std::optional<ImageStore> store;
};

std::unique_ptr<fakes::TempDirectory> ContainerdImages::folder;
std::unique_ptr<test::ContainerdProcess> ContainerdImages::daemon;

TEST_F(ContainerdImages, DockersAndOcisLayersOfEveryCompressionAreUnpacked) {
    const Registry registry{Registry::Open{}};
    const std::string image = registry.address() + "/team/web";
    test::RegistryPush push(registry.address(), "team/web", {});
    push.push("docker", make_image({gzip_layer(tar_of("a", "gzip")), gzip_layer(tar_of("b", "second"))}));
    push.push("oci", make_image({plain_layer(tar_of("a", "plain")), zstd_layer(tar_of("b", "zstd"))}));
    auto mislabelled = zstd_layer(tar_of("a", "docker's zstd"));
    mislabelled.media_type = "application/vnd.docker.image.rootfs.diff.tar.zstd";
    push.push("zstd", make_image({mislabelled}));
    for (const char* tag : {":docker", ":oci", ":zstd"}) {
        const auto pulled = pull(image + tag);
        ASSERT_TRUE(pulled) << tag << ": " << pulled.error().what;
    }
    EXPECT_EQ(content(image + ":docker", "/a"), "gzip");
    EXPECT_EQ(content(image + ":docker", "/b"), "second");
    EXPECT_EQ(content(image + ":oci", "/a"), "plain");
    EXPECT_EQ(content(image + ":oci", "/b"), "zstd");
    EXPECT_EQ(content(image + ":zstd", "/a"), "docker's zstd");
    EXPECT_THAT(*store->list_images(), SizeIs(3));
    EXPECT_GT(store->find(image + ":oci")->view.size, 0);
}

TEST_F(ContainerdImages, AnImageWithItsSnapshotsOutlivesTheCollectorAndGoesWithItsLastName) {
    const Registry registry{Registry::Open{}};
    const std::string image = registry.address() + "/team/web:1";
    const MadeImage made = make_image({gzip_layer(tar_of("a", "x")), gzip_layer(tar_of("b", "y"))});
    test::RegistryPush push(registry.address(), "team/web", {});
    push.push("1", made);
    Json entry = fakes::descriptor_of(made.manifest_type, made.manifest);
    entry["platform"] = {{"os", "linux"}, {"architecture", registry::kThisArchitecture}};
    const std::string index = Json{{"schemaVersion", 2}, {"manifests", {entry}}}.dump();
    push.document("1", std::string(registry::kOciIndex), index);
    ASSERT_TRUE(pull(image));
    EXPECT_EQ(store->find(image)->target.digest, registry::digest_of(index));
    ASSERT_TRUE(client->put_image({.name = "x", .labels = {}, .target = store->find(image)->target}));
    ASSERT_TRUE(client->delete_image("x", true));  // the collector works
    EXPECT_EQ(content(image, "/b"), "y");
    EXPECT_THAT(*client->list_leases(), SizeIs(1)) << "that of roots";
    ASSERT_TRUE(store->remove_image(image));
    EXPECT_EQ(client->content_info(made.id()).error().kind, ErrorKind::NotFound);
    EXPECT_TRUE(nothing_is_unpacked());
}

TEST_F(ContainerdImages, BasicCredentialsOpenARegistry) {
    const Registry registry;
    const std::string image = registry.address() + "/team/web:1";
    const std::string credentials = std::string(Registry::kUser) + ":" + Registry::kPassword;
    const MadeImage made = make_image({gzip_layer(tar_of("a", "x"))});
    test::RegistryPush(registry.address(), "team/web", "Basic " + base64_encode(credentials)).push("1", made);
    const RegistryAuth right{
        .username = Registry::kUser, .password = Secret(Registry::kPassword), .email = {}, .server_address = {}};
    const RegistryAuth wrong{
        .username = Registry::kUser, .password = Secret("wrong"), .email = {}, .server_address = {}};
    for (const RegistryAuth& auth : {RegistryAuth{}, wrong}) {
        const auto pulled = pull(image, auth);
        ASSERT_FALSE(pulled);
        EXPECT_EQ(pulled.error().kind, ErrorKind::Denied) << pulled.error().what;
        EXPECT_EQ(store->resolve_digest(image, auth, seconds(30), {}).error().kind, ErrorKind::Denied);
    }
    EXPECT_EQ(*store->resolve_digest(image, right, seconds(30), {}), made.digest());
    const auto pulled = pull(image, right);
    ASSERT_TRUE(pulled) << pulled.error().what;
    EXPECT_EQ(content(image, "/a"), "x");
    EXPECT_EQ(pull(registry.address() + "/team/web:absent", right).error().kind, ErrorKind::NotFound);
}

TEST_F(ContainerdImages, ATokenOfATokenServiceOpensARegistry) {
    const test::TokenSigner signer;
    const std::string certificate = *folder + "/tokens.pem";
    signer.write_certificate(certificate);
    FakeRegistry tokens;
    bool allows = true;
    tokens.intercept([&](const FakeRegistry::Request& request) -> std::optional<FakeRegistry::Answer> {
        if (request.authorization != "Basic " + base64_encode("tester:open sesame")) {
            return FakeRegistry::Answer{.status = 401, .body = R"({"details":"incorrect username or password"})"};
        }
        const std::vector<std::string> actions = allows ? std::vector<std::string>{"pull"} : std::vector<std::string>{};
        return FakeRegistry::Answer{.body = Json{{"token", signer.token("team/web", actions)}}.dump()};
    });
    const Registry registry("auth:\n  token:\n    realm: " + tokens.url() +
                            "/token\n    service: registry\n    issuer: tokens\n    rootcertbundle: " + certificate +
                            "\n");
    const std::string image = registry.address() + "/team/web:1";
    test::RegistryPush(registry.address(), "team/web", "Bearer " + signer.token("team/web", {"pull", "push"}))
        .push("1", make_image({gzip_layer(tar_of("a", "x"))}));
    const auto auth = [](const char* password) {
        return RegistryAuth{.username = "tester", .password = Secret(password), .email = {}, .server_address = {}};
    };
    const auto pulled = pull(image, auth("open sesame"));
    ASSERT_TRUE(pulled) << pulled.error().what;
    EXPECT_EQ(tokens.requests().size(), 1U);
    const auto wrong = pull(image, auth("wrong"));
    EXPECT_EQ(wrong.error().kind, ErrorKind::Denied);
    EXPECT_THAT(wrong.error().what, HasSubstr("incorrect username or password"));
    allows = false;
    const auto denied = pull(image, auth("open sesame"));
    EXPECT_EQ(denied.error().kind, ErrorKind::Denied);
    EXPECT_THAT(denied.error().what, HasSubstr("denied: requested access to the resource is denied"));
}

TEST_F(ContainerdImages, ABrokenDownloadIsResumedAcrossARestartOfTheDaemon) {
    const MadeImage made = make_image({gzip_layer(tar_of("a", noise(3000000))), gzip_layer(tar_of("b", "y"))});
    FakeRegistry registry;
    registry.put("team/web:1", made);
    const std::string layer = registry::digest_of(made.layers[0].blob);
    registry.intercept([&](const FakeRegistry::Request& request) -> std::optional<FakeRegistry::Answer> {
        if (!request.target.ends_with(layer) || !request.range.empty()) return {};
        auto part = registry.proper(request);
        part.break_after = 2000000;
        return part;
    });
    options.registry.attempts = 1;
    open();
    EXPECT_EQ(pull(registry.address() + "/team/web:1").error().kind, ErrorKind::Unavailable);
    daemon->stop(SIGKILL);
    EXPECT_EQ(pull(registry.address() + "/team/web:1").error().kind, ErrorKind::Unavailable);
    daemon->start();
    open();  // as after a restart of the agent, which knows nothing of the lease
    const auto pulled = pull(registry.address() + "/team/web:1");
    ASSERT_TRUE(pulled) << pulled.error().what;
    EXPECT_EQ(content(registry.address() + "/team/web:1", "/a"), noise(3000000));
    const auto requests = registry.requests();
    const auto resumed =
        std::find_if(requests.begin(), requests.end(), [](const auto& one) { return !one.range.empty(); });
    ASSERT_NE(resumed, requests.end());
    EXPECT_EQ(resumed->range, "bytes=2000000-");
}

TEST_F(ContainerdImages, BytesOfAnotherDigestNeverBecomeAnImage) {
    const MadeImage made = make_image({gzip_layer(tar_of("a", noise(100000)))});
    FakeRegistry registry;
    registry.put("team/web:1", made);
    registry.intercept([&](const FakeRegistry::Request& request) -> std::optional<FakeRegistry::Answer> {
        if (!request.target.ends_with(registry::digest_of(made.layers[0].blob))) return {};
        return FakeRegistry::Answer{.body = noise(made.layers[0].blob.size())};
    });
    const auto pulled = pull(registry.address() + "/team/web:1");
    ASSERT_FALSE(pulled);
    EXPECT_EQ(pulled.error().kind, ErrorKind::Malformed);
    EXPECT_THAT(pulled.error().what, HasSubstr("filesystem layer verification failed for digest sha256:"));
    EXPECT_THAT(*client->list_images(), IsEmpty());
    EXPECT_TRUE(nothing_is_unpacked());
}

TEST_F(ContainerdImages, CorruptLayersAreRefusedWithAReason) {
    FakeRegistry registry;
    auto cut = gzip_layer(tar_of("a", noise(100000)));
    cut.blob.resize(cut.blob.size() / 2);
    auto rubbish = gzip_layer(tar_of("a", "x"));
    rubbish.blob = noise(5000);
    auto other = gzip_layer(tar_of("a", "x"));
    other.diff_id = registry::digest_of("something else");
    auto no_zstd = zstd_layer(tar_of("a", noise(100000)));
    no_zstd.blob.resize(no_zstd.blob.size() / 2);
    const auto no_tar = plain_layer(noise(5000));
    int number = 0;
    for (const auto& layer : {cut, rubbish, other, no_zstd, no_tar}) {
        const std::string tag = "team/web:" + std::to_string(++number);
        registry.put(tag, make_image({layer}));
        const auto pulled = pull(registry.address() + "/" + tag);
        ASSERT_FALSE(pulled) << number;
        EXPECT_EQ(pulled.error().kind, ErrorKind::Malformed) << pulled.error().what;
        EXPECT_THAT(pulled.error().what, ::testing::AnyOf(HasSubstr("failed to register layer: "),
                                                          HasSubstr("don't match image configuration")));
    }
    EXPECT_THAT(*client->list_images(), IsEmpty());
    EXPECT_TRUE(nothing_is_unpacked());
}

TEST_F(ContainerdImages, PathsThatLeadOutOfALayerStayWithinIt) {
    const std::string outside = *folder + "/outside";
    std::filesystem::create_directories(outside);
    Tar tar;
    tar.file("../../../../../../.." + outside + "/up", "x");
    tar.file(outside + "/absolute", "x");
    tar.link("link", outside);
    tar.file("link/through", "x");
    tar.link("up", "../../../../../.." + outside);
    tar.file("up/through", "x");
    FakeRegistry registry;
    registry.put("team/web:1", make_image({gzip_layer(tar.finish())}));
    const auto pulled = pull(registry.address() + "/team/web:1");
    EXPECT_TRUE(std::filesystem::is_empty(outside));
    if (pulled) {
        EXPECT_EQ(content(registry.address() + "/team/web:1", outside + "/absolute"), "x") << "below the root";
    } else {
        EXPECT_THAT(pulled.error().what, HasSubstr("failed to register layer: "));
    }
}

TEST_F(ContainerdImages, TwoNamespacesAndManyPullsAtOnceDoNotFight) {
    const Registry registry{Registry::Open{}};
    std::vector<fakes::MadeLayer> base;
    for (int i = 0; i < 4; ++i) base.push_back(gzip_layer(tar_of("base" + std::to_string(i), noise(200000))));
    for (int i = 0; i < 4; ++i) {
        auto layers = base;
        layers.push_back(gzip_layer(tar_of("own", std::to_string(i))));
        test::RegistryPush(registry.address(), "team/web", {}).push(std::to_string(i), make_image(layers));
    }
    const auto other = daemon->connect("other-" + uuid4().substr(0, 8));
    ASSERT_TRUE(other->make_namespace());
    ImageStore second(other, options);
    std::vector<std::jthread> pullers;
    for (int i = 0; i < 8; ++i) {
        pullers.emplace_back([&, i] {
            const std::string image = registry.address() + "/team/web:" + std::to_string(i % 4);
            const auto pulled = i < 4 ? pull(image) : second.pull(image, {}, {}, {}, {});
            EXPECT_TRUE(pulled) << pulled.error().what;
        });
    }
    pullers.clear();
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(content(registry.address() + "/team/web:" + std::to_string(i), "/own"), std::to_string(i));
    }
    EXPECT_THAT(*client->list_snapshots("overlayfs"), SizeIs(8));
    for (const Image& image : *other->list_images()) (void)other->delete_image(image.name, true);
}

TEST_F(ContainerdImages, AnArchiveIsLoadedAndUnpacked) {
    ASSERT_TRUE(store->load_image(image_archive("team/pause:1", "pause", "program")));
    EXPECT_EQ(content("team/pause:1", "/pause"), "program");
    ASSERT_TRUE(store->tag("team/pause:1", "other:2"));
    ASSERT_TRUE(store->remove_image("team/pause:1"));
    EXPECT_EQ(content("other:2", "/pause"), "program");
    ASSERT_TRUE(store->remove_image("other:2"));
    EXPECT_TRUE(nothing_is_unpacked());
}

TEST_F(ContainerdImages, TheNativeSnapshotterDoesAsWell) {
    options.snapshotter = "native";
    open();
    ASSERT_TRUE(store->load_image(image_archive("team/pause:1", "pause", "program")));
    EXPECT_EQ(content("team/pause:1", "/pause"), "program");
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
