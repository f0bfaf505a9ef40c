#pragma once
// The AWS query protocol, which the AWS CLI of Debian 12 speaks to CloudWatch: a form as request, XML as answer.

#include <string>
#include <string_view>

#include "agent/base/error.hpp"
#include "agent/base/json.hpp"
#include "agent/local/errors.hpp"

namespace nodeagent::local {

struct QueryRequest {
    std::string action;
    /// The other parameters as a document: "A.member.2.B=c" becomes {"A": [..., {"B": "c"}]}. Every leaf is text; a
    /// parameter without a value is left out.
    Json parameters;
};

/// Malformed for bad escapes, text that is no UTF-8, names that contradict each other, and more than any call needs:
/// 400,000 parameters, names of 12 parts.
[[nodiscard]] Result<QueryRequest> parse_query_request(std::string_view body);

/// `xmlns` is the service's XML namespace.
[[nodiscard]] std::string query_answer(std::string_view action, const OrderedJson& result, std::string_view xmlns,
                                       std::string_view request_id);
/// The code the query protocol has for an error of the API, as the service's model says.
[[nodiscard]] std::string query_code(const std::string& code);
[[nodiscard]] std::string query_error(const ApiError& error, std::string_view xmlns, std::string_view request_id);

/// Members that hold times. Documents have epoch seconds, XML has ISO 8601, CBOR tags them.
[[nodiscard]] bool is_time_member(std::string_view name);

}  // namespace nodeagent::local
