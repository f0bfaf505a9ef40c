#include "runtime/logs/service.hpp"

#include <algorithm>
#include <array>

#include "agent/base/json.hpp"
#include "agent/net/aws_endpoint.hpp"
#include "agent/net/sigv4.hpp"

namespace nodeagent::runtime::logs {
namespace {

constexpr std::chrono::milliseconds kCall{20'000};

struct ErrorAnswer {
    std::string type;
    std::string message;
    std::string expected;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("__type", &ErrorAnswer::type),
                          optional_field("message", &ErrorAnswer::message),
                          optional_field("expectedSequenceToken", &ErrorAnswer::expected)};
    }
};

std::string option_of(const LoggerConfig& config, const std::string& key) {
    const auto found = config.options.find(key);
    return found == config.options.end() ? std::string() : found->second;
}

// "com.amazonaws.logs#ThrottlingException", "ThrottlingException:http://..."
std::string bare_code(std::string_view code) {
    code = code.substr(0, code.find(':'));
    if (const std::size_t mark = code.rfind('#'); mark != std::string_view::npos) code.remove_prefix(mark + 1);
    return std::string(code);
}

}  // namespace

Result<ServicePlace> service_place(const LoggerConfig& config) {
    ServicePlace out;
    out.region = option_of(config, "awslogs-region");
    if (out.region.empty()) out.region = config.region;
    if (out.region.empty())
        return Error{.kind = ErrorKind::Malformed, .what = "cannot determine region for awslogs driver"};
    net::EndpointOptions options;
    options.explicit_url = option_of(config, "awslogs-endpoint");
    options.service_url = config.endpoint;
    out.endpoint = net::resolve_endpoint("logs", out.region, options);
    out.user_agent = config.user_agent.empty() ? "ecs-awslogs/" NODEAGENT_VERSION : config.user_agent;
    out.format = option_of(config, "awslogs-format");
    return out;
}

bool ServiceReply::hopeless() const {
    constexpr std::array kHopeless{"InvalidParameterException", "SerializationException", "ValidationException",
                                   "RequestEntityTooLarge"};
    return !ok && (status == 413 ||
                   std::any_of(kHopeless.begin(), kHopeless.end(), [&](const char* one) { return code == one; }));
}

bool ServiceReply::not_trusted() const {
    constexpr std::array kRefused{"ExpiredTokenException",       "ExpiredToken",
                                  "UnrecognizedClientException", "InvalidSignatureException",
                                  "InvalidClientTokenId",        "MissingAuthenticationTokenException",
                                  "IncompleteSignatureException"};
    return !ok && std::any_of(kRefused.begin(), kRefused.end(), [&](const char* one) { return code == one; });
}

ServiceReply LogsService::call(std::string_view operation, std::string_view body) {
    ServiceReply reply;
    auto keys = credentials_.get();
    if (!keys) {
        reply.what = keys.error().what;
        return reply;
    }
    net::SigningRequest signing;
    signing.method = "POST";
    signing.url = place_.endpoint + "/";
    signing.headers = {{"Content-Type", "application/x-amz-json-1.1"},
                       {"X-Amz-Target", "Logs_20140328." + std::string(operation)}};
    if (operation == "PutLogEvents" && !place_.format.empty()) {
        signing.headers.emplace_back("x-amzn-logs-format", place_.format);
    }
    signing.payload_hash = net::sha256_hex(body);
    net::SigningContext context;
    context.region = place_.region;
    context.service = "logs";
    context.time = std::chrono::system_clock::now();
    SimpleRequest request;
    request.method = "POST";
    request.url = signing.url;
    request.headers = signing.headers;
    for (auto& header : net::sign_headers(signing, *keys, context)) request.headers.push_back(std::move(header));
    request.headers.emplace_back("User-Agent", place_.user_agent);
    request.body = body;
    request.timeout = kCall;
    auto answer = http_.send(request);
    if (!answer) {
        reply.what = std::string(operation) + ": " + answer.error().what;
        return reply;
    }
    reply.status = answer->status;
    if (answer->status / 100 == 2) {
        reply.ok = true;
        reply.body = std::move(answer->body);
        return reply;
    }
    const auto told = decode<ErrorAnswer>(answer->body);
    reply.code = bare_code(answer->headers["x-amzn-errortype"]);
    if (told) {
        if (reply.code.empty()) reply.code = bare_code(told->type);
        reply.expected_token = told->expected;
    }
    reply.what =
        std::string(operation) + ": " + (reply.code.empty() ? "status " + std::to_string(reply.status) : reply.code);
    if (told && !told->message.empty()) reply.what += ": " + told->message.substr(0, 512);
    if (reply.not_trusted()) credentials_.invalidate();
    return reply;
}

}  // namespace nodeagent::runtime::logs
