#include "agent/ecs/attachment_book.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "agent/base/strings.hpp"

namespace nodeagent::ecs {

namespace {

SteadyTime deadline_of(const Attachment& attachment, const Instant& now) {
    return now.steady + std::chrono::duration_cast<SteadyTime::duration>(attachment.expires_at - now.wall);
}

Error invalid(std::string what) { return {.kind = ErrorKind::Malformed, .what = std::move(what)}; }

bool one_slash(std::string_view cidr) {
    return std::count(cidr.begin(), cidr.end(), '/') == 1 && !cidr.starts_with('/') && !cidr.ends_with('/');
}

// Six parts, the first of them "arn"; the last may itself hold colons.
bool is_arn(std::string_view text) {
    return text.starts_with("arn:") && std::count(text.begin(), text.end(), ':') >= 5;
}

}  // namespace

bool AttachmentBook::add(const Attachment& attachment, const Instant& now) {
    const auto [entry, fresh] = entries_.try_emplace(attachment.key, Entry{attachment, std::nullopt});
    if (fresh || (!entry->second.deadline && !entry->second.attachment.sent)) {
        entry->second.deadline = deadline_of(attachment, now);
    }
    return fresh;
}

void AttachmentBook::restore(Attachment attachment, const Instant& now) {
    Entry entry{std::move(attachment), std::nullopt};
    if (!entry.attachment.sent) entry.deadline = deadline_of(entry.attachment, now);
    const std::string key = entry.attachment.key;
    entries_.insert_or_assign(key, std::move(entry));
}

void AttachmentBook::mark_sent(const std::string& key) {
    const auto entry = entries_.find(key);
    if (entry == entries_.end()) return;
    entry->second.attachment.sent = true;
    entry->second.deadline.reset();
}

std::vector<std::string> AttachmentBook::expire(SteadyTime now) {
    std::vector<std::string> gone;
    for (auto it = entries_.begin(); it != entries_.end();) {
        if (it->second.deadline && *it->second.deadline <= now) {
            gone.push_back(it->first);
            it = entries_.erase(it);
        } else {
            ++it;
        }
    }
    return gone;
}

std::optional<SteadyTime> AttachmentBook::next_expiry() const {
    std::optional<SteadyTime> next;
    for (const auto& [key, entry] : entries_) {
        if (entry.deadline && (!next || *entry.deadline < *next)) next = entry.deadline;
    }
    return next;
}

const Attachment* AttachmentBook::find(const std::string& key) const {
    const auto entry = entries_.find(key);
    return entry == entries_.end() ? nullptr : &entry->second.attachment;
}

std::vector<Attachment> AttachmentBook::all() const {
    std::vector<Attachment> out;
    for (const auto& [key, entry] : entries_) out.push_back(entry.attachment);
    return out;
}

Result<void> check_interface(const model::ElasticNetworkInterface& eni) {
    const bool ipv6_only = eni.ipv4_addresses.empty() && !eni.ipv6_addresses.empty();
    if (eni.ec2_id.empty()) return invalid("ec2Id: required, but missing");
    if (eni.mac_address.empty()) return invalid("macAddress: required, but missing");
    if (ipv6_only) {
        if (!one_slash(eni.subnet_gateway_ipv6_address)) {
            return invalid("subnetGatewayIpv6Address: expected address/prefix for an IPv6-only interface");
        }
    } else {
        if (eni.ipv4_addresses.empty()) return invalid("ipv4Addresses: at least one is required");
        if (!one_slash(eni.subnet_gateway_ipv4_address)) {
            return invalid("subnetGatewayIpv4Address: expected address/prefix");
        }
    }
    const std::string& protocol = eni.interface_association_protocol;
    if (!protocol.empty() && protocol != "default" && protocol != "vlan") {
        return invalid("interfaceAssociationProtocol: expected default or vlan");
    }
    if (protocol == "vlan") {
        const auto& vlan = eni.interface_vlan_properties;
        if (!vlan || vlan->vlan_id.empty() || vlan->trunk_interface_mac_address.empty()) {
            return invalid("interfaceVlanProperties: vlanId and trunkInterfaceMacAddress are required for vlan");
        }
    }
    return {};
}

Result<void> check_confirm_attachment(const model::ConfirmAttachmentMessage& message) {
    if (message.message_id.empty()) return invalid("messageId: required, but missing");
    if (!message.attachment) return invalid("attachment: required, but missing");
    const model::Attachment& attachment = *message.attachment;
    if (!is_arn(message.cluster_arn)) return invalid("clusterArn: not an ARN");
    if (!is_arn(message.container_instance_arn)) return invalid("containerInstanceArn: not an ARN");
    if (!is_arn(attachment.attachment_arn)) return invalid("attachment.attachmentArn: not an ARN");

    std::map<std::string, std::string> properties;
    for (const model::KeyValue& property : attachment.attachment_properties) {
        if (property.name.empty() || property.value.empty()) {
            return invalid("attachment.attachmentProperties: a name or value is empty");
        }
        properties[property.name] = property.value;
    }
    const auto require = [&](std::initializer_list<const char*> names) -> Result<void> {
        for (const char* name : names) {
            if (!properties.contains(name)) {
                return invalid(std::string("attachment.attachmentProperties: ") + name + " is required, but missing");
            }
        }
        return {};
    };
    if (attachment.attachment_type == "amazonebs") {
        if (auto r = require({"volumeId", "volumeSizeGib", "deviceName", "sourceVolumeHostPath", "volumeName"}); !r) {
            return r;
        }
        constexpr std::array<std::string_view, 5> kFileSystems{"xfs", "ext2", "ext3", "ext4", "ntfs"};
        const auto file_system = properties.find("fileSystem");
        if (file_system != properties.end() &&
            std::find(kFileSystems.begin(), kFileSystems.end(), file_system->second) == kFileSystems.end()) {
            return invalid("attachment.attachmentProperties: fileSystem is none of xfs, ext2, ext3, ext4, ntfs");
        }
        return {};
    }
    if (auto r = require({"resourceType"}); !r) return r;
    if (properties["resourceType"] == "ElasticBlockStorage") return require({"volumeID", "deviceName"});
    if (properties["resourceType"] == "EphemeralStorage") {
        return require({"volumeID", "deviceName", "volumeSizeInGiB", "requestedSizeInGiB", "resourceID"});
    }
    return invalid("attachment.attachmentProperties: resourceType is neither ElasticBlockStorage nor EphemeralStorage");
}

}  // namespace nodeagent::ecs
