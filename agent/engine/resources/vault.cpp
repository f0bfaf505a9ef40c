#include "agent/engine/resources/vault.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace nodeagent::engine {

namespace {

constexpr std::string_view kInstead = "<redacted>";
constexpr std::size_t kShortestRedacted = 4;  // shorter values would blank out words they have nothing to do with

void replace_all(std::string& text, std::string_view value) {
    if (value.size() < kShortestRedacted) return;
    for (std::size_t at = text.find(value); at != std::string::npos; at = text.find(value, at + kInstead.size())) {
        text.replace(at, value.size(), kInstead);
    }
}

/// A log driver that cannot fetch the execution role's credentials quotes where it asked for them.
void hide_credentials_ids(std::string& text) {
    constexpr std::string_view kPath = "/v2/credentials/";
    const auto of_an_id = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    for (std::size_t at = text.find(kPath); at != std::string::npos; at = text.find(kPath, at)) {
        at += kPath.size();
        const auto from = text.begin() + static_cast<std::ptrdiff_t>(at);
        text.replace(from, std::find_if_not(from, text.end(), of_an_id), kInstead);
    }
}

}  // namespace

SecretValues Vault::secrets(const std::string& task_arn) const {
    const auto found = by_task_.find(task_arn);
    return found == by_task_.end() ? SecretValues{} : found->second.secrets;
}

std::optional<runtime::RegistryAuth> Vault::registry(const std::string& task_arn,
                                                     const std::string& credentials_parameter) const {
    const auto task = by_task_.find(task_arn);
    if (task == by_task_.end()) return std::nullopt;
    const auto found = task->second.registries.find(credentials_parameter);
    return found == task->second.registries.end() ? std::nullopt : std::optional(found->second);
}

std::string Vault::redacted(const std::string& task_arn, std::string text) const {
    hide_credentials_ids(text);
    const auto task = by_task_.find(task_arn);
    if (task == by_task_.end()) return text;
    std::vector<std::string_view> values;
    for (const auto* shelf : {&task->second.secrets.ssm, &task->second.secrets.asm_secrets}) {
        for (const auto& [key, value] : *shelf) values.push_back(value.reveal());
    }
    for (const auto& [id, auth] : task->second.registries) values.push_back(auth.password.reveal());
    for (const auto& [container, defined] : task->second.of_files) {
        for (const Secret& value : defined) values.push_back(value.reveal());
    }
    // a value may be part of another: the longer one goes first, whole
    std::sort(values.begin(), values.end(), [](auto a, auto b) { return a.size() > b.size(); });
    for (const std::string_view value : values) replace_all(text, value);
    return text;
}

}  // namespace nodeagent::engine
