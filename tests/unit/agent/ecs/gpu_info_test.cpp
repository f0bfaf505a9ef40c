#include "agent/ecs/gpu_info.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::ecs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class GpuInfoFile : public testing::Test {
  protected:
    void write(const std::string& text) { std::ofstream(path_) << text; }

    fakes::TempDirectory folder_;
    std::string path_ = folder_ + "/nvidia-gpu-info.json";
};

TEST_F(GpuInfoFile, NamesTheDriverAndTheGpus) {
    write(R"({"DriverVersion":"550.54.15","GPUIDs":["GPU-8f5","GPU-77a"]})");
    const auto found = read_gpu_info(path_);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->driver_version, "550.54.15");
    EXPECT_THAT((*found)->ids, ElementsAre("GPU-8f5", "GPU-77a"));
}

TEST_F(GpuInfoFile, MayBeMissingOnAHostWithoutGpus) {
    const auto found = read_gpu_info(path_);
    ASSERT_TRUE(found);
    EXPECT_FALSE(*found);
}

TEST_F(GpuInfoFile, WhenItIsDamagedTheErrorNamesTheFileAndARemedy) {
    for (const char* text : {"{", R"({"GPUIDs":"GPU-1"})", ""}) {
        write(text);
        const auto found = read_gpu_info(path_);
        ASSERT_FALSE(found) << text;
        EXPECT_THAT(found.error().what, HasSubstr(path_));
        EXPECT_THAT(found.error().what, HasSubstr("ECS_ENABLE_GPU_SUPPORT"));
    }
}

}  // namespace
}  // namespace nodeagent::ecs
