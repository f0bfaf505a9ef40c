#pragma once
// Expected failures are values: an Error inside a Result. Exceptions stay in the adapter that meets a throwing library.
// Contract of Result: `if (!r)` first; `*r` and `r->` are unchecked; `std::move(r).error()` hands the Error on.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <boost/system/result.hpp>

namespace nodeagent {

/// What callers may act on. Everything else about a failure is for people, in Error::what.
enum class ErrorKind : std::uint8_t {
    Malformed,    ///< input that cannot be understood; retrying the same input cannot help
    NotFound,     ///< the named thing does not exist
    Conflict,     ///< it exists already, or is in a state that forbids the request
    Denied,       ///< credentials missing, expired or insufficient
    Throttled,    ///< the peer asks us to slow down
    Timeout,      ///< no answer in time; the request may or may not have had its effect
    Unavailable,  ///< the peer cannot be reached or cannot serve now
    Internal,     ///< anything else
};

inline constexpr std::array kErrorKinds{ErrorKind::Malformed,   ErrorKind::NotFound,  ErrorKind::Conflict,
                                        ErrorKind::Denied,      ErrorKind::Throttled, ErrorKind::Timeout,
                                        ErrorKind::Unavailable, ErrorKind::Internal};
[[nodiscard]] std::string_view to_string(ErrorKind kind);

struct Error {
    ErrorKind kind = ErrorKind::Internal;
    std::string what;         ///< lower case, no full stop: "pull nginx:1.27: manifest unknown"
    std::error_code cause{};  ///< errno, Asio, OpenSSL or curl code when there was one
};

/// Either a T or an Error. `return Error{...};` and `return value;` both convert.
template <class T>
using Result = boost::system::result<T, Error>;

/// Prefixes a verb phrase: with_context("load configuration", e) -> "load configuration: <what>".
[[nodiscard]] Error with_context(std::string_view doing, Error error);

/// An Error of the kind that fits an errno-like code; what = "<doing>: <message of code>".
[[nodiscard]] Error from_error_code(std::string_view doing, std::error_code code);
[[nodiscard]] Error from_errno(std::string_view doing);

/// Only instantiated by Result::value(), which throws; we test results instead.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& where);

}  // namespace nodeagent
