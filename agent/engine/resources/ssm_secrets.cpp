#include "agent/engine/resources/ssm_secrets.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/together.hpp"
#include "agent/engine/spec/secret_values.hpp"

namespace nodeagent::engine {

namespace {

constexpr ServiceName kSsm{"SSM", "ssm", "ssm", "AmazonSSM"};
constexpr std::size_t kNamesPerCall = 10;

struct Parameter {
    std::string name, arn, selector;
    Secret value;
    static constexpr auto json_fields() {
        using T = Parameter;
        return std::tuple{optional_field("Name", &T::name), optional_field("ARN", &T::arn),
                          optional_field("Selector", &T::selector), optional_field("Value", &T::value)};
    }
};

struct GetParametersAnswer {
    std::vector<Parameter> parameters;
    std::vector<std::string> invalid;
    static constexpr auto json_fields() {
        using T = GetParametersAnswer;
        return std::tuple{optional_field("Parameters", &T::parameters),
                          optional_field("InvalidParameters", &T::invalid)};
    }
};

/// Services differ in whether they answer a question by ARN with the ARN or the name.
bool answers(const Parameter& parameter, const std::string& asked) {
    if (parameter.name == asked || parameter.name + parameter.selector == asked) return true;
    return !parameter.arn.empty() && (parameter.arn == asked || parameter.arn + parameter.selector == asked);
}

struct Batch {
    std::string region;
    std::vector<std::string> names;
    Result<std::map<std::string, Secret>> values;
};

asio::awaitable<void> fetch(const ServiceAccess& access, credentials::AwsCredentials signer, Batch& batch) {
    Json request = Json::object();
    request["Names"] = batch.names;
    request["WithDecryption"] = true;
    net::ServiceResult<std::string> answer =
        co_await call_service(access, kSsm, batch.region, std::move(signer), "GetParameters", dump_json(request));
    if (answer) {
        batch.values = parse_parameters(batch.names, *answer);
        co_return;
    }
    const net::ServiceError& error = answer.error();
    const bool modelled = error.is("InternalServerError") || error.is("InvalidKeyId");
    batch.values = Error{.kind = error.kind, .what = sdk_failure(kSsm.sdk, "GetParameters", error, modelled)};
}

std::vector<Batch> batches_of(const model::Task& task) {
    std::map<std::string, std::vector<std::string>> by_region;
    std::set<std::string> seen;
    for (const model::Container& container : task.containers) {
        for (const model::ContainerSecret& secret : container.secrets) {
            if (secret.provider != "ssm" || !seen.insert(secret_key(secret)).second) continue;
            by_region[secret.region].push_back(secret.value_from);
        }
    }
    std::vector<Batch> batches;
    for (const auto& [region, names] : by_region) {
        for (std::size_t at = 0; at < names.size(); at += kNamesPerCall) {
            const auto begin = names.begin() + static_cast<std::ptrdiff_t>(at);
            const auto end = begin + static_cast<std::ptrdiff_t>(std::min(kNamesPerCall, names.size() - at));
            batches.push_back({region, {begin, end}, std::map<std::string, Secret>{}});
        }
    }
    return batches;
}

}  // namespace

Result<std::map<std::string, Secret>> parse_parameters(const std::vector<std::string>& names, std::string_view body) {
    const Result<GetParametersAnswer> answer = decode<GetParametersAnswer>(body);
    if (!answer) {  // its text may quote the answer
        return Error{.kind = ErrorKind::Malformed, .what = "the answer of GetParameters is not the JSON expected"};
    }
    if (!answer->invalid.empty()) {
        return Error{.kind = ErrorKind::NotFound, .what = "invalid parameters: " + join(answer->invalid, ",")};
    }
    std::map<std::string, Secret> values;
    for (const std::string& name : names) {
        const auto found = std::find_if(answer->parameters.begin(), answer->parameters.end(),
                                        [&](const Parameter& parameter) { return answers(parameter, name); });
        if (found != answer->parameters.end()) values.emplace(name, found->value);
    }
    return values;
}

asio::awaitable<Result<std::map<std::string, Secret>>> fetch_ssm_secrets(const ServiceAccess& access,
                                                                         std::shared_ptr<const model::Task> task,
                                                                         credentials::AwsCredentials signer) {
    std::vector<Batch> batches = batches_of(*task);
    std::vector<asio::awaitable<void>> calls;
    calls.reserve(batches.size());
    for (Batch& batch : batches) calls.push_back(fetch(access, signer, batch));
    co_await together(std::move(calls));
    std::map<std::string, Secret> all;
    for (Batch& batch : batches) {
        if (!batch.values) {
            co_return with_context("fetching secret data from SSM Parameter Store in " + batch.region,
                                   batch.values.error());
        }
        for (auto& [name, value] : *batch.values) all.insert_or_assign(name + "_" + batch.region, std::move(value));
    }
    co_return all;
}

}  // namespace nodeagent::engine
