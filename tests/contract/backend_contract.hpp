#pragma once
// What every runtime::Backend must do, whatever it talks to. A test program includes this once and instantiates
// BackendContract with a factory of its world.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "runtime/image_archive.hpp"
#include "tests/contract/backend_world.hpp"

namespace nodeagent::runtime {

using WorldFactory = std::function<std::unique_ptr<BackendWorld>()>;

class BackendContract : public ::testing::TestWithParam<WorldFactory> {
  protected:
    using Program = BackendWorld::Program;
    using Kind = RuntimeEvent::Kind;
    static constexpr std::chrono::seconds kDeadline{60};

    void TearDown() override {
        auto left = world->run(backend.list(world->label()));
        if (!left) return;
        for (const ContainerView& view : *left) remove(view.id);
    }
    void remove(const std::string& id) {
        (void)world->run(backend.stop(id, std::chrono::seconds(0)));
        EXPECT_TRUE(world->run(backend.remove(id)));
    }

    std::string create(const std::string& word, Program program) {
        const auto id = world->run(backend.create(world->spec(world->name(word), program), kDeadline));
        EXPECT_TRUE(id) << (id ? "" : id.error().what);
        return id ? *id : std::string();
    }
    std::string started(const std::string& word, Program program) {
        const std::string id = create(word, program);
        const auto done = world->run(backend.start(id, kDeadline));
        EXPECT_TRUE(done) << (done ? "" : done.error().what);
        return id;
    }
    ContainerView inspect(const std::string& id) {
        const auto view = world->run(backend.inspect(id));
        EXPECT_TRUE(view) << (view ? "" : view.error().what);
        return view ? *view : ContainerView{};
    }
    /// Starts a container that ends by itself, and waits for its end.
    std::string ended(const std::string& word) {
        Watching events(*world);
        const std::string id = started(word, Program::ExitsWithSeven);
        events.wait_for(id, Kind::Exited);
        return id;
    }

    std::unique_ptr<BackendWorld> world = GetParam()();
    Backend& backend = world->backend();
};

TEST_P(BackendContract, SaysWhatTheRuntimeIs) {
    const auto capabilities = world->run(backend.probe());
    ASSERT_TRUE(capabilities) << capabilities.error().what;
    EXPECT_FALSE(capabilities->runtime.empty());
    EXPECT_FALSE(capabilities->version.empty());
    EXPECT_FALSE(capabilities->api_versions.empty());
    EXPECT_TRUE(world->run(backend.ping(kDeadline)));
}

TEST_P(BackendContract, ACreatedContainerHasItsNameLabelsAndImage) {
    const std::string id = create("a", Program::RunsUntilStopped);
    const ContainerView view = inspect(id);
    EXPECT_EQ(view.id, id);
    EXPECT_EQ(view.name, world->name("a"));
    EXPECT_EQ(view.phase, ContainerPhase::Created);
    EXPECT_TRUE(view.labels.contains(world->label()));
    EXPECT_EQ(view.exit_code, std::nullopt);
    EXPECT_TRUE(view.created_at);
    const auto image = world->run(backend.inspect_image(world->image()));
    ASSERT_TRUE(image);
    EXPECT_EQ(view.image_id, image->id);
}

TEST_P(BackendContract, CreatingTheSameContainerAgainGivesItsId) {
    const std::string id = create("a", Program::RunsUntilStopped);
    EXPECT_EQ(create("a", Program::RunsUntilStopped), id);
    ASSERT_TRUE(world->run(backend.start(id, kDeadline)));
    EXPECT_EQ(create("a", Program::RunsUntilStopped), id);
}

TEST_P(BackendContract, ANameThatSomebodyElsesContainerHasIsAConflict) {
    create("a", Program::RunsUntilStopped);
    ContainerSpec other = world->spec(world->name("a"), Program::RunsUntilStopped);
    other.config["Labels"]["of"] = "another task";
    const auto id = world->run(backend.create(std::move(other), kDeadline));
    ASSERT_FALSE(id);
    EXPECT_EQ(id.error().kind, ErrorKind::Conflict);
}

TEST_P(BackendContract, CreatingFromAnUnknownImageIsNotFound) {
    ContainerSpec spec = world->spec(world->name("a"), Program::RunsUntilStopped);
    spec.config["Image"] = "nodeagent.invalid/no-such-image:1";
    const auto id = world->run(backend.create(std::move(spec), kDeadline));
    ASSERT_FALSE(id);
    EXPECT_EQ(id.error().kind, ErrorKind::NotFound);
    EXPECT_FALSE(id.error().what.empty());
}

TEST_P(BackendContract, ALoadedImageIsThereUnderItsName) {
    const std::string name = "nodeagent.invalid/" + world->prefix() + "loaded:1";
    ASSERT_FALSE(world->run(backend.inspect_image(name)));
    for (int times = 0; times < 2; ++times) {
        const auto loaded = world->run(backend.load_image(image_archive(name, "program", "#!")));
        EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().what);
    }
    EXPECT_TRUE(world->run(backend.inspect_image(name)));
    EXPECT_TRUE(world->run(backend.remove_image(name)));
}

TEST_P(BackendContract, WhatIsNoImageArchiveIsNotLoaded) {
    EXPECT_FALSE(world->run(backend.load_image("this is no archive")));
}

TEST_P(BackendContract, StartingARunningContainerSucceeds) {
    const std::string id = started("a", Program::RunsUntilStopped);
    EXPECT_TRUE(world->run(backend.start(id, kDeadline)));
    const ContainerView view = inspect(id);
    EXPECT_EQ(view.phase, ContainerPhase::Running);
    EXPECT_TRUE(view.started_at);
    EXPECT_EQ(view.exit_code, std::nullopt);
    EXPECT_GT(view.pid, 0);
}

TEST_P(BackendContract, AnEndedContainerHasItsExitCode) {
    const ContainerView view = inspect(ended("a"));
    EXPECT_EQ(view.phase, ContainerPhase::Stopped);
    EXPECT_EQ(view.exit_code, 7);
    EXPECT_TRUE(view.finished_at);
    EXPECT_FALSE(view.oom_killed);
}

TEST_P(BackendContract, StopReturnsWhenTheContainerHasEnded) {
    const std::string id = started("a", Program::RunsUntilStopped);
    const auto done = world->run(backend.stop(id, std::chrono::seconds(20)));
    ASSERT_TRUE(done) << done.error().what;
    const ContainerView view = inspect(id);
    EXPECT_EQ(view.phase, ContainerPhase::Stopped);
    EXPECT_TRUE(view.exit_code);
}

TEST_P(BackendContract, StoppingAStoppedOrAbsentContainerSucceeds) {
    const std::string id = ended("a");
    EXPECT_TRUE(world->run(backend.stop(id, std::chrono::seconds(1))));
    EXPECT_TRUE(world->run(backend.stop(world->name("absent"), std::chrono::seconds(1))));
}

TEST_P(BackendContract, RemovingTwiceSucceeds) {
    const std::string id = create("a", Program::RunsUntilStopped);
    EXPECT_TRUE(world->run(backend.remove(id)));
    EXPECT_TRUE(world->run(backend.remove(id)));
    const auto view = world->run(backend.inspect(id));
    ASSERT_FALSE(view);
    EXPECT_EQ(view.error().kind, ErrorKind::NotFound);
}

TEST_P(BackendContract, ARunningContainerIsNotRemoved) {
    const std::string id = started("a", Program::RunsUntilStopped);
    const auto done = world->run(backend.remove(id));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::Conflict);
    EXPECT_EQ(inspect(id).phase, ContainerPhase::Running);
}

TEST_P(BackendContract, AContainerIsKnownByItsNameToo) {
    const std::string id = create("a", Program::RunsUntilStopped);
    EXPECT_EQ(inspect(world->name("a")).id, id);
}

TEST_P(BackendContract, AnAbsentContainerIsNotFound) {
    const auto view = world->run(backend.inspect(world->name("absent")));
    ASSERT_FALSE(view);
    EXPECT_EQ(view.error().kind, ErrorKind::NotFound);
    const auto done = world->run(backend.start(world->name("absent"), kDeadline));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::NotFound);
}

TEST_P(BackendContract, ListsWhatCarriesALabelWhetherItRunsOrNot) {
    const std::string fresh = create("fresh", Program::RunsUntilStopped);
    const std::string running = started("running", Program::RunsUntilStopped);
    const std::string done = ended("done");
    inspect(done);  // a daemon may list the state before the event it has just sent; it answers this when it is settled
    const auto listed = world->run(backend.list(world->label()));
    ASSERT_TRUE(listed) << listed.error().what;
    std::map<std::string, ContainerPhase> phases;
    for (const ContainerView& view : *listed) {
        phases[view.id] = view.phase;
        EXPECT_TRUE(view.labels.contains(world->label()));
        EXPECT_TRUE(view.name.starts_with(world->prefix())) << view.name;
    }
    EXPECT_EQ(phases, (std::map<std::string, ContainerPhase>{{fresh, ContainerPhase::Created},
                                                             {running, ContainerPhase::Running},
                                                             {done, ContainerPhase::Stopped}}));
    EXPECT_TRUE(world->run(backend.list("nodeagent.test.nobody"))->empty());
}

TEST_P(BackendContract, ListsEveryContainerWithItsImageWhenNoLabelIsAskedFor) {
    ContainerSpec spec = world->spec(world->name("plain"), Program::RunsUntilStopped);
    spec.config.erase("Labels");
    const auto id = world->run(backend.create(std::move(spec), kDeadline));
    ASSERT_TRUE(id) << id.error().what;
    const auto image = world->run(backend.inspect_image(world->image()));
    const auto listed = world->run(backend.list({}));
    ASSERT_TRUE(listed) << listed.error().what;
    const auto found =
        std::find_if(listed->begin(), listed->end(), [&](const ContainerView& view) { return view.id == *id; });
    ASSERT_NE(found, listed->end());
    EXPECT_EQ(found->image_id, image->id);
    remove(*id);
}

TEST_P(BackendContract, EventsOfAContainerComeInOrder) {
    Watching events(*world);
    ASSERT_TRUE(events.connected);
    const std::string id = started("a", Program::ExitsWithSeven);
    events.wait_for(id, Kind::Exited);
    remove(id);
    events.wait_for(id, Kind::Removed);
    EXPECT_THAT(events.kinds_of(id), ::testing::ElementsAre(Kind::Created, Kind::Started, Kind::Exited, Kind::Removed));
    const auto exited = std::find_if(events.events.begin(), events.events.end(), [&](const RuntimeEvent& event) {
        return event.container_id == id && event.kind == Kind::Exited;
    });
    EXPECT_EQ(exited->exit_code, 7);
}

TEST_P(BackendContract, AStreamSaysWhyItBrokeAndCanBeOpenedAgain) {
    {
        Watching events(*world);
        world->go_away();
        world->run_until([&events] { return events.ended.has_value(); });
        EXPECT_EQ(events.ended->kind, ErrorKind::Unavailable);
        EXPECT_FALSE(events.ended->what.empty());
    }
    world->come_back();
    Watching again(*world);
    ASSERT_TRUE(again.connected);
    const std::string id = create("a", Program::RunsUntilStopped);
    again.wait_for(id, Kind::Created);
}

TEST_P(BackendContract, EverythingIsUnavailableWhileTheDaemonIsAway) {
    const std::string id = create("a", Program::RunsUntilStopped);
    world->go_away();
    const auto kind = [](const auto& result) { return result ? std::optional<ErrorKind>() : result.error().kind; };
    EXPECT_EQ(kind(world->run(backend.probe())), ErrorKind::Unavailable);
    EXPECT_EQ(kind(world->run(backend.ping(kDeadline))), ErrorKind::Unavailable);
    EXPECT_EQ(kind(world->run(backend.inspect(id))), ErrorKind::Unavailable);
    EXPECT_EQ(kind(world->run(backend.start(id, kDeadline))), ErrorKind::Unavailable);
    EXPECT_EQ(kind(world->run(backend.stop(id, std::chrono::seconds(1)))), ErrorKind::Unavailable);
    EXPECT_EQ(kind(world->run(backend.remove(id))), ErrorKind::Unavailable);
    EXPECT_EQ(kind(world->run(backend.list(world->label()))), ErrorKind::Unavailable);
    world->come_back();
    EXPECT_EQ(inspect(id).phase, ContainerPhase::Created);
}

TEST_P(BackendContract, ImagesAreFoundTaggedAndRemoved) {
    const auto image = world->run(backend.inspect_image(world->image()));
    ASSERT_TRUE(image) << image.error().what;
    EXPECT_TRUE(image->id.starts_with("sha256:"));
    EXPECT_GT(image->size, 0);

    const std::string other = world->name("tagged") + ":2";
    ASSERT_TRUE(world->run(backend.tag(world->image(), other)));
    EXPECT_EQ(world->run(backend.inspect_image(other))->id, image->id);
    const auto listed = world->run(backend.list_images());
    ASSERT_TRUE(listed);
    const auto found =
        std::find_if(listed->begin(), listed->end(), [&](const ImageView& view) { return view.id == image->id; });
    ASSERT_NE(found, listed->end());
    EXPECT_THAT(found->repo_tags, ::testing::IsSupersetOf({other, world->image()}));

    ASSERT_TRUE(world->run(backend.remove_image(other)));
    EXPECT_TRUE(world->run(backend.inspect_image(world->image())));
    const auto gone = world->run(backend.inspect_image(other));
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().kind, ErrorKind::NotFound);
    EXPECT_EQ(world->run(backend.remove_image(other)).error().kind, ErrorKind::NotFound);
    EXPECT_EQ(world->run(backend.tag(other, world->name("x"))).error().kind, ErrorKind::NotFound);
}

TEST_P(BackendContract, VolumesAreCreatedOnceAndRemovedTwice) {
    const VolumeSpec wanted{
        .name = world->name("volume"), .driver = "local", .driver_opts = {}, .labels = {{"kind", "test"}}};
    ASSERT_TRUE(world->run(backend.create_volume(wanted)));
    ASSERT_TRUE(world->run(backend.create_volume(wanted)));
    const auto volume = world->run(backend.inspect_volume(wanted.name));
    ASSERT_TRUE(volume) << volume.error().what;
    EXPECT_EQ(volume->name, wanted.name);
    EXPECT_EQ(volume->driver, "local");
    EXPECT_EQ(volume->labels, wanted.labels);
    EXPECT_TRUE(world->run(backend.remove_volume(wanted.name)));
    EXPECT_TRUE(world->run(backend.remove_volume(wanted.name)));
    EXPECT_EQ(world->run(backend.inspect_volume(wanted.name)).error().kind, ErrorKind::NotFound);
}

TEST_P(BackendContract, PublishedPortsAreSeenWhileTheContainerRuns) {
    ContainerSpec spec = world->spec(world->name("a"), Program::RunsUntilStopped);
    spec.config["ExposedPorts"]["80/tcp"] = nlohmann::json::object();
    nlohmann::json binding = nlohmann::json::object();
    binding["HostPort"] = "0";
    spec.host_config["PortBindings"]["80/tcp"].push_back(std::move(binding));
    const auto id = world->run(backend.create(std::move(spec), kDeadline));
    ASSERT_TRUE(id) << id.error().what;
    ASSERT_TRUE(world->run(backend.start(*id, kDeadline)));
    const ContainerView view = inspect(*id);
    ASSERT_FALSE(view.ports.empty());
    EXPECT_EQ(view.ports.front().container_port, 80);
    EXPECT_EQ(view.ports.front().protocol, "tcp");
    EXPECT_EQ(view.ports.front().host_ip, "0.0.0.0");
}

}  // namespace nodeagent::runtime
