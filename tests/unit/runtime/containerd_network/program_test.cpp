#include "runtime/containerd/network/program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nodeagent::runtime::containerd {
namespace {

using namespace std::chrono_literals;

ProgramRun shell(const std::string& script) {
    return {.path = "/bin/sh", .arguments = {"-c", script}, .environment = {"WORD=hello"}};
}

TEST(Program, GetsItsInputAndEnvironmentAndNothingElse) {
    ProgramRun run = shell("echo $WORD; cat; env | grep -c HOME");
    run.input = std::string(300'000, 'x');
    const auto end = run_program(run);
    ASSERT_TRUE(end);
    EXPECT_EQ(end->status, 1) << "grep found no HOME";
    EXPECT_EQ(end->output, "hello\n" + run.input + "0\n");
}

TEST(Program, EndsWithItsCodeOrItsSignal) {
    EXPECT_EQ(run_program(shell("exit 7"))->status, 7);
    EXPECT_EQ(run_program(shell("kill -9 $$"))->status, 137);
}

TEST(Program, KeepsTheFirstOfItsErrorsApart) {
    const auto end = run_program(shell("echo good; echo bad >&2; head -c 100000 /dev/zero | tr '\\0' e >&2"));
    ASSERT_TRUE(end);
    EXPECT_EQ(end->output, "good\n");
    EXPECT_THAT(end->errors, testing::StartsWith("bad\n"));
    EXPECT_EQ(end->errors.size(), 4096U);
}

TEST(Program, IsKilledWithItsChildrenAfterItsTime) {
    for (const std::string script : {"sleep 600 & wait", "exec >&- 2>&-; exec /bin/sleep 600"}) {
        ProgramRun run = shell(script);
        run.timeout = 100ms;
        run.environment = {"PATH=/bin:/usr/bin"};
        const auto end = run_program(run);
        ASSERT_FALSE(end) << script;
        EXPECT_EQ(end.error().kind, ErrorKind::Timeout);
    }
}

TEST(Program, ThatIsNotThereIsNotFound) {
    const auto end = run_program({.path = "/nothing/here", .arguments = {}, .environment = {}});
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().kind, ErrorKind::NotFound);
    EXPECT_EQ(find_program("no-such-program-anywhere"), "");
    EXPECT_THAT(find_program("sh"), testing::EndsWith("/sh"));
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
