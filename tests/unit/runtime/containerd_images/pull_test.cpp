#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "runtime/containerd/images/image_store.hpp"
#include "tests/fakes/fake_containerd.hpp"
#include "tests/fakes/fake_registry.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using fakes::FakeContainerd;
using fakes::FakeRegistry;
using fakes::gzip_layer;
using fakes::MadeImage;
using fakes::make_image;
using fakes::plain_layer;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::SizeIs;

class PullTest : public ::testing::Test {
  protected:
    PullTest() {
        options.registry.retry_pause = milliseconds(1);
        options.registry.idle_timeout = milliseconds(300);
        registry.put("team/web:1", image);
    }
    ImageStore& store() {
        if (!made) made.emplace(containerd, options);
        return *made;
    }
    [[nodiscard]] std::string name(const std::string& tail = ":1") const {
        return registry.address() + "/team/web" + tail;
    }
    Result<void> pull(const std::string& tail = ":1", const PullOptions& limits = {}, std::stop_token stop = {}) {
        return store().pull(
            name(tail), auth, limits, [this](const PullProgress& now) { progress.push_back(now); }, stop);
    }
    static std::string bytes(std::size_t size, char seed) {
        std::string out(size, '\0');
        for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(static_cast<std::size_t>(seed) + i * i % 251);
        return out;
    }

    FakeRegistry registry;
    const MadeImage image =
        make_image({gzip_layer(bytes(100000, 'a')), plain_layer(bytes(50000, 'b')), gzip_layer("c")},
                   {{"Env", {"A=1"}}, {"Entrypoint", {"/run"}}});
    std::shared_ptr<FakeContainerd> containerd = std::make_shared<FakeContainerd>();
    ImageStoreOptions options;
    std::optional<ImageStore> made;
    RegistryAuth auth;
    std::vector<PullProgress> progress;
};

TEST_F(PullTest, AnImageIsThereUnderItsTagAndItsDigest) {
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
}

TEST_F(PullTest, NothingOfItIsCollectedAndNoLeaseIsLeft) {
    ASSERT_TRUE(pull());
    containerd->collect();
    EXPECT_THAT(containerd->blobs(), SizeIs(5));
    EXPECT_THAT(containerd->snapshots(), SizeIs(3));
    EXPECT_THAT(containerd->leases(), SizeIs(0));
    EXPECT_THAT(containerd->ingests(), SizeIs(0));
    EXPECT_EQ(store().find(name())->view.size, 150001);
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
