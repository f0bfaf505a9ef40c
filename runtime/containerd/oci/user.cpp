#include "runtime/containerd/oci/user.hpp"

#include <algorithm>
#include <optional>

#include "agent/base/strings.hpp"
#include "runtime/containerd/oci/documents.hpp"

namespace nodeagent::runtime::containerd::oci {

namespace {

constexpr long long kLargestId = (1LL << 31) - 1;  // Docker's

struct PasswdLine {
    std::string_view name;
    long long uid = 0, gid = 0;
};
struct GroupLine {
    std::string_view name;
    long long gid = 0;
    std::vector<std::string_view> members;
};

std::string_view part_of(const std::vector<std::string_view>& parts, std::size_t i) {
    return i < parts.size() ? parts[i] : std::string_view();
}

/// As Docker reads ids there: what is no number counts as 0.
long long id_in_file(std::string_view text) {
    const auto id = parse_integer(text);
    return id ? *id : 0;
}

/// A number as Go's Atoi takes it, or nothing.
std::optional<long long> id_asked_for(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    return parse_integer(text);
}

std::vector<PasswdLine> read_passwd(std::string_view text) {
    std::vector<PasswdLine> lines;
    for (const std::string_view raw : split(text, '\n')) {
        const std::string_view line = trimmed(raw);
        if (line.empty()) continue;
        const auto parts = split(line, ':');
        lines.push_back({part_of(parts, 0), id_in_file(part_of(parts, 2)), id_in_file(part_of(parts, 3))});
    }
    return lines;
}

std::vector<GroupLine> read_group(std::string_view text) {
    std::vector<GroupLine> lines;
    for (const std::string_view raw : split(text, '\n')) {
        const std::string_view line = trimmed(raw);
        if (line.empty()) continue;
        const auto parts = split(line, ':');
        lines.push_back({part_of(parts, 0), id_in_file(part_of(parts, 2)), split(part_of(parts, 3), ',')});
    }
    return lines;
}

Result<std::uint32_t> id_in_range(long long id) {
    if (id < 0 || id > kLargestId) return malformed("uids and gids must be in range 0-2147483647");
    return static_cast<std::uint32_t>(id);
}

Result<std::uint32_t> find_group(std::string_view word, const std::vector<GroupLine>& groups) {
    const auto number = id_asked_for(word);
    for (const GroupLine& group : groups) {
        if (number ? group.gid == *number : group.name == word) return id_in_range(group.gid);
    }
    if (!number) return malformed("unable to find group " + std::string(word) + ": no matching entries in group file");
    return id_in_range(*number);
}

/// GroupAdd: by name or by the number as it is written.
Result<std::uint32_t> find_added_group(const std::string& word, const std::vector<GroupLine>& groups) {
    for (const GroupLine& group : groups) {
        if (group.name == word || std::to_string(group.gid) == word) return id_in_range(group.gid);
    }
    const auto number = id_asked_for(word);
    if (!number) return malformed("Unable to find group " + word);
    return id_in_range(*number);
}

}  // namespace

std::string user_word(const Json& config, const ImageConfig& image) {
    std::string word = text_of(config, "User");
    return word.empty() ? image.user : word;
}

Result<User> resolve_user(std::string_view word, const std::vector<std::string>& group_add, std::string_view passwd,
                          std::string_view group) {
    const auto words = split(word, ':');
    const std::string_view user_part = part_of(words, 0);
    const std::string_view group_part = part_of(words, 1);
    const auto number = id_asked_for(user_part);
    const std::vector<PasswdLine> users = read_passwd(passwd);
    const std::vector<GroupLine> groups = read_group(group);

    User user;
    std::string_view name;
    const auto matches = [&](const PasswdLine& line) {
        if (user_part.empty()) return line.uid == 0;
        return number ? line.uid == *number : line.name == user_part;
    };
    if (const auto found = std::find_if(users.begin(), users.end(), matches); found != users.end()) {
        const auto uid = id_in_range(found->uid);
        if (!uid) return uid.error();
        const auto gid = id_in_range(found->gid);
        if (!gid) return gid.error();
        user.uid = *uid;
        user.gid = *gid;
        name = found->name;
    } else if (!user_part.empty()) {
        if (!number) {
            return malformed("unable to find user " + std::string(user_part) + ": no matching entries in passwd file");
        }
        const auto uid = id_in_range(*number);
        if (!uid) return uid.error();
        user.uid = *uid;
    }

    std::vector<std::uint32_t> supplementary;
    if (!group_part.empty()) {
        const auto gid = find_group(group_part, groups);
        if (!gid) return gid.error();
        user.gid = *gid;
    } else if (!name.empty()) {
        for (const GroupLine& line : groups) {
            if (std::find(line.members.begin(), line.members.end(), name) == line.members.end()) continue;
            const auto gid = id_in_range(line.gid);
            if (!gid) return gid.error();
            supplementary.push_back(*gid);
        }
    }
    for (const std::string& added : group_add) {
        const auto gid = find_added_group(added, groups);
        if (!gid) return gid.error();
        if (std::find(supplementary.begin(), supplementary.end(), *gid) == supplementary.end()) {
            supplementary.push_back(*gid);
        }
    }
    user.groups.push_back(user.gid);
    user.groups.insert(user.groups.end(), supplementary.begin(), supplementary.end());
    return user;
}

}  // namespace nodeagent::runtime::containerd::oci
