#pragma once
// The JSON in which metadata services and processes hand over credentials.

#include <string>
#include <string_view>

#include "agent/base/error.hpp"
#include "agent/credentials/provider.hpp"

namespace nodeagent::credentials {

struct AnswerKeys {
    std::string_view token = "Token";  ///< "SessionToken" from a process
};

/// Malformed when it is no such document or has no key id and secret; Denied when it carries a Code other than
/// "Success" or a Message instead. Error texts hold none of the values.
[[nodiscard]] Result<AwsCredentials> parse_answer(std::string_view text, std::string source, AnswerKeys keys = {});

}  // namespace nodeagent::credentials
