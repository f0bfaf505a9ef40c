#include "agent/engine/spec/env_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nodeagent::engine {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

std::map<std::string, std::string> parsed(std::string_view content) {
    std::map<std::string, std::string> variables;
    add_env_file(variables, content);
    return variables;
}

TEST(EnvFile, TakesNamesAndValuesVerbatim) {
    EXPECT_THAT(
        parsed("A=1\nB = two words \nC=\"quoted\"\nexport D=x\nURL=http://h/?a=b\nEMPTY=\nLAST=no newline"),
        UnorderedElementsAre(Pair("A", "1"), Pair("B ", " two words "), Pair("C", "\"quoted\""), Pair("export D", "x"),
                             Pair("URL", "http://h/?a=b"), Pair("EMPTY", ""), Pair("LAST", "no newline")));
}

TEST(EnvFile, SkipsCommentsAndLinesThatDefineNothing) {
    EXPECT_THAT(parsed("# A=1\n\nno equals sign\n=value\n"), IsEmpty());
    EXPECT_THAT(parsed(" # A=1\n"), UnorderedElementsAre(Pair(" # A", "1"))) << "only in the first column";
    EXPECT_THAT(parsed(std::string_view("A=\0x\nB=1", 8)), UnorderedElementsAre(Pair("B", "1")));
}

TEST(EnvFile, TakesWindowsLineEnds) {
    EXPECT_THAT(parsed("A=1\r\nB=2\r\n"), UnorderedElementsAre(Pair("A", "1"), Pair("B", "2")));
}

TEST(EnvFile, TheLastLineOfAFileAndTheFirstOfSeveralFilesCount) {
    std::map<std::string, std::string> variables;
    add_env_file(variables, "A=1\nA=2\n");
    add_env_file(variables, "A=3\nB=3\n");
    EXPECT_THAT(variables, UnorderedElementsAre(Pair("A", "2"), Pair("B", "3")));
}

}  // namespace
}  // namespace nodeagent::engine
