#include "agent/core/stop_reason.hpp"

#include <cctype>

#include "agent/base/time_format.hpp"

namespace nodeagent::core {

namespace {

constexpr std::string_view kNotAuthorized = "is not authorized to perform: ecr:BatchGetImage on resource";
constexpr std::string_view kLayerBucket = "starport-layer-bucket";

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

/// Whether "denied: User: <someone> is not authorized to perform: ecr:BatchGetImage on resource" is in the message.
bool lacks_pull_permission(std::string_view message) {
    constexpr std::string_view kDeniedUser = "denied: User: ";
    const std::size_t user = message.find(kDeniedUser);
    if (user == std::string_view::npos) return false;
    const std::size_t name = user + kDeniedUser.size();
    const std::size_t rest = message.find(kNotAuthorized, name);
    return rest != std::string_view::npos && rest > name + 1;  // somebody, and the space before "is"
}

/// Layer URLs are signed: whoever reads one can fetch the layer. The whole word that holds one goes, and a quote before
/// it.
std::string without_layer_urls(std::string_view message, std::string_view image) {
    std::string out;
    std::size_t at = 0;
    while (at < message.size()) {
        const std::size_t url = message.find("https", at);
        if (url == std::string_view::npos) break;
        std::size_t end = url;
        while (end < message.size() && !is_space(message[end])) ++end;
        const std::string_view word = message.substr(url, end - url);
        const std::size_t bucket = word.find(kLayerBucket);
        constexpr std::size_t kScheme = 5;  // at least one character between "https" and the bucket's name
        if (bucket == std::string_view::npos || bucket <= kScheme || word.size() == bucket + kLayerBucket.size()) {
            out += message.substr(at, end - at);
        } else {
            const std::size_t begin = url > at && message[url - 1] == '"' ? url - 1 : url;
            out += message.substr(at, begin - at);
            out += "REDACTED ECR URL related to ";
            out += image;
        }
        at = end;
    }
    return out + std::string(message.substr(at));
}

}  // namespace

std::string to_text(const NamedError& error) {
    return (error.name.empty() ? std::string(kUnknown) : error.name) + ": " + error.message;
}

NamedError out_of_memory() { return {std::string(kOutOfMemory), "Container killed due to memory usage"}; }

NamedError vanished() { return {std::string(kContainerVanished), "No container matching saved ID found"}; }

NamedError docker_state(std::string text) { return {std::string(kDockerState), std::move(text)}; }

NamedError docker_timeout(std::string_view word, std::chrono::nanoseconds waited) {
    return {std::string(kDockerTimeout),
            "Could not transition to " + std::string(word) + "; timed out after waiting " + go_duration(waited)};
}

NamedError task_stopped_before_pull(std::string_view task_arn) {
    return {std::string(kTaskStoppedBeforePull),
            "Task stopped before image pull could begin for task: " + std::string(task_arn)};
}

NamedError pull_failure(std::string_view name, std::string_view message, std::string_view image) {
    std::string text;
    if (name == kCannotPullContainer || name == kCannotPullEcrContainer) {
        // U+2019, not an apostrophe: the text is compared by users' tools
        if (lacks_pull_permission(message)) {
            text =
                "The task can\u2019t pull the image. Check that the role has the permissions to pull images from the "
                "registry. ";
        } else if (message.find("denied: requested access to the resource is denied") != std::string_view::npos) {
            text = "The task can\u2019t pull the image. Check whether the image exists. ";
        } else if (message.find("request canceled while waiting for connection") != std::string_view::npos) {
            text = "The task can\u2019t pull the image. Check your network configuration. ";
        }
    }
    return {std::string(name), text + without_layer_urls(message, image)};
}

std::string dependencies_unresolvable(std::string_view task_arn) {
    return "Task dependencies cannot be resolved, taskArn: " + std::string(task_arn);
}

std::string terminal_reason(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (!is_space(c)) {
            out += c;
        } else if (!out.empty() && out.back() != ' ') {
            out += ' ';
        }
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
    if (!out.empty()) out.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(out.front())));
    return out;
}

bool start_may_have_happened(const NamedError& error) {
    if (error.name == kDockerTimeout || error.name == kCannotInspectContainer) return true;
    return error.name == kCannotStartContainer && error.message.ends_with("EOF");
}

}  // namespace nodeagent::core
