// Metadata files of containers: what is on the disk, and what becomes of tasks when it cannot be.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "agent/base/files.hpp"
#include "agent/core/metadata_file.hpp"
#include "agent/engine/resources/metadata_files.hpp"
#include "tests/fakes/temp_directory.hpp"
#include "tests/unit/agent/engine/engine_fixture.hpp"

namespace nodeagent::engine {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

class MetadataFiles : public EngineFixture {
  protected:
    MetadataFiles() {
        config.data_dir = directory;
        config.container_metadata.set = true;
        config.checkpoint = true;
    }
    [[nodiscard]] std::string folder(const std::string& arn, const std::string& name) const {
        return *metadata_file_directory(config.data_dir, arn, name);
    }
    [[nodiscard]] std::string file(const std::string& name) const {
        return folder(kArn, name) + "/ecs-container-metadata.json";
    }
    [[nodiscard]] std::string content(const std::string& name) const {
        Result<std::string> text = read_file(file(name));
        return text ? *std::move(text) : text.error().what;
    }
    /// Binds and variables that name the file.
    [[nodiscard]] std::vector<std::string> given(const std::string& name) {
        std::vector<std::string> found;
        const auto& spec = backend.find(name)->spec;
        for (const auto& list : {spec.host_config.at("Binds"), spec.config.at("Env")}) {
            for (const auto& entry : list) {
                if (entry.get<std::string>().find("/opt/ecs/metadata/") != std::string::npos) found.push_back(entry);
            }
        }
        return found;
    }
    void in_the_way_of(const std::string& path) {
        std::filesystem::create_directories(std::filesystem::path(path).parent_path());
        std::ofstream(path) << "no directory";
    }
    fakes::TempDirectory directory;
};

TEST_F(MetadataFiles, AreThereBeforeTheContainerIsAndSayMoreWhenItRuns) {
    backend.on("start").block();
    start();
    accept({task(kArn, {container("app")})});
    settle();
    ASSERT_NE(backend.find("app"), nullptr);
    EXPECT_THAT(content("app"), HasSubstr("\t\"ContainerName\": \"app\""));
    EXPECT_THAT(content("app"), Not(HasSubstr("MetadataFileStatus")));
    const std::string id = snapshots.current()->tasks.at(kArn)->containers[0].endpoint_id;
    EXPECT_THAT(given("app"),
                ElementsAre(folder(kArn, "app") + ":/opt/ecs/metadata/" + id,
                            "ECS_CONTAINER_METADATA_FILE=/opt/ecs/metadata/" + id + "/ecs-container-metadata.json"));
    backend.release("start");
    settle();
    EXPECT_THAT(content("app"), HasSubstr("\t\"MetadataFileStatus\": \"READY\""));
    EXPECT_THAT(content("app"), HasSubstr("\t\"ContainerID\": \"" + backend.find("app")->view.id + "\""));
    struct stat status {};
    ASSERT_EQ(::stat(file("app").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0644U);
}

TEST_F(MetadataFiles, GoWithTheirTask) {
    start();
    accept({task(kArn, {container("app")})});
    settle();
    ASSERT_TRUE(std::filesystem::exists(file("app")));
    backend.exit("app", 0);
    settle();
    live_through(11min);
    EXPECT_FALSE(std::filesystem::exists(*metadata_files_directory(config.data_dir, kArn)));
}

TEST_F(MetadataFiles, AreNotThereUnlessTheSettingIsOn) {
    config.container_metadata.set = false;
    start();
    accept({task(kArn, {container("app")})});
    settle();
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
    EXPECT_THAT(given("app"), testing::IsEmpty());
    EXPECT_FALSE(std::filesystem::exists(directory + "/metadata"));
}

TEST_F(MetadataFiles, AContainerWhoseFileCannotBeMadeRunsWithoutIt) {
    in_the_way_of(directory + "/metadata");
    start();
    accept({task(kArn, {container("app")})});
    settle();
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
    EXPECT_THAT(given("app"), testing::IsEmpty());
}

TEST_F(MetadataFiles, AFileThatCannotBeBroughtUpToDateIsTriedAgainAndHoldsNothingUp) {
    backend.on("start").block();
    start();
    accept({task(kArn, {container("app")})});
    settle();
    std::filesystem::remove(file("app"));
    std::filesystem::create_directories(file("app") + "/not empty");  // as a container can do to its own
    backend.release("start");
    settle();
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
    std::filesystem::remove_all(file("app"));
    live_through(10s);
    EXPECT_THAT(content("app"), HasSubstr("READY"));
}

TEST_F(MetadataFiles, AreBroughtUpToDateByTheNextAgentIfTheFirstCouldNot) {
    backend.on("start").block();
    start();
    accept({task(kArn, {container("app")})});
    settle();
    std::filesystem::remove(file("app"));
    std::filesystem::create_directories(file("app") + "/not empty");
    backend.release("start");
    settle();
    stop();
    std::filesystem::remove_all(file("app"));
    start();
    settle();
    EXPECT_THAT(content("app"), HasSubstr("READY"));
}

TEST_F(MetadataFiles, OfAContainerThatWasStartedAgainSayItsNewAddress) {
    model::Container app = container("app");
    app.restart_policy = model::RestartPolicy{true, {}, 0};
    start();
    accept({task(kArn, {app})});
    settle();
    ASSERT_THAT(content("app"), HasSubstr("READY"));
    backend.find("app")->view.networks = {{.name = "bridge", .ipv4_address = "172.17.0.9", .ipv6_address = ""}};
    backend.exit("app", 1);
    settle();
    EXPECT_THAT(content("app"), HasSubstr("\t\t\t\t\"172.17.0.9\""));
}

TEST_F(MetadataFiles, OfTasksThatNobodyKnowsGoAtTheNextStart) {
    const std::string gone = folder(arn_of(7), "web");
    std::filesystem::create_directories(gone);
    start();
    accept({task(kArn, {container("app")})});
    settle();
    EXPECT_FALSE(std::filesystem::exists(gone));
    EXPECT_THAT(content("app"), HasSubstr("READY"));
    restart();
    settle();
    EXPECT_TRUE(std::filesystem::exists(file("app")));
}

TEST_F(MetadataFiles, OfATaskWhoseRecordWasLostStay) {
    start();
    accept({task(kArn, {container("app")})});
    settle();
    stop();
    run(store.erase(Shelf::Tasks, kArn));
    start();
    settle();
    ASSERT_EQ(engine->tasks().size(), 1U);
    EXPECT_THAT(content("app"), HasSubstr("READY"));
}

TEST(MetadataFileNames, StayInTheirDirectory) {
    EXPECT_EQ(metadata_file_directory("/data/", "arn:aws:ecs:r:1:task/c/0123", "web").value(),
              "/data/metadata/c/0123/web");
    EXPECT_EQ(metadata_file_directory("/data", "arn:aws:ecs:r:1:task/0123", "web").value(), "/data/metadata/0123/web");
    for (const std::string arn :
         {"arn:aws:ecs:r:1:task/../0123", "arn:aws:ecs:r:1:task/", "arn:aws:ecs:r:1:task", ""}) {
        EXPECT_FALSE(metadata_file_directory("/data", arn, "web")) << arn;
    }
    for (const std::string& name :
         {std::string(".."), std::string("a/b"), std::string(), std::string("a\0b", 3), std::string("a:b")}) {
        EXPECT_FALSE(metadata_file_directory("/data", "arn:aws:ecs:r:1:task/c/0123", name)) << name;
    }
}

TEST(PathOnHost, IsTheAgentsOwnUnlessItRunsInAContainer) {
    const auto seen = [](std::string data_dir, std::string host_data_dir) {
        config::Config config;
        config.data_dir = std::move(data_dir);
        config.host_data_dir = std::move(host_data_dir);
        return path_on_host(config, config.data_dir + "/metadata/c");
    };
    EXPECT_EQ(seen("/data/", ""), "/data/metadata/c");
    EXPECT_EQ(seen("/data", "/var/lib/ecs"), "/var/lib/ecs/data/metadata/c") << "as the reference's container has it";
    EXPECT_EQ(seen("/var/lib/ecs/data", "/var/lib/ecs"), "/var/lib/ecs/data/metadata/c")
        << "a path of the host already";
    EXPECT_EQ(seen("/var/lib/ecs-other", "/var/lib/ecs/"), "/var/lib/ecs/var/lib/ecs-other/metadata/c");
}

}  // namespace
}  // namespace nodeagent::engine
