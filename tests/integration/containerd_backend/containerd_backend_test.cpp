#include "tests/contract/backend_contract.hpp"
#include "tests/integration/containerd_backend/containerd_world.hpp"

namespace nodeagent::runtime {

INSTANTIATE_TEST_SUITE_P(Containerd, BackendContract, ::testing::Values(WorldFactory([] {
                             return std::make_unique<containerd::ContainerdWorld>();
                         })),
                         [](const auto&) { return std::string("Daemon"); });

}  // namespace nodeagent::runtime
