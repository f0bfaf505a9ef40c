#pragma once
// An ImageStore between a registry and a containerd in memory.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/containerd/images/image_store.hpp"
#include "tests/fakes/fake_containerd.hpp"
#include "tests/fakes/fake_registry.hpp"

namespace nodeagent::runtime::containerd {

class ImagesFixture : public ::testing::Test {
  protected:
    using Answer = fakes::FakeRegistry::Answer;
    using Request = fakes::FakeRegistry::Request;
    using Script = std::optional<Answer>;

    ImagesFixture() {
        options.registry.retry_pause = std::chrono::milliseconds(1);
        options.registry.idle_timeout = std::chrono::milliseconds(300);
        registry.put("team/web:1", image);
    }
    ~ImagesFixture() override { registry.stop(); }
    ImagesFixture(const ImagesFixture&) = delete;
    ImagesFixture& operator=(const ImagesFixture&) = delete;
    ImageStore& store() {
        if (!made) made.emplace(containerd, options);
        return *made;
    }
    [[nodiscard]] std::string name(const std::string& tail = ":1") const {
        return registry.address() + "/team/web" + tail;
    }
    Result<void> pull(const std::string& tail = ":1", const PullOptions& limits = {},
                      const std::stop_token& stop = {}) {
        return store().pull(
            name(tail), auth, limits, [this](const PullProgress& now) { progress.push_back(now); }, stop);
    }
    static std::string noise(std::size_t size, std::uint32_t state) {
        std::string out(size, '\0');
        for (char& c : out) c = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
        return out;
    }
    [[nodiscard]] const std::string& layer(std::size_t index) const { return image.layers[index].blob; }
    [[nodiscard]] bool asks_for(const Request& request, std::size_t index) const {
        return request.target.ends_with("/blobs/" + registry::digest_of(layer(index)));
    }
    /// Whatever the collector does, the image is whole and nothing else is there.
    void expect_whole_and_nothing_else() {
        containerd->collect();
        EXPECT_EQ(containerd->blobs().size(), image.layers.size() + 2);
        EXPECT_EQ(containerd->snapshots().size(), image.layers.size());
        EXPECT_EQ(containerd->leases().size(), 0U);
        EXPECT_EQ(containerd->ingests().size(), 0U);
        const auto found = store().find(name());
        ASSERT_TRUE(found) << found.error().what;
        EXPECT_EQ(found->view.id, image.id());
    }

    fakes::FakeRegistry registry;
    const fakes::MadeImage image = fakes::make_image(
        {fakes::gzip_layer(noise(100000, 1)), fakes::plain_layer(noise(50000, 2)), fakes::gzip_layer("c")},
        {{"Env", {"A=1"}}, {"Entrypoint", {"/run"}}});
    std::shared_ptr<fakes::FakeContainerd> containerd = std::make_shared<fakes::FakeContainerd>();
    ImageStoreOptions options;
    std::optional<ImageStore> made;
    RegistryAuth auth;
    std::vector<PullProgress> progress;
};

}  // namespace nodeagent::runtime::containerd
