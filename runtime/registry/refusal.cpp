#include "runtime/registry/refusal.hpp"

#include <algorithm>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "runtime/registry/bounded_json.hpp"

namespace nodeagent::runtime::registry {

namespace {

constexpr std::size_t kLongestMessage = 1024;

struct Complaint {
    std::string code;  ///< "MANIFEST_UNKNOWN"
    std::string message;
};

std::string printable(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
    return std::string(trimmed(text));
}

std::string complaint_text(const Json& object, const char* name) {
    if (!object.is_object()) return {};
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string()) return {};
    return printable(valid_utf8(truncated(found->get_ref<const std::string&>(), kLongestMessage)));
}

Complaint complaint_of(std::string_view body) {
    const auto document = parse_bounded("", body, {.bytes = std::size_t{64} << 10U, .depth = 16, .values = 1000});
    if (!document || !document->is_object()) return {};
    const auto errors = document->find("errors");
    if (errors != document->end() && errors->is_array() && !errors->empty()) {
        return {.code = complaint_text(errors->front(), "code"), .message = complaint_text(errors->front(), "message")};
    }
    // token services, and proxies before registries
    for (const char* name : {"details", "message", "error_description", "error"}) {
        if (std::string text = complaint_text(*document, name); !text.empty())
            return {.code = {}, .message = std::move(text)};
    }
    return {};
}

std::string usual_code(int status, bool insufficient_scope) {
    switch (status) {
        case 401: return insufficient_scope ? "DENIED" : "UNAUTHORIZED";
        case 403: return "DENIED";
        case 429: return "TOOMANYREQUESTS";
        default: return {};
    }
}

std::string usual_message(const std::string& code) {
    if (code == "UNAUTHORIZED") return "authentication required";
    if (code == "DENIED") return "requested access to the resource is denied";
    if (code == "TOOMANYREQUESTS") return "too many requests";
    if (code == "MANIFEST_UNKNOWN") return "manifest unknown";
    if (code == "NAME_UNKNOWN") return "repository name not known to registry";
    return "unknown error";
}

ErrorKind kind_of(int status, const std::string& code) {
    if (code == "DENIED" || code == "UNAUTHORIZED" || status == 401 || status == 403) return ErrorKind::Denied;
    if (code == "TOOMANYREQUESTS" || status == 429) return ErrorKind::Throttled;
    if (status == 404) return ErrorKind::NotFound;
    if (status >= 500) return ErrorKind::Unavailable;
    return ErrorKind::Malformed;
}

}  // namespace

Error refusal(int status, std::string_view body, bool insufficient_scope, const Reference& reference,
              std::string_view request) {
    Complaint complaint = complaint_of(body);
    if (insufficient_scope && complaint.code == "UNAUTHORIZED") complaint = {};
    if (complaint.code.empty()) complaint.code = usual_code(status, insufficient_scope);
    Error error{.kind = kind_of(status, complaint.code), .what = {}};
    if (complaint.code.empty() && complaint.message.empty()) {
        error.what = std::string(request) + ": received unexpected HTTP status: " + std::to_string(status);
        return error;
    }
    if (complaint.message.empty()) complaint.message = usual_message(complaint.code);
    std::string code = lower(complaint.code);
    std::replace(code.begin(), code.end(), '_', ' ');
    const std::string words = (code.empty() ? "unknown" : code) + ": " + complaint.message;
    if (complaint.code == "DENIED") {
        error.what = "pull access denied for " + reference.familiar() +
                     ", repository does not exist or may require 'docker login': " + words;
    } else if (complaint.code == "MANIFEST_UNKNOWN") {
        error.what = "manifest for " + reference.shown() + " not found: " + words;
    } else if (complaint.code == "NAME_UNKNOWN") {
        error.what = "repository " + reference.familiar() + " not found: " + words;
    } else {
        error.what = words;
    }
    return error;
}

}  // namespace nodeagent::runtime::registry
