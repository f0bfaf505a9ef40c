#include <gmock/gmock.h>

#include "tests/unit/runtime/containerd_oci/spec_fixture.hpp"

namespace nodeagent::runtime::containerd::oci {
namespace {

class ResourcesTest : public SpecTest {
  protected:
    Json resources(const char* host_config) {
        host = Json::parse(host_config);
        Json spec = made(with_support());
        Json out = spec.at("linux").at("resources");
        out.erase("devices");
        return out;
    }
    std::string refused(const char* host_config) {
        host = Json::parse(host_config);
        return refusal(with_support());
    }
    SpecInputs with_support() {
        SpecInputs from = inputs();
        from.cgroups = support;
        from.cgroup_v2 = v2;
        return from;
    }
    CgroupSupport support;
    bool v2 = false;
};

TEST_F(ResourcesTest, NothingAskedForIsNothingLimited) { EXPECT_EQ(resources("{}"), Json::object()); }

TEST_F(ResourcesTest, MemoryAloneAllowsAsMuchSwap) {
    EXPECT_EQ(resources(R"({"Memory":67108864})"), Json::parse(R"({"memory":{"limit":67108864,"swap":134217728}})"));
}

TEST_F(ResourcesTest, SwapCanBeUnlimitedOrNone) {
    EXPECT_EQ(resources(R"({"Memory":67108864,"MemorySwap":-1})"), Json::parse(R"({"memory":{"limit":67108864}})"));
    EXPECT_EQ(resources(R"({"Memory":67108864,"MemorySwap":67108864})"),
              Json::parse(R"({"memory":{"limit":67108864,"swap":67108864}})"));
}

TEST_F(ResourcesTest, AKernelThatCannotLimitSwapLimitsMemoryAlone) {
    support.swap_limit = false;
    EXPECT_EQ(resources(R"({"Memory":67108864,"MemorySwap":77108864})"),
              Json::parse(R"({"memory":{"limit":67108864}})"));
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_EQ(warnings.front(),
              "Your kernel does not support swap limit capabilities or the cgroup is not mounted. "
              "Memory limited without swap.");
}

TEST_F(ResourcesTest, WhatTheKernelCannotLimitIsLeftOutWithAWarning) {
    support = {.memory = false,
               .cpu_shares = false,
               .cpu_cfs = false,
               .cpuset = false,
               .pids = false,
               .blkio_weight = false,
               .blkio_throttle = false};
    EXPECT_EQ(
        resources(R"({"Memory":67108864,"MemoryReservation":7108864,"CpuShares":5,"CpuQuota":5000,"CpusetCpus":"0",
                            "PidsLimit":5,"BlkioWeight":500,"KernelMemory":67108864,
                            "BlkioDeviceReadBps":[{"Path":"/dev/sda","Rate":1}]})"),
        Json::object());
    EXPECT_EQ(warnings.size(), 9U);
}

TEST_F(ResourcesTest, CgroupVersionTwoHasNoSwappinessAndNoOomSwitch) {
    const char* asked = R"({"Memory":67108864,"MemorySwap":-1,"MemorySwappiness":10,"OomKillDisable":true})";
    EXPECT_EQ(resources(asked),
              Json::parse(R"({"memory":{"limit":67108864,"swappiness":10,"disableOOMKiller":true}})"));
    v2 = true;
    EXPECT_EQ(resources(asked), Json::parse(R"({"memory":{"limit":67108864}})"));
    EXPECT_EQ(warnings.size(), 2U);
}

TEST_F(ResourcesTest, ProcessorTime) {
    EXPECT_EQ(resources(R"({"CpuShares":512})"), Json::parse(R"({"cpu":{"shares":512}})"));
    EXPECT_EQ(resources(R"({"NanoCpus":1500000000})"), Json::parse(R"({"cpu":{"period":100000,"quota":150000}})"));
    EXPECT_EQ(resources(R"({"CpuPeriod":50000,"CpuQuota":25000})"),
              Json::parse(R"({"cpu":{"period":50000,"quota":25000}})"));
    EXPECT_EQ(resources(R"({"CpuQuota":-1})"), Json::parse(R"({"cpu":{"quota":-1}})"));
}

TEST_F(ResourcesTest, ProcessorsAreOnesTheHostHas) {
    support.cpuset_cpus = "0-3";
    support.cpus = 4;
    EXPECT_EQ(resources(R"({"CpusetCpus":"0,2-3","CpusetMems":"0"})"),
              Json::parse(R"({"cpu":{"cpus":"0,2-3","mems":"0"}})"));
    EXPECT_EQ(refused(R"({"CpusetCpus":"2-5"})"), "Requested CPUs are not available - requested 2-5, available: 0-3");
    EXPECT_EQ(refused(R"({"CpusetCpus":"3-1"})"), "Invalid value 3-1 for cpuset cpus");
    EXPECT_EQ(refused(R"({"CpusetCpus":"0-999999999999"})"), "Invalid value 0-999999999999 for cpuset cpus");
    EXPECT_EQ(refused(R"({"NanoCpus":4500000000})"),
              "Range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available");
}

TEST_F(ResourcesTest, ProcessesAndBlockDevices) {
    EXPECT_EQ(resources(R"({"PidsLimit":20})"), Json::parse(R"({"pids":{"limit":20}})"));
    EXPECT_EQ(resources(R"({"PidsLimit":0})"), Json::parse(R"({"pids":{"limit":-1}})"));
    EXPECT_EQ(resources(R"({"BlkioWeight":300,"BlkioWeightDevice":[{"Path":"/dev/sda","Weight":20}],
                            "BlkioDeviceWriteIOps":[{"Path":"/dev/sda","Rate":1000}]})"),
              Json::parse(R"({"blockIO":{"weight":300,"weightDevice":[{"major":8,"minor":0,"weight":20}],
                                         "throttleWriteIOPSDevice":[{"major":8,"minor":0,"rate":1000}]}})"));
}

TEST_F(ResourcesTest, RealtimeIsRefusedWhereTheKernelHasNone) {
    EXPECT_THAT(refused(R"({"CpuRealtimeRuntime":1000})"), testing::HasSubstr("CpuRealtimePeriod, CpuRealtimeRuntime"));
    support.cpu_realtime = true;
    EXPECT_EQ(resources(R"({"CpuRealtimePeriod":10000,"CpuRealtimeRuntime":1000})"),
              Json::parse(R"({"cpu":{"realtimePeriod":10000,"realtimeRuntime":1000}})"));
}

TEST_F(ResourcesTest, ValuesOutOfRangeAreRefusedWithDockersWords) {
    EXPECT_EQ(refused(R"({"Memory":4194304})"), "Minimum memory limit allowed is 6MB");
    EXPECT_EQ(refused(R"({"MemoryReservation":1000})"), "Minimum memory reservation allowed is 6MB");
    EXPECT_EQ(refused(R"({"Memory":7000000,"MemoryReservation":8000000})"),
              "Minimum memory limit can not be less than memory reservation limit, see usage");
    EXPECT_EQ(refused(R"({"Memory":8000000,"MemorySwap":7000000})"),
              "Minimum memoryswap limit should be larger than memory limit, see usage");
    EXPECT_EQ(refused(R"({"MemorySwap":7000000})"),
              "You should always set the Memory limit when using Memoryswap limit, see usage");
    EXPECT_EQ(refused(R"({"MemorySwappiness":101})"), "Invalid value: 101, valid memory swappiness range is 0-100");
    EXPECT_EQ(refused(R"({"CpuPeriod":999})"),
              "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
    EXPECT_EQ(refused(R"({"NanoCpus":1000000000,"CpuQuota":1000})"),
              "Conflicting options: Nano CPUs and CPU Quota cannot both be set");
    EXPECT_EQ(refused(R"({"BlkioWeight":5})"), "Range of blkio weight is from 10 to 1000");
    EXPECT_EQ(refused(R"({"BlkioDeviceReadBps":[{"Path":"/dev/none","Rate":1}]})"),
              "HostConfig.BlkioDeviceReadBps: stat /dev/none: no such device");
    EXPECT_THAT(refused(R"({"IOMaximumIOps":5})"), testing::StartsWith("Invalid QoS settings"));
}

TEST_F(ResourcesTest, HugeNumbersOverflowNothing) {
    EXPECT_EQ(resources(R"({"Memory":9223372036854775807})").at("memory").at("limit"), 9223372036854775807);
    EXPECT_EQ(resources(R"({"NanoCpus":9223372036854775807})").at("cpu").at("quota"), 922337203685477);
}

}  // namespace
}  // namespace nodeagent::runtime::containerd::oci
