#include "agent/net/service_error.hpp"

#include <cstdio>
#include <cstdlib>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "agent/net/retry.hpp"

namespace nodeagent::net {

namespace {

// "com.amazonaws.ecs#ClientException:http://..." -> "ClientException"
std::string bare_code(std::string_view code) {
    if (const std::size_t hash = code.rfind('#'); hash != std::string_view::npos) code.remove_prefix(hash + 1);
    return std::string(trimmed(code.substr(0, code.find(':'))));
}

ErrorKind kind_of(const ServiceError& error) {
    if (is_throttle_code(error.code) || error.status == 429) return ErrorKind::Throttled;
    const std::string code = lower(error.code);
    const auto names = [&code](std::string_view word) { return code.find(word) != std::string::npos; };
    if (error.status == 401 || error.status == 403 || names("accessdenied") || names("unrecognizedclient") ||
        names("expiredtoken") || names("signature") || names("unauthorized")) {
        return ErrorKind::Denied;
    }
    if (names("timeout")) return ErrorKind::Timeout;
    if (error.status >= 500) return ErrorKind::Unavailable;
    if (error.status == 404 || names("notfound")) return ErrorKind::NotFound;
    if (error.status == 409) return ErrorKind::Conflict;
    return error.status >= 400 ? ErrorKind::Malformed : ErrorKind::Internal;
}

// The text of the first <name>, with the five entities replaced.
std::string element(std::string_view xml, std::string_view name) {
    const std::string open = '<' + std::string(name) + '>';
    const std::size_t begin = xml.find(open);
    if (begin == std::string_view::npos) return {};
    const std::string_view rest = xml.substr(begin + open.size());
    return xml_text(rest.substr(0, rest.find("</" + std::string(name) + '>')));
}

std::string text_member(const Json& document, std::string_view name) {
    const Json* found = json_detail::member(document, name);
    return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

ServiceError answered_with(const HttpResponse& response) {
    ServiceError error;
    error.status = response.status;
    error.request_id = response.header("x-amzn-RequestId");
    if (error.request_id.empty()) error.request_id = response.header("x-amz-request-id");
    return error;
}

}  // namespace

std::string xml_text(std::string_view escaped) {
    struct Entity {
        std::string_view name;
        char character;
    };
    constexpr Entity entities[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&amp;", '&'}};
    std::string out;
    while (!escaped.empty()) {
        const Entity* found = nullptr;
        for (const Entity& entity : entities) {
            if (escaped.starts_with(entity.name)) found = &entity;
        }
        out += found != nullptr ? found->character : escaped.front();
        escaped.remove_prefix(found != nullptr ? found->name.size() : 1);
    }
    return out;
}

bool ServiceError::is(std::string_view other) const { return equals_ignoring_case(code, other); }

Error to_error(std::string_view doing, const ServiceError& error) {
    std::string what(doing);
    if (!error.code.empty()) what += ": " + error.code;
    what += ": " + error.message;
    if (error.answered()) {
        what += " (status " + std::to_string(error.status);
        if (!error.request_id.empty()) what += ", request id " + error.request_id;
        what += ")";
    }
    return Error{.kind = error.kind, .what = std::move(what)};
}

ServiceError json_service_error(const HttpResponse& response) {
    ServiceError error = answered_with(response);
    std::string code = response.header("X-Amzn-ErrorType");
    if (const auto body = parse_json(response.body); body && body->is_object()) {
        if (code.empty()) code = text_member(*body, "__type");
        if (code.empty()) code = text_member(*body, "code");
        error.message = text_member(*body, "message");
    }
    error.code = bare_code(code);
    if (error.message.empty()) error.message = "the service gave no reason";
    error.kind = kind_of(error);
    return error;
}

ServiceError query_service_error(const HttpResponse& response) {
    ServiceError error = answered_with(response);
    error.code = element(response.body, "Code");
    error.message = element(response.body, "Message");
    if (error.request_id.empty()) error.request_id = element(response.body, "RequestID");
    if (error.message.empty()) error.message = "the service gave no reason";
    error.kind = kind_of(error);
    return error;
}

ServiceError transport_error(const Error& error) {
    ServiceError out;
    out.message = error.what;
    out.kind = error.kind;
    return out;
}

void throw_exception_from_error(const ServiceError& error, const boost::source_location& /*where*/) {
    std::fprintf(stderr, "bug: unchecked result: %s\n", error.message.c_str());
    std::abort();
}

}  // namespace nodeagent::net
