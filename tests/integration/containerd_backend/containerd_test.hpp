#pragma once
// What tests of the containerd backend alone do with a world.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/integration/containerd_backend/containerd_world.hpp"
#include "tests/integration/containerd_backend/leftovers.hpp"

namespace nodeagent::runtime::containerd {

/// A script that runs until it is stopped.
inline constexpr const char* kForever = "trap 'exit 0' TERM; while :; do sleep 0.05; done";

using Kind = RuntimeEvent::Kind;
using std::chrono::seconds;

inline constexpr seconds kDeadline{60};

/// A world whose containers are gone in the end, with everything they had.
class TestedWorld {
  public:
    explicit TestedWorld(const std::string& socket = containerd_socket()) : world(socket) {}

    std::string create(ContainerSpec spec) {
        const auto id = world.run(world.backend().create(std::move(spec), kDeadline));
        if (!id) throw std::runtime_error(id.error().what);
        ids.insert(*id);
        return *id;
    }
    std::string start(ContainerSpec spec) {
        std::string id = create(std::move(spec));
        start_again(id);
        return id;
    }
    void start_again(const std::string& id) {
        const auto done = world.run(world.backend().start(id, kDeadline));
        if (!done) throw std::runtime_error(done.error().what);
    }
    ContainerView inspect(const std::string& id) {
        const auto view = world.run(world.backend().inspect(id));
        if (!view) throw std::runtime_error(view.error().what);
        return *view;
    }
    void remove(const std::string& id) {
        const auto stopped = world.run(world.backend().stop(id, seconds(0)));
        EXPECT_TRUE(stopped) << (stopped ? "" : stopped.error().what);
        const auto removed = world.run(world.backend().remove(id));
        EXPECT_TRUE(removed) << (removed ? "" : removed.error().what);
    }
    /// A script whose output goes to a file of the host.
    ContainerSpec speaking(const std::string& word, const std::string& script) {
        ContainerSpec spec = world.shell(world.name(word), "exec >/said/" + word + " 2>&1; " + script);
        spec.host_config["Binds"].push_back(said_folder() + ":/said");
        return spec;
    }
    /// What it says until it ends.
    std::string said(ContainerSpec spec) {
        const std::string word = spec.name.substr(world.prefix().size());
        Watching events(world);
        const std::string id = start(std::move(spec));
        events.wait_for(id, Kind::Exited);
        return said_by(word);
    }
    std::string said_by(const std::string& word) { return text_of(said_folder() + "/" + word); }
    /// Everything with the world's label goes; the lines tell what does not.
    std::vector<std::string> removed_all() {
        const auto left = world.run(world.backend().list(world.label()));
        if (!left) throw std::runtime_error(left.error().what);
        for (const ContainerView& view : *left) remove(view.id);
        return leftovers(world, {ids.begin(), ids.end()});
    }

    ContainerdWorld world;
    std::set<std::string> ids;

  private:
    [[nodiscard]] std::string said_folder() const { return world.folder() + "/said"; }
};

class ContainerdBackendTest : public ::testing::Test, protected TestedWorld {
  protected:
    void TearDown() override { EXPECT_THAT(removed_all(), ::testing::IsEmpty()); }
    Backend& backend = world.backend();
};

}  // namespace nodeagent::runtime::containerd
