// Any bytes wherever credentials come from: ACS, a metadata service or process, the INI files of the AWS tools. With a
// secret put in its place no error says it.
#include <variant>

#include "agent/base/json.hpp"
#include "agent/credentials/answer.hpp"
#include "agent/credentials/profile.hpp"
#include "agent/model/acs_messages.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace nodeagent;
using fuzz::require;
using fuzz::require_no_secret;

std::string frame_of(std::string_view message) {
    return R"({"type":"IAMRoleCredentialsMessage","message":)" + std::string(message) + "}";
}

void check_message(std::string_view body) {
    auto document = parse_json(body);
    const auto plain = model::decode_acs_frame(frame_of(body));
    if (plain && document) {
        const auto* decoded = std::get_if<model::IamRoleCredentialsMessage>(&*plain);
        if (decoded != nullptr) {
            const std::string once = encode(*decoded);
            const auto again = decode<model::IamRoleCredentialsMessage>(once);
            require(again.has_value() && encode(*again) == once, "decoding what was encoded gives the same");
        }
    }
    if (!document || !document->is_object()) return;
    const auto role = document->find("roleCredentials");
    if (role == document->end() || !role->is_object()) return;
    for (const char* name : {"secretAccessKey", "sessionToken"}) (*role)[name] = fuzz::kSecret;
    const auto message = model::decode_acs_frame(frame_of(dump_json(*document)));
    if (!message) require_no_secret(message.error().what, "no error of a credentials message holds a secret");
}

void check_answer(std::string_view text) {
    const auto check = [](std::string_view one) {
        const auto credentials = credentials::parse_answer(one, "fuzz");
        if (!credentials) {
            require(credentials.error().what.starts_with("fuzz: "), "an error names its source");
            require_no_secret(credentials.error().what, "no error of an answer holds a secret");
            return;
        }
        require(!credentials->access_key_id.empty() && !credentials->secret_access_key.empty(),
                "credentials that are taken are whole");
    };
    check(text);
    auto document = parse_json(text);
    if (!document || !document->is_object()) return;
    for (const char* name : {"SecretAccessKey", "Token"}) (*document)[name] = fuzz::kSecret;
    check(dump_json(*document));
}

void check_profile(std::string_view text) {
    using credentials::ProfileFile;
    for (const ProfileFile kind : {ProfileFile::Credentials, ProfileFile::Config}) {
        const auto profile = credentials::find_profile(text, "default", kind);
        if (!profile) continue;
        for (const auto& [key, value] : *profile) {
            require(!key.empty() && key.find('\n') == std::string::npos && value.find('\n') == std::string::npos,
                    "a key and its value are of one line", key);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = fuzz::text_of(bytes, size);
    if (fuzz::holds_secret(text)) return 0;
    check_message(text);
    check_answer(text);
    check_profile(text);
    return 0;
}
