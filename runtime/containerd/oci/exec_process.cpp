#include "runtime/containerd/oci/exec_process.hpp"

#include "agent/base/json.hpp"
#include "runtime/containerd/oci/documents.hpp"

namespace nodeagent::runtime::containerd::oci {

std::string exec_template(const std::string& spec) {
    const auto document = parse_json(spec);
    const Json* process = document ? member_of(*document, "process") : nullptr;
    if (process == nullptr || !process->is_object()) return "{}";
    Json out = *process;
    out.erase("args");
    out["terminal"] = false;
    return dump_json(out);
}

std::string with_command(const std::string& process, const std::vector<std::string>& command) {
    auto document = parse_json(process);
    Json out = document && document->is_object() ? *std::move(document) : Json::object();
    out["args"] = command;
    return dump_json(out);
}

}  // namespace nodeagent::runtime::containerd::oci
