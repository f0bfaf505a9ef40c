#include "agent/local/errors.hpp"

#include <stdexcept>

namespace nodeagent::local {

void throw_exception_from_error(const ApiError& error, const boost::source_location& /*where*/) {
    throw std::logic_error(error.code + ": " + error.message);
}

ApiError client_error(std::string message) { return {.code = "ClientException", .message = std::move(message)}; }
ApiError invalid_parameter(std::string message) {
    return {.code = "InvalidParameterException", .message = std::move(message)};
}
ApiError cluster_not_found() { return {.code = "ClusterNotFoundException", .message = "Cluster not found."}; }
ApiError access_denied(std::string message) { return {.code = "AccessDeniedException", .message = std::move(message)}; }
ApiError unsupported(std::string message) {
    return {.code = "UnsupportedFeatureException", .message = std::move(message)};
}
ApiError serialization_error(std::string message) {
    return {.code = "SerializationException", .message = std::move(message)};
}
ApiError server_error() {
    return {.code = "ServerException", .message = "Service Unavailable. Please try again later.", .status = 500};
}

std::string error_body(const ApiError& error) {
    OrderedJson body;
    body["__type"] = error.code;
    body["message"] = error.message;
    return dump_json(body);
}

}  // namespace nodeagent::local
