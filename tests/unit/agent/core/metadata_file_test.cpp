// When the metadata file of a container is written, and when not.
#include "agent/core/metadata_file.hpp"
#include "task_builder.hpp"

namespace nodeagent::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MetadataFile : public ::testing::Test {
  protected:
    /// A host that mounts the folder into every container.
    static Observation running_with_file(const ContainerState& container) {
        Observation seen = running(container.name);
        seen.volumes = {{"", "/srv/data/metadata/x", metadata_file_folder(container)}};
        return seen;
    }
    static Bench bench_of(std::vector<model::Container> containers) {
        Bench b(task_of(std::move(containers)));
        b.settings.metadata_files = true;
        b.launch = [folders = b.task](const std::string& name) {
            return ContainerStarted{name, running_with_file(*folders.find(name)), {}};
        };
        return b;
    }
};

TEST_F(MetadataFile, IsWrittenOnceForEachContainerThatRuns) {
    Bench b = bench_of({container("app"), sidecar("log")});
    b.start();
    EXPECT_THAT(names_in<WriteMetadataFile>(b.history), ElementsAre("app", "log"));
    b.hear(MetadataFileWritten{"app", 0, true}).hear(Woken{});
    EXPECT_THAT(names_in<WriteMetadataFile>(b.last), IsEmpty());
    EXPECT_TRUE(b["app"].metadata_file_ready);
}

TEST_F(MetadataFile, IsNotWrittenWhenTheSettingIsOffOrTheContainerHasNone) {
    Bench off = bench_of({container("app")});
    off.settings.metadata_files = false;
    off.start();
    EXPECT_THAT(names_in<WriteMetadataFile>(off.history), IsEmpty());

    Bench without = bench_of({container("app")});
    without.launch = nullptr;
    without.start();
    EXPECT_THAT(names_in<WriteMetadataFile>(without.history), IsEmpty());
}

TEST_F(MetadataFile, IsWrittenAfterARestartOfTheAgentUnlessItIsReady) {
    Bench b = bench_of({container("app"), sidecar("log")});
    b.start();
    b.hear(MetadataFileWritten{"log", 0, true});
    b.hear(Resumed{});
    EXPECT_THAT(names_in<WriteMetadataFile>(b.last), ElementsAre("app"));
}

TEST_F(MetadataFile, IsWrittenAgainWhenThePolicyHasStartedTheContainerAgain) {
    Bench b = bench_of({with_restarts(container("app"))});
    b.start();
    b.hear(ContainerObserved{"app", exited("app", 1)});
    b.hear(MetadataFileWritten{"app", 0, true});
    EXPECT_FALSE(b["app"].metadata_file_ready) << "what was written is about the run before";
    b.hear(ContainerStarted{"app", running_with_file(b["app"]), {}});
    const auto writes = all_of<WriteMetadataFile>(b.last);
    ASSERT_EQ(writes.size(), 1U);
    EXPECT_EQ(writes[0].run, 1);
    b.hear(MetadataFileWritten{"app", 1, true});
    EXPECT_TRUE(b["app"].metadata_file_ready);
}

TEST_F(MetadataFile, IsNotWaitedFor) {
    Bench b = bench_of({container("app")});
    b.settings.cleanup_wait = std::chrono::seconds(0);
    b.start();
    EXPECT_EQ(b.task.known, TaskStatus::Running);
    b.run(DesiredChanged{TaskStatus::Stopped});
    model::StateChangeAck ack;
    ack.task_status = TaskStatus::Stopped;
    b.run(SentAcknowledged{ack});
    EXPECT_TRUE(finished(b.task));
}

}  // namespace
}  // namespace nodeagent::core::testing
