#include "metadata/credentials_endpoint.hpp"

#include "metadata/go_json.hpp"

namespace nodeagent::metadata {

namespace {

Response refusal(int version, unsigned status, std::string_view code, std::string_view what) {
    JsonWriter out;
    out.begin_object();
    out.member("code", code);
    out.member("message", "CredentialsV" + std::to_string(version) + "Request: " + std::string(what));
    out.member("HTTPErrorCode", status);
    out.end_object();
    return json_response(std::move(out).text(), status);
}

}  // namespace

CredentialsReply credentials_reply(const credentials::Registry& registry, int version,
                                   const std::string& credentials_id) {
    if (credentials_id.empty()) {
        return {.response = refusal(version, 400, "NoIdInRequest", "No Credential ID in the request"),
                .granted = nullptr};
    }
    auto granted = registry.get(credentials_id);
    if (granted == nullptr) {
        const bool awaited = registry.known(credentials_id);
        return {.response = awaited
                                ? refusal(version, 503, "CredentialsUninitialized", "Credentials uninitialized for ID")
                                : refusal(version, 400, "InvalidIdInRequest", "Credentials not found"),
                .granted = nullptr};
    }
    JsonWriter out;
    out.begin_object();
    out.member("RoleArn", granted->role.role_arn);
    out.member("AccessKeyId", granted->role.access_key_id);
    out.member("SecretAccessKey", granted->role.secret_access_key.reveal());
    out.member("Token", granted->role.session_token.reveal());
    out.member("Expiration", granted->role.expiration);
    out.end_object();
    return {.response = json_response(std::move(out).text()), .granted = std::move(granted)};
}

}  // namespace nodeagent::metadata
