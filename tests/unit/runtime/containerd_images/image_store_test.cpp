#include <gmock/gmock.h>

#include "runtime/image_archive.hpp"
#include "tests/unit/runtime/containerd_images/images_fixture.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class ImageStoreTest : public ImagesFixture {
  protected:
    ImageStoreTest() { EXPECT_TRUE(pull()); }
    void have_container(const std::string& id, const std::string& record, Labels labels = {}) {
        Container container;
        container.id = id;
        container.labels = std::move(labels);
        container.image = record;
        container.snapshotter = "overlayfs";
        ASSERT_TRUE(containerd->create_container(container));
    }
};

TEST_F(ImageStoreTest, AnImageThatIsNotThereIsMissedInDockersWords) {
    for (const auto& [text, shown] : {std::pair<std::string, std::string>{"busybox", "busybox:latest"},
                                      {name(":2"), name(":2")},
                                      {"sha256:" + std::string(64, '0'), "sha256:" + std::string(64, '0')}}) {
        const auto found = store().find(text);
        ASSERT_FALSE(found);
        EXPECT_EQ(found.error().kind, ErrorKind::NotFound);
        EXPECT_EQ(found.error().what, "No such image: " + shown);
        EXPECT_EQ(store().remove_image(text).error().what, "No such image: " + shown);
        EXPECT_EQ(store().tag(text, "x").error().kind, ErrorKind::NotFound);
    }
}

TEST_F(ImageStoreTest, ImagesAreListedById) {
    ASSERT_TRUE(store().tag(name(), "other:2"));
    ASSERT_TRUE(store().load_image(image_archive("pause:1", "pause", "#!")));
    const auto listed = store().list_images();
    ASSERT_TRUE(listed);
    ASSERT_THAT(*listed, SizeIs(2));
    const ImageView& view = (*listed)[0].id == image.id() ? (*listed)[0] : (*listed)[1];
    EXPECT_THAT(view.repo_tags, UnorderedElementsAre(name(), "other:2"));
    EXPECT_THAT(view.repo_digests, ElementsAre(name("@" + image.digest())));
    EXPECT_EQ(view.size, 150001);
    EXPECT_THAT(view.env, ElementsAre("A=1"));
    EXPECT_TRUE(view.created);
}

TEST_F(ImageStoreTest, ADamagedRecordDoesNotHideTheOthers) {
    ASSERT_TRUE(
        containerd->put_image({.name = "docker.io/library/broken:1",
                               .labels = {},
                               .target = {.media_type = "", .digest = "sha256:" + std::string(64, '1'), .size = 1}}));
    EXPECT_THAT(*store().list_images(), SizeIs(1));
    EXPECT_TRUE(store().find(name()));
}

TEST_F(ImageStoreTest, AMovedTagLeavesTheOldImageItsDigest) {
    const auto second = fakes::make_image({fakes::plain_layer("second")});
    registry.put("team/web:1", second);
    ASSERT_TRUE(pull());
    containerd->collect();
    EXPECT_EQ(store().find(name())->view.id, second.id());
    const auto old = store().find(image.id());
    ASSERT_TRUE(old);
    EXPECT_THAT(old->view.repo_tags, IsEmpty());
    EXPECT_THAT(old->view.repo_digests, ElementsAre(name("@" + image.digest())));
    ASSERT_TRUE(store().remove_image(image.id()));
    EXPECT_FALSE(store().find(image.id()));
    EXPECT_TRUE(store().find(name()));
}

TEST_F(ImageStoreTest, OnlyTheNameGoesWhileThereIsAnother) {
    ASSERT_TRUE(store().tag(name(), "other:2"));
    ASSERT_TRUE(store().remove_image(name()));
    EXPECT_FALSE(store().find(name()));
    EXPECT_TRUE(store().find("other:2"));
    EXPECT_THAT(containerd->snapshots(), SizeIs(3));
}

TEST_F(ImageStoreTest, WithTheLastNameTheImageGoes) {
    ASSERT_TRUE(store().remove_image(name()));
    EXPECT_THAT(containerd->images(), IsEmpty());
    EXPECT_THAT(containerd->blobs(), IsEmpty());
    EXPECT_THAT(containerd->snapshots(), IsEmpty());
}

TEST_F(ImageStoreTest, AnImageInUseStaysWithItsNames) {
    have_container("0123456789abcdef", name());
    auto removed = store().remove_image(name());
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().kind, ErrorKind::Conflict);
    EXPECT_EQ(removed.error().what, "conflict: unable to remove repository reference \"" + name() +
                                        "\" (must force) - container 0123456789ab is using its referenced image " +
                                        image.id().substr(7, 12));
    removed = store().remove_image(image.id());
    EXPECT_EQ(removed.error().what, "conflict: unable to delete " + image.id().substr(7, 12) +
                                        " (must be forced) - image is being used by stopped container 0123456789ab");
    EXPECT_TRUE(store().find(name()));
    ASSERT_TRUE(store().tag(name(), "other:2"));
    EXPECT_TRUE(store().remove_image(name())) << "another name still leads to it";
}

TEST_F(ImageStoreTest, AContainersLabelCountsWhereItsNameHasMovedOn) {
    have_container("0123456789abcdef", name(), {{kImageIdLabel, "sha256:" + std::string(64, '9')}});
    EXPECT_TRUE(store().remove_image(name())) << "the container is of an older image of that name";
}

TEST_F(ImageStoreTest, AnArchiveIsLoadedTwiceAsOnce) {
    const std::string archive = image_archive("pause:1", "pause", "#!");
    for (int times = 0; times < 2; ++times) {
        const auto loaded = store().load_image(archive);
        ASSERT_TRUE(loaded) << loaded.error().what;
    }
    containerd->collect();
    const auto found = store().find("pause:1");
    ASSERT_TRUE(found);
    EXPECT_THAT(found->config.entrypoint, ElementsAre("/pause"));
    EXPECT_THAT(found->view.repo_digests, IsEmpty());
    EXPECT_GT(found->view.size, 0);
    EXPECT_TRUE(store().prepare_root("root", *found));
    EXPECT_THAT(containerd->leases(), SizeIs(1)) << "that of roots";
    EXPECT_EQ(store().load_image("this is no archive").error().kind, ErrorKind::Malformed);
}

TEST_F(ImageStoreTest, AContainersRootIsOnTopOfTheImage) {
    const auto found = store().find(name());
    const auto mounts = store().prepare_root("container", *found);
    ASSERT_TRUE(mounts) << mounts.error().what;
    containerd->collect();  // there is no container yet
    EXPECT_EQ(containerd->snapshots().at("container").info.parent, found->config.chain_id);
    EXPECT_EQ(*store().prepare_root("container", *found), *mounts);
    EXPECT_EQ(*store().root_mounts("container"), *mounts);
    EXPECT_TRUE(store().remove_root("container"));
    EXPECT_TRUE(store().remove_root("container"));
    EXPECT_EQ(store().root_mounts("container").error().kind, ErrorKind::NotFound);
}

TEST_F(ImageStoreTest, AnImageThatAnotherSnapshotterUnpackedIsUnpackedForARoot) {
    ImageStoreOptions other = options;
    other.snapshotter = "native";
    ImageStore second(containerd, other);
    const auto mounts = second.prepare_root("container", *second.find(name()));
    ASSERT_TRUE(mounts) << mounts.error().what;
    containerd->collect();
    EXPECT_THAT(containerd->snapshots("native"), SizeIs(4));
}

TEST_F(ImageStoreTest, OneLeaseServesTheRootsOfManyContainers) {
    const auto found = store().find(name());
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(store().prepare_root("c" + std::to_string(i), *found));
    EXPECT_THAT(containerd->leases(), SizeIs(1));
}

class SnapshotterTest : public ImagesFixture {};

TEST_F(SnapshotterTest, NativeIsTakenWhereOverlayDoesNotWork) {
    containerd->known_plugins[1].usable = false;
    EXPECT_EQ(*store().snapshotter(), "native");
}

TEST_F(SnapshotterTest, TheOneThatIsAskedForMustBeThere) {
    options.snapshotter = "stargz";
    const auto chosen = store().snapshotter();
    ASSERT_FALSE(chosen);
    EXPECT_EQ(chosen.error().kind, ErrorKind::Malformed);
    EXPECT_THAT(chosen.error().what, HasSubstr("ECS_CONTAINERD_SNAPSHOTTER"));
    EXPECT_FALSE(pull());
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
