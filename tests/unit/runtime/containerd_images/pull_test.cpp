#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/unit/runtime/containerd_images/images_fixture.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using fakes::gzip_layer;
using fakes::MadeImage;
using fakes::make_image;
using fakes::plain_layer;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class PullTest : public ImagesFixture {};

TEST_F(PullTest, AnImageIsThereUnderItsTagItsDigestAndItsId) {
    const auto pulled = pull();
    ASSERT_TRUE(pulled) << pulled.error().what;
    for (const std::string& known : {name(), name("@" + image.digest()), image.id()}) {
        const auto found = store().find(known);
        ASSERT_TRUE(found) << found.error().what;
        EXPECT_EQ(found->view.id, image.id());
        EXPECT_THAT(found->view.repo_tags, ElementsAre(name()));
        EXPECT_THAT(found->view.repo_digests, ElementsAre(name("@" + image.digest())));
        EXPECT_THAT(found->view.env, ElementsAre("A=1"));
        EXPECT_EQ(found->view.size, 150001);
        EXPECT_THAT(found->config.entrypoint, ElementsAre("/run"));
    }
    expect_whole_and_nothing_else();
}

TEST_F(PullTest, ByDigestOnlyTheDigestNamesIt) {
    const std::string tail = "@" + *store().resolve_digest(name(), auth, seconds(10), {});
    EXPECT_EQ(tail, "@" + image.digest());
    ASSERT_TRUE(pull(tail));
    EXPECT_THAT(store().find(name(tail))->view.repo_tags, IsEmpty());
    ASSERT_TRUE(store().tag(name(tail), name()));
    expect_whole_and_nothing_else();
}

TEST_F(PullTest, OfAnIndexThisMachinesImageIsPulledAndTheIndexIsItsDigest) {
    const std::string index = fakes::make_index(image);
    registry.put_document("team/web:multi", std::string(registry::kOciIndex), index);
    ASSERT_TRUE(pull(":multi"));
    containerd->collect();
    const auto found = store().find(name(":multi"));
    ASSERT_TRUE(found) << found.error().what;
    EXPECT_EQ(found->view.id, image.id());
    EXPECT_EQ(found->target.digest, registry::digest_of(index));
    EXPECT_THAT(found->view.repo_digests, ElementsAre(name("@" + registry::digest_of(index))));
    EXPECT_THAT(containerd->blobs(), SizeIs(6));
    EXPECT_THAT(containerd->snapshots(), SizeIs(3));
}

TEST_F(PullTest, NothingIsFetchedOrUnpackedTwice) {
    ASSERT_TRUE(pull());
    const int fetched = registry.count("GET", "/blobs/");
    registry.put("team/web:2", make_image({image.layers[0], plain_layer("new")}));
    ASSERT_TRUE(pull(":2"));
    EXPECT_EQ(registry.count("GET", "/blobs/"), fetched + 2) << "a configuration and the new layer";
    EXPECT_EQ(containerd->calls("apply_diff"), 4);
}

TEST_F(PullTest, AnImageWithoutLayersAndOneWithALayerTwiceCanBePulled) {
    registry.put("team/web:empty", make_image({}));
    ASSERT_TRUE(pull(":empty"));
    EXPECT_EQ(store().find(name(":empty"))->config.chain_id, "");
    registry.put("team/web:twice", make_image({plain_layer("x"), plain_layer("y"), plain_layer("x")}));
    const auto pulled = pull(":twice");
    ASSERT_TRUE(pulled) << pulled.error().what;
    EXPECT_THAT(containerd->snapshots(), SizeIs(3));
}

TEST_F(PullTest, ProgressIsInBytesAndLayers) {
    containerd->on("apply_diff").block();
    std::jthread puller([this] { EXPECT_TRUE(pull()); });
    containerd->await_calls("apply_diff", 1);
    containerd->release("apply_diff");
    puller.join();
    ASSERT_FALSE(progress.empty());
    const PullProgress& last = progress.back();
    const std::size_t bytes = layer(0).size() + layer(1).size() + layer(2).size();
    EXPECT_EQ(last.total_bytes, bytes);
    EXPECT_LE(last.current_bytes, bytes);
    EXPECT_EQ(last.layers, 3U);
}

TEST_F(PullTest, FourPullsOfTheSameAtOnceFetchAndUnpackEachLayerOnce) {
    ImageStore& images = store();  // made here, not by the first of the threads
    std::vector<std::jthread> pullers;
    std::atomic<int> done{0};
    for (int i = 0; i < 4; ++i) {
        pullers.emplace_back([&] {
            const auto pulled = images.pull(name(), auth, {}, {}, {});
            EXPECT_TRUE(pulled) << pulled.error().what;
            ++done;
        });
    }
    pullers.clear();
    EXPECT_EQ(done, 4);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(registry.count("GET", registry::digest_of(layer(i))), 1);
    EXPECT_EQ(containerd->calls("apply_diff"), 3);
    expect_whole_and_nothing_else();
}

// ---- what goes wrong at the registry

TEST_F(PullTest, ABrokenDownloadIsTakenUpByTheNextPull) {
    options.registry.attempts = 1;
    options.layers_parallel = 1;  // so that it is certain which layers are whole when one breaks off
    registry.intercept([this](const Request& request) -> Script {
        if (!asks_for(request, 0) || !request.range.empty()) return {};
        Answer part = registry.proper(request);
        part.break_after = 60000;
        return part;
    });
    const auto failed = pull();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, ErrorKind::Unavailable);
    containerd->collect();
    EXPECT_FALSE(store().find(name()));
    EXPECT_THAT(containerd->images(), IsEmpty());
    EXPECT_EQ(containerd->ingests().at("layer-" + registry::digest_of(layer(0))).size(), 60000U);
    EXPECT_TRUE(containerd->leases().begin()->second.contains("containerd.io/gc.expire"));

    const auto pulled = pull();
    ASSERT_TRUE(pulled) << pulled.error().what;
    int resumed = 0;
    for (const Request& request : registry.requests()) resumed += request.range == "bytes=60000-" ? 1 : 0;
    EXPECT_EQ(resumed, 1);
    EXPECT_EQ(registry.count("GET", registry::digest_of(layer(1))), 1) << "what was whole is not fetched again";
    expect_whole_and_nothing_else();
}

TEST_F(PullTest, ALayerWithAnotherDigestIsRefusedAndDoesNotStay) {
    registry.intercept([this](const Request& request) -> Script {
        if (!asks_for(request, 1)) return {};
        return Answer{.body = std::string(layer(1).size(), 'x')};
    });
    const auto failed = pull();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, ErrorKind::Malformed);
    EXPECT_EQ(failed.error().what, "filesystem layer verification failed for digest " + registry::digest_of(layer(1)));
    EXPECT_THAT(containerd->leases(), IsEmpty());
    EXPECT_THAT(containerd->blobs(), IsEmpty());
    EXPECT_THAT(containerd->ingests(), IsEmpty());
    EXPECT_THAT(containerd->snapshots(), IsEmpty());
}

TEST_F(PullTest, ALayerThatIsNotWhatTheConfigurationSaysIsRefused) {
    MadeImage lying = make_image({plain_layer("a")});
    fakes::MadeLayer other = plain_layer("b");
    other.diff_id = registry::digest_of("a");
    lying = make_image({other});
    registry.put("team/web:lie", lying);
    const auto failed = pull(":lie");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, ErrorKind::Malformed);
    EXPECT_THAT(failed.error().what, HasSubstr("layers from manifest don't match image configuration"));
    EXPECT_THAT(containerd->snapshots(), IsEmpty());
}

TEST_F(PullTest, ACorruptLayerIsRefusedInDockersWords) {
    fakes::MadeLayer corrupt = gzip_layer(noise(1000, 3));
    corrupt.blob.resize(500);
    registry.put("team/web:corrupt", make_image({corrupt}));
    const auto failed = pull(":corrupt");
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().what, HasSubstr("failed to register layer"));
    containerd->collect();
    EXPECT_THAT(containerd->snapshots(), IsEmpty());
}

TEST_F(PullTest, AConfigurationThatIsAnothersOrNoneIsRefused) {
    MadeImage odd = make_image({plain_layer("a")});
    odd.config = R"({"rootfs": {"diff_ids": []}})";
    odd.manifest = Json{{"schemaVersion", 2},
                        {"config", fakes::descriptor_of("application/vnd.oci.image.config.v1+json", odd.config)},
                        {"layers", {fakes::descriptor_of(odd.layers[0].media_type, odd.layers[0].blob)}}}
                       .dump();
    registry.put("team/web:odd", odd);
    EXPECT_EQ(pull(":odd").error().what, "layers from manifest don't match image configuration");
    registry.intercept([this](const Request& request) -> Script {
        if (request.target.find(image.id()) == std::string::npos) return {};
        return Answer{.body = std::string(image.config.size(), ' ')};
    });
    EXPECT_EQ(pull().error().kind, ErrorKind::Malformed);
    EXPECT_THAT(containerd->images(), IsEmpty());
}

TEST_F(PullTest, AnIndexInAnIndexInAnIndexInAnIndexIsRefused) {
    std::string document = fakes::make_index(image);
    for (int depth = 0; depth < 3; ++depth) {
        registry.put_document("team/web:deep", std::string(registry::kOciIndex), document);
        Json entry = fakes::descriptor_of(std::string(registry::kOciIndex), document);
        entry["platform"] = {{"os", "linux"}, {"architecture", registry::kThisArchitecture}};
        document = Json{{"schemaVersion", 2}, {"manifests", {entry}}}.dump();
    }
    registry.put_document("team/web:deep", std::string(registry::kOciIndex), document);
    const auto failed = pull(":deep");
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().what, HasSubstr("nested too deeply"));
}

// ---- what goes wrong at the daemon

TEST_F(PullTest, ARefThatAnotherWriterHoldsIsWaitedFor) {
    containerd->on("write_content", "layer-" + registry::digest_of(layer(0)))
        .fail({.kind = ErrorKind::Unavailable, .what = "ref layer-x locked for 1s: unavailable"}, 3);
    const auto pulled = pull();
    ASSERT_TRUE(pulled) << pulled.error().what;
    expect_whole_and_nothing_else();
}

TEST_F(PullTest, ABrokenIngestOfAnothersRubbishIsBegunAnew) {
    const std::string ref = "layer-" + registry::digest_of(layer(0));
    {
        auto writer = containerd->write_content(ref, 0, "", "");
        ASSERT_TRUE((*writer)->write("rubbish"));
    }
    const auto pulled = pull();
    ASSERT_TRUE(pulled) << pulled.error().what;
    expect_whole_and_nothing_else();
}

TEST_F(PullTest, AnUnpackedLayerThatTheCollectorTakesMeanwhileIsUnpackedAgain) {
    ASSERT_TRUE(pull());
    const auto chain = store().find(name())->config.chain_id;
    ASSERT_TRUE(containerd->remove_snapshot("overlayfs", chain));
    containerd->on("prepare_snapshot").fail({.kind = ErrorKind::NotFound, .what = "parent snapshot: not found"}, 1);
    const auto pulled = pull();
    ASSERT_TRUE(pulled) << pulled.error().what;
    expect_whole_and_nothing_else();
}

TEST_F(PullTest, AFullDiskLeavesNothing) {
    containerd->on("write").fail({.kind = ErrorKind::Internal, .what = "write: no space left on device: unknown"});
    const auto failed = pull();
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().what, HasSubstr("no space left on device"));
    EXPECT_THAT(containerd->leases(), IsEmpty());
    EXPECT_THAT(containerd->blobs(), IsEmpty());
    EXPECT_THAT(containerd->ingests(), IsEmpty());
}

TEST_F(PullTest, ADaemonThatGoesAwayIsUnavailable) {
    containerd->on("apply_diff").block();
    std::jthread away([this] {
        containerd->await_calls("apply_diff", 1);
        containerd->go_away();
    });
    EXPECT_EQ(pull().error().kind, ErrorKind::Unavailable);
    away.join();
    containerd->come_back();
    containerd->release("apply_diff");
    const auto pulled = pull();
    ASSERT_TRUE(pulled) << pulled.error().what;
}

// ---- limits

TEST_F(PullTest, AStopEndsItWhateverItDoes) {
    containerd->on("apply_diff").block();
    std::stop_source stop;
    std::jthread stopper([&] {
        containerd->await_calls("apply_diff", 1);
        stop.request_stop();
    });
    EXPECT_EQ(pull(":1", {}, stop.get_token()).error().kind, ErrorKind::Unavailable);
    stopper.join();
    containerd->release("apply_diff");
    ASSERT_TRUE(pull());
    expect_whole_and_nothing_else();
}

TEST_F(PullTest, LimitsEndItWithTheTextsOfTheDockerBackend) {
    options.registry.idle_timeout = seconds(600);
    registry.intercept([](const Request& request) -> Script {
        if (request.target.find("/manifests/") != std::string::npos) return Answer{.silent = true};
        return {};
    });
    auto failed = pull(":1", {.begin_timeout = milliseconds(50)});
    EXPECT_EQ(failed.error().kind, ErrorKind::Timeout);
    EXPECT_EQ(failed.error().what, "Could not transition to pullBegin; timed out after waiting 50ms");
    failed = pull(":1", {.total_timeout = milliseconds(50)});
    EXPECT_EQ(failed.error().kind, ErrorKind::Timeout);
    EXPECT_EQ(failed.error().what, "Could not transition to pulled; timed out after waiting 50ms");
    const auto digest = store().resolve_digest(name(), auth, milliseconds(50), {});
    EXPECT_EQ(digest.error().kind, ErrorKind::Timeout);

    registry.intercept([this](const Request& request) -> Script {
        if (asks_for(request, 0)) return Answer{.silent = true};
        return {};
    });
    failed = pull(":1", {.inactivity_timeout = milliseconds(300)});
    EXPECT_EQ(failed.error().kind, ErrorKind::Unavailable);
    EXPECT_EQ(failed.error().what, "inactivity time exceeded timeout while pulling image");
}

TEST_F(PullTest, OfAnImageThatIsNotThereEndsInTheWordsOfDockersClient) {
    const auto failed = pull(":absent");
    EXPECT_EQ(failed.error().kind, ErrorKind::NotFound);
    EXPECT_THAT(failed.error().what, AllOf(StartsWith("Error response from daemon: "), HasSubstr("manifest unknown")));
    const auto digest = store().resolve_digest(name(":absent"), auth, seconds(10), {});
    EXPECT_EQ(digest.error().kind, ErrorKind::NotFound);
    EXPECT_THAT(digest.error().what, AllOf(StartsWith("Error response from daemon: "), HasSubstr("manifest unknown")));
}

TEST_F(PullTest, SchemaOneHasNoDigestAndCannotBePulled) {
    registry.put_document("team/web:old", "application/vnd.docker.distribution.manifest.v1+prettyjws",
                          R"({"schemaVersion": 1})");
    EXPECT_EQ(*store().resolve_digest(name(":old"), auth, seconds(10), {}), "");
    EXPECT_THAT(pull(":old").error().what, HasSubstr("schema 1"));
}

TEST_F(PullTest, ANameThatIsNoneIsSenseless) {
    EXPECT_EQ(store().pull("UPPER", {}, {}, {}, {}).error().what,
              "invalid reference format: repository name must be lowercase");
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
