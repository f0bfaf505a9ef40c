#include "agent/engine/pause_image.hpp"

#include <fstream>

#include "agent/core/internal_containers.hpp"
#include "tests/fakes/temp_directory.hpp"
#include "tests/unit/agent/engine/engine_fixture.hpp"

namespace nodeagent::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kPauseName(core::kNamespacePauseName);
const std::string kImage(core::kPauseImage);

class SharedNamespaces : public EngineFixture {
  protected:
    SharedNamespaces() { pause_programs = {program_}; }
    void install() { std::ofstream(program_) << "a program"; }
    static model::Task sharing_task() {
        model::Task made = task(kArn, {container("web")});
        made.pid_mode = "task";
        made.ipc_mode = "task";
        return made;
    }
    /// The program is read on a worker thread.
    bool comes_to(const std::string& arn, TaskStatus status) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!reported(arn, status) && std::chrono::steady_clock::now() < deadline) {
            io.restart();
            io.run_one_for(std::chrono::milliseconds(10));
        }
        settle();
        return reported(arn, status);
    }
    fakes::TempDirectory folder_;
    std::string program_ = folder_ + "/ecs-pause";
};

TEST_F(SharedNamespaces, ThePauseImageIsMadeWhenItIsFirstNeeded) {
    install();
    start();
    accept({sharing_task()});
    EXPECT_TRUE(comes_to(kArn, TaskStatus::Running));
    ASSERT_NE(backend.find(kPauseName), nullptr);
    EXPECT_EQ(backend.find("web")->spec.host_config["PidMode"], "container:" + backend.find(kPauseName)->view.id);
    EXPECT_EQ(backend.calls("load_image"), 1);
    EXPECT_EQ(backend.calls("pull"), 0);
    EXPECT_EQ(sink.container(kArn, kPauseName, ContainerStatus::Running), nullptr);

    model::Task second = sharing_task();
    second.arn = arn_of(2);
    accept({second});
    EXPECT_TRUE(comes_to(arn_of(2), TaskStatus::Running));
    EXPECT_EQ(backend.calls("load_image"), 1) << "it is there";
}

TEST_F(SharedNamespaces, ADaemonThatGoesAwayWhileItsImageIsLoadedIsWaitedFor) {
    install();
    start();
    const Error gone{.kind = ErrorKind::Unavailable, .what = "the connection to the Docker daemon broke"};
    backend.on("load_image").fail(gone, 2);
    backend.on("inspect_image").fail(gone, 1);
    accept({sharing_task()});
    live_through(std::chrono::seconds(30));
    EXPECT_TRUE(reported(kArn, TaskStatus::Running));
}

TEST_F(SharedNamespaces, AnImageThatIsThereNeedsNoProgram) {
    backend.have_image(kImage);
    start();
    accept({sharing_task()});
    EXPECT_TRUE(comes_to(kArn, TaskStatus::Running));
    EXPECT_EQ(backend.calls("load_image"), 0);
}

TEST_F(SharedNamespaces, AMissingProgramIsTheReasonOfTheTask) {
    start();
    accept({sharing_task()});
    ASSERT_TRUE(comes_to(kArn, TaskStatus::Stopped));
    EXPECT_THAT(sink.task(kArn, TaskStatus::Stopped)->reason, HasSubstr(program_));
    EXPECT_THAT(sink.task(kArn, TaskStatus::Stopped)->reason, HasSubstr(kImage));
}

TEST_F(SharedNamespaces, GoOnAfterARestartOfTheAgent) {
    install();
    start();
    accept({sharing_task()});
    ASSERT_TRUE(comes_to(kArn, TaskStatus::Running));
    restart();
    run(engine->stop_task(kArn));
    EXPECT_TRUE(comes_to(kArn, TaskStatus::Stopped));
    EXPECT_EQ(backend.find(kPauseName)->view.phase, runtime::ContainerPhase::Stopped);
}

TEST(PauseProgram, IsBesideTheAgentOrInItsLibexecFolder) {
    EXPECT_THAT(pause_program_places("/usr/bin/ecs-node-agent"),
                ElementsAre("/usr/bin/ecs-pause", "/usr/libexec/ecs-node-agent/ecs-pause"));
    const auto missing = find_pause_program({"/nowhere/ecs-pause"});
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().what, HasSubstr("/nowhere/ecs-pause"));
}

TEST_F(EngineFixture, AnImageNameThatCannotExistIsNotAskedForAgain) {
    config.image_pull_behavior = config::ImagePullBehavior::Always;
    const Error invalid{.kind = ErrorKind::Malformed, .what = "Error response from daemon: invalid reference format"};
    backend.on("resolve_digest").fail(invalid);
    backend.on("pull").fail(invalid);
    start();
    accept({task(kArn, {container("web", "NOT/An:Image:at-all")})});
    settle();
    EXPECT_EQ(backend.calls("resolve_digest"), 1);
    EXPECT_TRUE(reported(kArn, TaskStatus::Stopped)) << "at once";
}

}  // namespace
}  // namespace nodeagent::engine
