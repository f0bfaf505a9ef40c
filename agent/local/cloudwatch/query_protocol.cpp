#include "agent/local/cloudwatch/query_protocol.hpp"

#include <algorithm>
#include <cctype>

#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::local {
namespace {

constexpr std::size_t kParametersAtMost = 400'000;
constexpr std::size_t kPartsAtMost = 12;
constexpr std::size_t kIndexDigits = 6;
constexpr std::string_view kMember = "member";

Error malformed_query(const char* what) { return {.kind = ErrorKind::Malformed, .what = what}; }

std::optional<std::string> form_decoded(std::string_view text) {
    std::string plain(text);
    std::replace(plain.begin(), plain.end(), '+', ' ');
    return percent_decode(plain);
}

bool is_index(std::string_view part) {
    return !part.empty() && part.size() <= kIndexDigits &&
           std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Puts the value where its name says. Lists are objects {"member": {"000002": ...}} until all is there.
Result<void> place_parameter(Json& root, const std::string& name, std::string value) {
    const std::vector<std::string_view> parts = split(name, '.');
    if (parts.size() > kPartsAtMost) return malformed_query("a parameter's name has too many parts");
    Json* at = &root;
    bool in_list = false;
    for (const std::string_view part : parts) {
        std::string key(part);
        if (in_list) {
            if (!is_index(part)) return malformed_query("a list's members are numbered");
            key.insert(0, kIndexDigits - key.size(), '0');
        }
        if (at->is_null()) *at = Json::object();
        if (!at->is_object()) return malformed_query("a parameter is both a value and a structure");
        at = &(*at)[key];
        in_list = part == kMember && !in_list;
    }
    if (!at->is_null()) return malformed_query("a parameter is given twice");
    *at = std::move(value);
    return {};
}

/// Turns what place_parameter() left of lists into lists. As deep as names have parts.
Result<void> make_lists(Json& node) {
    if (!node.is_object()) return {};
    if (const auto list = node.find(kMember); list != node.end()) {
        if (node.size() != 1 || !list->is_object()) return malformed_query("a list has other members beside its own");
        Json items = Json::array();
        for (Json& item : *list) items.push_back(std::move(item));
        node = std::move(items);
    }
    for (Json& child : node) {
        if (auto made = make_lists(child); !made) return made;
    }
    return {};
}

void append_xml_text(std::string& out, std::string_view text) {
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '\r': out += "&#13;"; break;
            default:
                // XML has no way to write the other control characters
                out += static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\n' ? '?' : c;
        }
    }
}

void append_element(std::string& out, std::string_view name, const OrderedJson& value, bool time);

void append_members(std::string& out, const OrderedJson& value) {
    for (const auto& [name, member] : value.items()) append_element(out, name, member, is_time_member(name));
}

void append_element(std::string& out, std::string_view name, const OrderedJson& value, bool time) {
    out.append("<").append(name).append(">");
    if (value.is_object()) {
        append_members(out, value);
    } else if (value.is_array()) {
        for (const OrderedJson& item : value) append_element(out, kMember, item, time);
    } else if (time) {
        const auto seconds = std::chrono::seconds(static_cast<std::int64_t>(value.get<double>()));
        out += rfc3339_seconds(std::chrono::system_clock::time_point(seconds));
    } else if (value.is_string()) {
        append_xml_text(out, value.get_ref<const std::string&>());
    } else {
        out += dump_json(value);
    }
    out.append("</").append(name).append(">");
}

}  // namespace

bool is_time_member(std::string_view name) { return name == "Timestamp" || name == "Timestamps"; }

std::string query_code(const std::string& code) {
    if (code == "MissingRequiredParameterException") return "MissingParameter";
    if (code == "SerializationException") return "MalformedInput";
    if (code == "UnknownOperationException") return "InvalidAction";
    if (code == "UnrecognizedClientException") return "InvalidClientTokenId";
    if (code == "InvalidSignatureException") return "SignatureDoesNotMatch";
    if (code == "InternalServiceFault") return "InternalServiceError";
    constexpr std::string_view kSuffix = "Exception";
    return code.ends_with(kSuffix) ? code.substr(0, code.size() - kSuffix.size()) : code;
}

Result<QueryRequest> parse_query_request(std::string_view body) {
    QueryRequest request;
    request.parameters = Json::object();
    std::size_t count = 0;
    while (!body.empty()) {
        const std::string_view part = body.substr(0, body.find('&'));
        body.remove_prefix(std::min(part.size() + 1, body.size()));
        const auto equals = part.find('=');
        if (equals == std::string_view::npos || equals + 1 == part.size()) continue;
        const auto name = form_decoded(part.substr(0, equals));
        auto value = form_decoded(part.substr(equals + 1));
        if (!name || !value) return malformed_query("a percent escape is broken");
        if (!is_utf8(*name) || !is_utf8(*value)) return malformed_query("the text is no UTF-8");
        if (++count > kParametersAtMost) return malformed_query("there are too many parameters");
        if (auto placed = place_parameter(request.parameters, *name, std::move(*value)); !placed) return placed.error();
    }
    if (auto made = make_lists(request.parameters); !made) return made.error();
    if (!request.parameters.is_object()) return malformed_query("the request itself is no list");
    const auto action = request.parameters.find("Action");
    if (action == request.parameters.end() || !action->is_string()) return malformed_query("there is no Action");
    request.action = action->get<std::string>();
    request.parameters.erase(action);
    request.parameters.erase("Version");
    return request;
}

std::string query_answer(std::string_view action, const OrderedJson& result, std::string_view xmlns,
                         std::string_view request_id) {
    const std::string name(action);
    std::string out = "<" + name + "Response xmlns=\"" + std::string(xmlns) + "\">";
    append_element(out, name + "Result", result, false);
    out += "<ResponseMetadata><RequestId>";
    append_xml_text(out, request_id);
    return out + "</RequestId></ResponseMetadata></" + name + "Response>\n";
}

std::string query_error(const ApiError& error, std::string_view xmlns, std::string_view request_id) {
    std::string out = "<ErrorResponse xmlns=\"" + std::string(xmlns) + "\"><Error><Type>";
    out += error.status < 500 ? "Sender" : "Receiver";
    out += "</Type><Code>";
    append_xml_text(out, query_code(error.code));
    out += "</Code><Message>";
    append_xml_text(out, error.message);
    out += "</Message></Error><RequestId>";
    append_xml_text(out, request_id);
    return out + "</RequestId></ErrorResponse>\n";
}

}  // namespace nodeagent::local
