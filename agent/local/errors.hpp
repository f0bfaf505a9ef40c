#pragma once
// The error answers of the ECS API: a code the SDK turns into an exception class, a message for people, HTTP 400 or
// 500. Codes and wording follow the service, so that scripts written against it behave the same here.

#include <string>
#include <string_view>
#include <utility>

#include <boost/system/result.hpp>

#include "agent/base/json.hpp"

namespace nodeagent::local {

struct ApiError {
    std::string code;
    std::string message;
    unsigned status = 400;
};

/// Only instantiated by result::value(), which throws; we test results instead.
[[noreturn]] void throw_exception_from_error(const ApiError& error, const boost::source_location& where);

/// The JSON document of a successful answer. A type of its own because a bare Json converts from nearly anything.
struct Reply {
    OrderedJson body = OrderedJson::object();
};

template <class T>
using ApiOutcome = boost::system::result<T, ApiError>;
using ApiResult = ApiOutcome<Reply>;

[[nodiscard]] ApiError client_error(std::string message);
[[nodiscard]] ApiError invalid_parameter(std::string message);
[[nodiscard]] ApiError cluster_not_found();
[[nodiscard]] ApiError access_denied(std::string message);
[[nodiscard]] ApiError unsupported(std::string message);
[[nodiscard]] ApiError serialization_error(std::string message);
[[nodiscard]] ApiError server_error();

/// {"__type":"<code>","message":"<text>"}, the shape of AWS JSON 1.1.
[[nodiscard]] std::string error_body(const ApiError& error);

/// The request document as a T; a wrong JSON type is a SerializationException that names the member's path, a missing
/// required member an InvalidParameterException.
template <class T>
[[nodiscard]] ApiOutcome<T> parse_request(const Json& document) {
    auto decoded = decode_document<T>(document);
    if (decoded) return std::move(*decoded);
    std::string what = std::move(decoded).error().what;
    if (what.find("required, but missing") != std::string::npos) return invalid_parameter(std::move(what));
    return serialization_error(std::move(what));
}

}  // namespace nodeagent::local
