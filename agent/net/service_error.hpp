#pragma once
// How a call to an AWS service fails: with the service's code and words, or before it could answer.

#include <string>
#include <string_view>

#include <boost/system/result.hpp>

#include "agent/base/error.hpp"
#include "agent/net/http_client.hpp"

namespace nodeagent::net {

struct ServiceError {
    ServiceError() = default;  // no aggregate: else a string would convert to one, and no ServiceResult<string> from it

    std::string code;     ///< "InvalidParameterException"; empty when the service did not name one
    std::string message;  ///< the service's words, or what prevented an answer
    int status = 0;       ///< HTTP status; 0: no answer
    std::string request_id;
    ErrorKind kind = ErrorKind::Internal;
    bool quota_exhausted = false;  ///< could have been retried, but the retry quota was used up

    [[nodiscard]] bool answered() const { return status != 0; }
    /// Codes compare without regard to case.
    [[nodiscard]] bool is(std::string_view other) const;
};

template <class T>
using ServiceResult = boost::system::result<T, ServiceError>;

/// "<doing>: <code>: <message> (status 400, request id ...)".
[[nodiscard]] Error to_error(std::string_view doing, const ServiceError& error);

/// A JSON protocol error answer: code from X-Amzn-ErrorType or __type or code, message from message (any case).
[[nodiscard]] ServiceError json_service_error(const HttpResponse& response);
/// A query protocol error answer: <Code> and <Message> of the first <Error>.
[[nodiscard]] ServiceError query_service_error(const HttpResponse& response);
/// XML character data with the five predefined entities replaced.
[[nodiscard]] std::string xml_text(std::string_view escaped);
/// No answer.
[[nodiscard]] ServiceError transport_error(const Error& error);

[[noreturn]] void throw_exception_from_error(const ServiceError& error, const boost::source_location& where);

}  // namespace nodeagent::net
