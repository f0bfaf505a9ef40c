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

Response document(const model::RoleCredentials& role) {
    JsonWriter out;
    out.begin_object();
    out.member("RoleArn", role.role_arn);
    out.member("AccessKeyId", role.access_key_id);
    out.member("SecretAccessKey", role.secret_access_key.reveal());
    out.member("Token", role.session_token.reveal());
    out.member("Expiration", role.expiration);
    out.end_object();
    return json_response(std::move(out).text());
}

}  // namespace

CredentialsReply credentials_reply(const credentials::Registry& registry, int version,
                                   const std::string& credentials_id) {
    if (credentials_id.empty()) {
        return {.response = refusal(version, 400, "NoIdInRequest", "No Credential ID in the request"),
                .granted = nullptr};
    }
    // What an unknown id is not given is written all the same, so that it takes as long as a known one.
    using Standing = credentials::Registry::Standing;
    credentials::Registry::Found found = registry.find(credentials_id);
    Response granted = document(found.role->role);
    Response awaited = refusal(version, 503, "CredentialsUninitialized", "Credentials uninitialized for ID");
    Response unknown = refusal(version, 400, "InvalidIdInRequest", "Credentials not found");
    switch (found.standing) {
        case Standing::Granted: return {.response = std::move(granted), .granted = std::move(found.role)};
        case Standing::Awaited: return {.response = std::move(awaited), .granted = nullptr};
        case Standing::Unknown: break;
    }
    return {.response = std::move(unknown), .granted = nullptr};
}

}  // namespace nodeagent::metadata
