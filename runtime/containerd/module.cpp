#include "runtime/containerd/module.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include "agent/base/strings.hpp"

namespace nodeagent::runtime::containerd {

std::vector<std::string> module_places(const std::string& program) {
    const std::string folder = program.substr(0, program.find_last_of('/') + 1);
    return {folder + kModuleFile, folder + "../libexec/ecs-node-agent/" + kModuleFile};
}

Result<std::shared_ptr<Client>> load_client(const std::vector<std::string>& places, const std::string& socket,
                                            const std::string& name_space) {
    for (const std::string& place : places) {
        if (::access(place.c_str(), F_OK) != 0) continue;
        void* module = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (module == nullptr) {
            const char* why = ::dlerror();
            return Error{.kind = ErrorKind::Internal,
                         .what = "load " + place + ": " + (why != nullptr ? why : "no reason given") +
                                 "; apt-get install libgrpc++1.51 libprotobuf-lite32"};
        }
        using Make = Client* (*)(int, const char*, const char*);
        const auto make = reinterpret_cast<Make>(::dlsym(module, "nodeagent_containerd_client"));
        Client* client = make != nullptr ? make(kModuleContract, socket.c_str(), name_space.c_str()) : nullptr;
        if (client == nullptr) {
            return Error{.kind = ErrorKind::Internal, .what = place + " belongs to another version of the agent"};
        }
        return std::shared_ptr<Client>(client);
    }
    return Error{.kind = ErrorKind::NotFound,
                 .what = "the module for containerd is not installed; looked for " + join(places, ", ")};
}

}  // namespace nodeagent::runtime::containerd
