#include "runtime/containerd/images/chain_ids.hpp"

#include "runtime/registry/digest.hpp"

namespace nodeagent::runtime::containerd {

std::vector<std::string> chain_ids(const std::vector<std::string>& diff_ids) {
    std::vector<std::string> out;
    out.reserve(diff_ids.size());
    for (const std::string& diff_id : diff_ids) {
        out.push_back(out.empty() ? diff_id : registry::digest_of(out.back() + " " + diff_id));
    }
    return out;
}

}  // namespace nodeagent::runtime::containerd
