#include "runtime/containerd/network/attachment.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "agent/base/fd.hpp"
#include "agent/base/files.hpp"

namespace nodeagent::runtime::containerd {

namespace {

const Json& entry(const Json& document, const char* key) {
    static const Json none;
    if (!document.is_object()) return none;
    const auto found = document.find(key);
    return found == document.end() ? none : *found;
}

std::string string_in(const Json& document, const char* key) {
    const Json& value = entry(document, key);
    return value.is_string() ? value.get<std::string>() : std::string{};
}

std::uint16_t port_in(const Json& document, const char* key) {
    const Json& value = entry(document, key);
    return value.is_number_unsigned() && value <= 65535U ? value.get<std::uint16_t>() : std::uint16_t{0};
}

Json document_of(const AttachmentRecord& record) {
    Json ports = Json::array();
    for (const PortBinding& port : record.ports) {
        ports.push_back({{"ContainerPort", port.container_port},
                         {"HostPort", port.host_port},
                         {"HostIp", port.host_ip},
                         {"Protocol", port.protocol}});
    }
    return {{"Id", record.id}, {"Ports", std::move(ports)}, {"Network", record.network}, {"Result", record.result}};
}

/// A half-written file would be read as a record of which only the id is known; what it replaces must stay until then.
Result<void> write_beside_and_rename(const std::string& path, const std::string& content) {
    const std::string beside = path + ".new";
    const Fd file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file) return from_errno("create " + beside);
    if (::write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
        return from_errno("write " + beside);
    }
    if (::rename(beside.c_str(), path.c_str()) != 0) return from_errno("rename " + beside);
    return {};
}

}  // namespace

Attachment attachment_of(const Json& result) {
    Attachment attachment;
    if (const Json& addresses = entry(result, "ips"); addresses.is_array()) {
        for (const Json& one : addresses) {
            std::string address = string_in(one, "address");
            if (address.find(':') != std::string::npos || address.empty()) continue;
            attachment.ipv4 = address.substr(0, address.find('/'));
            attachment.gateway = string_in(one, "gateway");
            break;
        }
    }
    if (const Json& interfaces = entry(result, "interfaces"); interfaces.is_array()) {
        for (const Json& one : interfaces) {
            if (!string_in(one, "sandbox").empty()) attachment.mac = string_in(one, "mac");
        }
    }
    return attachment;
}

AttachmentStore::AttachmentStore(std::string folder) : folder_(std::move(folder)) {}

Result<void> AttachmentStore::save(const AttachmentRecord& record) {
    if (auto made = make_directories(folder_, 0700); !made) return made;
    return write_beside_and_rename(folder_ + "/" + record.id, document_of(record).dump());
}

Result<AttachmentRecord> AttachmentStore::load(const std::string& id) const {
    const auto content = read_file(folder_ + "/" + id);
    if (!content && content.error().kind == ErrorKind::NotFound) return content.error();
    AttachmentRecord record{.id = id};
    const Json document = content ? Json::parse(*content, nullptr, false) : Json();
    if (const Json& ports = entry(document, "Ports"); ports.is_array()) {
        for (const Json& port : ports) {
            record.ports.push_back({.container_port = port_in(port, "ContainerPort"),
                                    .host_port = port_in(port, "HostPort"),
                                    .host_ip = string_in(port, "HostIp"),
                                    .protocol = string_in(port, "Protocol")});
        }
    }
    record.network = entry(document, "Network");
    record.result = entry(document, "Result");
    return record;
}

Result<void> AttachmentStore::remove(const std::string& id) {
    if (::unlink((folder_ + "/" + id).c_str()) != 0 && errno != ENOENT) {
        return from_errno("remove the record of a network");
    }
    return {};
}

std::vector<std::string> AttachmentStore::ids() const {
    std::vector<std::string> ids;
    std::error_code absent;
    for (const auto& file : std::filesystem::directory_iterator(folder_, absent)) {
        std::string name = file.path().filename();
        if (!name.ends_with(".new")) ids.push_back(std::move(name));
    }
    return ids;
}

}  // namespace nodeagent::runtime::containerd
