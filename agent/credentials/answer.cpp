#include "agent/credentials/answer.hpp"

#include <utility>

#include "agent/base/json.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::credentials {

namespace {

std::string word(const Json& document, std::string_view name) {
    const Json* member = json_detail::member(document, name);
    return member != nullptr && member->is_string() ? member->get<std::string>() : std::string();
}

}  // namespace

Result<AwsCredentials> parse_answer(std::string_view text, std::string source, AnswerKeys keys) {
    const Result<Json> document = parse_json(text);
    if (!document) return with_context(source, document.error());
    if (!document->is_object()) return Error{.kind = ErrorKind::Malformed, .what = source + ": expected a JSON object"};

    const std::string code = word(*document, "Code");
    if (!code.empty() && code != "Success") {
        const std::string message = word(*document, "Message");
        return Error{.kind = ErrorKind::Denied, .what = source + ": " + code + (message.empty() ? "" : ": " + message)};
    }
    AwsCredentials credentials;
    credentials.access_key_id = word(*document, "AccessKeyId");
    credentials.secret_access_key = Secret(word(*document, "SecretAccessKey"));
    credentials.session_token = Secret(word(*document, keys.token));
    if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = source + ": no AccessKeyId and SecretAccessKey in the answer"};
    }
    const std::string expiration = word(*document, "Expiration");
    if (!expiration.empty()) {
        credentials.expires_at = parse_rfc3339(expiration);
        if (!credentials.expires_at) {
            return Error{.kind = ErrorKind::Malformed, .what = source + ": Expiration is no RFC 3339 time"};
        }
    }
    credentials.source = std::move(source);
    return credentials;
}

}  // namespace nodeagent::credentials
