#include "agent/engine/resources/asm_secrets.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <utility>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/together.hpp"
#include "agent/engine/spec/secret_values.hpp"

namespace nodeagent::engine {

namespace {

constexpr ServiceName kSecretsManager{"Secrets Manager", "secrets_manager", "secretsmanager", "secretsmanager"};
constexpr std::size_t kArnParts = 6;

struct GetSecretValueAnswer {
    Secret secret_string;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("SecretString", &GetSecretValueAnswer::secret_string)};
    }
};

Error malformed(std::string what) { return {.kind = ErrorKind::Malformed, .what = std::move(what), .cause = {}}; }

/// A number as Go's %v prints a float64: exponents from 1e21 on and below 1e-4, at least two digits in them.
std::string go_number(double value) {
    std::array<char, 64> digits{};
    const double magnitude = std::fabs(value);
    const bool exponent = magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e21);
    const auto format = exponent ? std::chars_format::scientific : std::chars_format::fixed;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, format);
    return {digits.data(), end.ptr};
}

std::string go_text(const Json& value) {
    switch (value.type()) {
        case Json::value_t::string: return value.get<std::string>();
        case Json::value_t::boolean: return value.get<bool>() ? "true" : "false";
        case Json::value_t::number_integer:
        case Json::value_t::number_unsigned:
        case Json::value_t::number_float: return go_number(value.get<double>());
        case Json::value_t::array: {
            std::vector<std::string> items;
            for (const Json& item : value) items.push_back(go_text(item));
            return "[" + join(items, " ") + "]";
        }
        case Json::value_t::object: {
            std::vector<std::string> items;
            for (const auto& [key, item] : value.items()) items.push_back(key + ":" + go_text(item));
            return "map[" + join(items, " ") + "]";
        }
        default: return "<nil>";
    }
}

bool is_modelled(const net::ServiceError& error) {
    constexpr std::array<std::string_view, 5> kCodes{"DecryptionFailure", "InternalServiceError",
                                                     "InvalidParameterException", "InvalidRequestException",
                                                     "ResourceNotFoundException"};
    return std::any_of(kCodes.begin(), kCodes.end(), [&](std::string_view code) { return error.is(code); });
}

std::string failure_text(const net::ServiceError& error) {
    return sdk_failure(kSecretsManager.sdk, "GetSecretValue", error, is_modelled(error));
}

asio::awaitable<net::ServiceResult<std::string>> get_secret_value(const ServiceAccess& access, std::string region,
                                                                  credentials::AwsCredentials signer,
                                                                  SecretReference reference) {
    Json request = Json::object();
    request["SecretId"] = reference.secret_id;
    if (!reference.version_stage.empty()) request["VersionStage"] = reference.version_stage;
    if (!reference.version_id.empty()) request["VersionId"] = reference.version_id;
    net::ServiceResult<std::string> answer = co_await call_service(
        access, kSecretsManager, std::move(region), std::move(signer), "GetSecretValue", dump_json(request));
    co_return answer;
}

Result<Secret> secret_string(std::string_view body) {
    Result<GetSecretValueAnswer> answer = decode<GetSecretValueAnswer>(body);
    if (!answer) return malformed("the answer of GetSecretValue is not the JSON expected");
    return std::move(answer->secret_string);
}

struct Fetch {
    model::ContainerSecret secret;
    Result<Secret> value;
};

asio::awaitable<Result<Secret>> fetch_value(const ServiceAccess& access, credentials::AwsCredentials signer,
                                            model::ContainerSecret secret) {
    const Result<SecretReference> reference = parse_secret_reference(secret.value_from);
    if (!reference) {
        co_return malformed("trying to retrieve secret with value " + secret.value_from +
                            " resulted in error: " + reference.error().what);
    }
    net::ServiceResult<std::string> answer =
        co_await get_secret_value(access, secret.region, std::move(signer), *reference);
    if (!answer) {
        const std::string cause = failure_text(answer.error());
        const std::string& id = reference->secret_id;
        std::string text = "secret " + id + ": " + cause + ": " + cause;
        if (answer.error().is("ResourceNotFoundException")) {
            text = "ResourceNotFoundException: The task can't retrieve the secret with ARN '" + id +
                   "' from AWS Secrets Manager. Check whether the secret exists in the specified Region: " + cause;
        }
        co_return Error{.kind = answer.error().kind, .what = std::move(text)};
    }
    Result<Secret> text = secret_string(*answer);
    if (!text || reference->json_key.empty()) co_return text;
    co_return json_member(*text, reference->json_key);
}

asio::awaitable<void> fetch_into(const ServiceAccess& access, credentials::AwsCredentials signer, Fetch& fetch) {
    model::ContainerSecret secret = fetch.secret;
    Result<Secret> value = co_await fetch_value(access, std::move(signer), std::move(secret));
    fetch.value = std::move(value);
}

}  // namespace

Result<SecretReference> parse_secret_reference(std::string_view value_from) {
    const std::vector<std::string_view> parts = split(value_from, ':');
    if (parts.size() < kArnParts || parts[0] != "arn") {
        return malformed(parts[0] == "arn" ? "arn: not enough sections" : "arn: invalid prefix");
    }
    const std::size_t resource = parts.size() - (kArnParts - 1);  // "secret:<id>", or with three more
    SecretReference reference;
    if (resource == 2) {
        reference.secret_id = value_from;
        return reference;
    }
    if (resource != 5) {
        return malformed(
            "an invalid ARN format for the AWS Secrets Manager secret was specified. Specify a valid ARN and try "
            "again.");
    }
    const std::size_t length = static_cast<std::size_t>(parts[6].data() + parts[6].size() - value_from.data());
    reference.secret_id = value_from.substr(0, length);
    reference.json_key = parts[7];
    reference.version_stage = parts[8];
    reference.version_id = parts[9];
    return reference;
}

Result<Secret> json_member(const Secret& text, const std::string& key) {
    const Result<Json> document = parse_json(text.reveal());
    if (!document || !document->is_object()) {
        return malformed("the secret's value is not a JSON object, so that it has no key " + key);
    }
    const auto member = document->find(key);
    if (member == document->end()) {
        return malformed("retrieved secret from Secrets Manager did not contain json key " + key);
    }
    return Secret(go_text(*member));
}

Result<runtime::RegistryAuth> parse_registry_credentials(const Secret& text) {
    if (text.empty()) return malformed("asm fetching authorization data: empty secrets value");
    const Result<Json> document = parse_json(text.reveal());
    const Json* username = nullptr;
    const Json* password = nullptr;
    const bool object = document && document->is_object();
    if (object) {
        username = json_detail::member(*document, "username");
        password = json_detail::member(*document, "password");
    }
    if (!object || (username != nullptr && !username->is_string()) || (password != nullptr && !password->is_string())) {
        return malformed("asm fetching authorization data: unable to unmarshal secret value, invalid schema");
    }
    runtime::RegistryAuth auth;
    if (username != nullptr) auth.username = username->get<std::string>();
    if (password != nullptr) auth.password = Secret(password->get<std::string>());
    if (auth.username.empty()) return malformed("asm fetching username: AuthorizationData is malformed, empty field");
    if (auth.password.empty()) return malformed("asm fetching password: AuthorizationData is malformed, empty field");
    return auth;
}

asio::awaitable<Result<std::map<std::string, Secret>>> fetch_asm_secrets(const ServiceAccess& access,
                                                                         std::shared_ptr<const model::Task> task,
                                                                         credentials::AwsCredentials signer) {
    std::vector<Fetch> fetches;
    std::set<std::string> seen;
    for (const model::Container& container : task->containers) {
        for (const model::ContainerSecret& secret : container.secrets) {
            if (secret.provider == "asm" && seen.insert(secret_key(secret)).second)
                fetches.push_back({secret, Secret()});
        }
    }
    std::vector<asio::awaitable<void>> calls;
    calls.reserve(fetches.size());
    for (Fetch& fetch : fetches) calls.push_back(fetch_into(access, signer, fetch));
    co_await together(std::move(calls));
    std::map<std::string, Secret> values;
    std::vector<std::string> failures;
    for (Fetch& fetch : fetches) {
        if (fetch.value) {
            values.insert_or_assign(secret_key(fetch.secret), std::move(*fetch.value));
        } else {
            failures.push_back(fetch.value.error().what);
        }
    }
    if (!failures.empty()) co_return Error{.kind = ErrorKind::Unavailable, .what = join(failures, ";")};
    co_return values;
}

asio::awaitable<Result<std::map<std::string, runtime::RegistryAuth>>> fetch_registry_credentials(
    const ServiceAccess& access, std::shared_ptr<const model::Task> task, credentials::AwsCredentials signer) {
    std::map<std::string, runtime::RegistryAuth> all;
    for (const model::Container& container : task->containers) {
        const auto& auth = container.registry_authentication;
        if (!auth || auth->type != "asm" || !auth->asm_auth_data) continue;
        const std::string id = auth->asm_auth_data->credentials_parameter;
        if (all.contains(id)) continue;
        SecretReference whole;
        whole.secret_id = id;
        credentials::AwsCredentials own = signer;
        net::ServiceResult<std::string> answer =
            co_await get_secret_value(access, auth->asm_auth_data->region, std::move(own), std::move(whole));
        if (!answer) {
            co_return Error{
                .kind = answer.error().kind,
                .what = "asm fetching secret from the service for " + id + ": " + failure_text(answer.error())};
        }
        const Result<Secret> text = secret_string(*answer);
        if (!text) co_return text.error();
        Result<runtime::RegistryAuth> parsed = parse_registry_credentials(*text);
        if (!parsed) co_return std::move(parsed).error();
        all.emplace(id, std::move(*parsed));
    }
    co_return all;
}

}  // namespace nodeagent::engine
