#include "agent/base/files.hpp"
#include "agent/config/report.hpp"

namespace nodeagent::config {
namespace {

TEST(Readme, ShowsTheSettingsAsTheTableHasThem) {
    const auto readme = read_file(NODEAGENT_TEST_DATA "/../../README.md");
    ASSERT_TRUE(readme) << readme.error().what;
    std::string table = settings_markdown();
    while (!table.empty() && table.back() == '\n') table.pop_back();
    EXPECT_NE(readme->find(table), std::string::npos)
        << "replace the tables under \"Settings\" with the output of ecs-node-agent --settings-table";
}

}  // namespace
}  // namespace nodeagent::config
