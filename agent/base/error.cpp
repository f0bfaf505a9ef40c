#include "agent/base/error.hpp"

#include <cerrno>
#include <stdexcept>

namespace nodeagent {

std::string_view to_string(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::Malformed: return "malformed";
        case ErrorKind::NotFound: return "not-found";
        case ErrorKind::Conflict: return "conflict";
        case ErrorKind::Denied: return "denied";
        case ErrorKind::Throttled: return "throttled";
        case ErrorKind::Timeout: return "timeout";
        case ErrorKind::Unavailable: return "unavailable";
        case ErrorKind::Internal: return "internal";
    }
    return "internal";
}

Error with_context(std::string_view doing, Error error) {
    error.what.insert(0, ": ").insert(0, doing);
    return error;
}

Error from_error_code(std::string_view doing, std::error_code code) {
    const auto kind = [&] {
        if (code == std::errc::no_such_file_or_directory || code == std::errc::no_such_process)
            return ErrorKind::NotFound;
        if (code == std::errc::permission_denied || code == std::errc::operation_not_permitted ||
            code == std::errc::read_only_file_system)
            return ErrorKind::Denied;
        if (code == std::errc::file_exists || code == std::errc::address_in_use) return ErrorKind::Conflict;
        if (code == std::errc::timed_out) return ErrorKind::Timeout;
        if (code == std::errc::connection_refused || code == std::errc::connection_reset ||
            code == std::errc::broken_pipe || code == std::errc::host_unreachable ||
            code == std::errc::network_unreachable || code == std::errc::no_space_on_device) {
            return ErrorKind::Unavailable;
        }
        return ErrorKind::Internal;
    }();
    return Error{.kind = kind, .what = std::string(doing) + ": " + code.message(), .cause = code};
}

Error from_errno(std::string_view doing) {
    return from_error_code(doing, std::error_code(errno, std::generic_category()));
}

void throw_exception_from_error(const Error& error, const boost::source_location&) {
    throw std::runtime_error(error.what);
}

}  // namespace nodeagent
