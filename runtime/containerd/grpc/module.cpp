// The one symbol of the module (runtime/containerd/module.hpp).

#include "runtime/containerd/module.hpp"
#include "runtime/containerd/grpc/grpc_client.hpp"

extern "C" __attribute__((visibility("default"))) nodeagent::runtime::containerd::Client* nodeagent_containerd_client(
    int contract, const char* socket, const char* name_space) {
    if (contract != nodeagent::runtime::containerd::kModuleContract) return nullptr;
    return new nodeagent::runtime::containerd::wire_grpc::GrpcClient(socket, name_space);
}
