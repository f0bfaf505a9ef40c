#include "agent/local/fixtures.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::local {
namespace {

constexpr std::string_view kSsm = "AmazonSSM.";
constexpr std::string_view kSecretsManager = "secretsmanager.";
constexpr std::string_view kEcr = "AmazonEC2ContainerRegistry_V20150921.";
constexpr std::size_t kNamesAtMost = 10;
constexpr std::size_t kSuffixLength = 7;  // "-AbCdEf", which Secrets Manager adds to names in ARNs
constexpr std::chrono::hours kTokenLifetime{12};

bool exists(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0;
}

ApiError denied(std::string_view action, const std::string& what) {
    return access_denied("User is not authorized to perform: " + std::string(action) + " on resource: " + what);
}

std::string text_of(const Json& document, const char* name) {
    const auto found = document.find(name);
    return found != document.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// "/a/b" of a parameter's name, with ":version" or as ARN.
std::string parameter_name(const std::string& asked) {
    constexpr std::string_view kResource = ":parameter";
    std::string name = asked;
    if (name.starts_with("arn:")) {
        const std::size_t at = name.find(kResource);
        if (at != std::string::npos) name.erase(0, at + kResource.size());
    }
    return name.substr(0, name.find(':'));
}

bool has_stage(const Json& version, const std::string& stage) {
    const auto stages = version.find("VersionStages");
    if (stages == version.end() || !stages->is_array()) return stage == "AWSCURRENT";
    return std::any_of(stages->begin(), stages->end(), [&](const Json& one) { return one == stage; });
}

/// The version a request means; nullptr when there is none.
const Json* version_of(const Json& secret, const std::string& id, std::string stage) {
    if (id.empty() && stage.empty()) stage = "AWSCURRENT";
    const auto fits = [&](const Json& version) {
        return version.is_object() && (id.empty() || text_of(version, "VersionId") == id) &&
               (stage.empty() || has_stage(version, stage));
    };
    const auto versions = secret.find("Versions");
    if (versions == secret.end() || !versions->is_array()) return fits(secret) ? &secret : nullptr;
    const auto found = std::find_if(versions->begin(), versions->end(), fits);
    return found == versions->end() ? nullptr : &*found;
}

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            default: out += c;
        }
    }
    return out;
}

}  // namespace

std::string_view Fixtures::service_of(std::string_view target) {
    if (target.starts_with(kSsm)) return "ssm";
    if (target.starts_with(kSecretsManager)) return "secretsmanager";
    if (target.starts_with(kEcr)) return "ecr";
    return {};
}

Fixtures::File Fixtures::read(const std::string& name) const {
    const std::vector<std::string_view> segments = split(name, '/');
    const bool leaves = std::any_of(segments.begin(), segments.end(), [](std::string_view s) { return s == ".."; });
    if (directory_.empty() || leaves || name.find('\0') != std::string::npos) return {};
    const std::string path = directory_ + "/" + name;
    if (exists(path + ".denied")) return {Access::Denied, {}};
    Result<std::string> content = read_file(path);
    if (!content) return {};
    return {Access::Granted, *std::move(content)};
}

ApiResult Fixtures::answer(std::string_view target, std::string_view body, WallTime now) const {
    const auto request = parse_json(body.empty() ? "{}" : body);
    if (!request || !request->is_object()) return serialization_error("the request must be a JSON object");
    if (!directory_.empty()) {
        if (target == "AmazonSSM.GetParameters") return get_parameters(*request);
        if (target == "secretsmanager.GetSecretValue") return get_secret_value(*request);
        if (target == "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken") return get_authorization_token(now);
    }
    return ApiError{.code = "UnknownOperationException",
                    .message = "ecs-local does not serve " + std::string(target) +
                               (directory_.empty() ? " without --fixtures." : ".")};
}

ApiResult Fixtures::get_parameters(const Json& request) const {
    const auto names = request.find("Names");
    if (names == request.end() || !names->is_array() || names->empty() || names->size() > kNamesAtMost) {
        return ApiError{.code = "ValidationException",
                        .message =
                            "1 validation error detected: Value at 'names' failed to satisfy constraint: Member "
                            "must have length between 1 and 10"};
    }
    Reply reply;
    reply.body["Parameters"] = OrderedJson::array();
    reply.body["InvalidParameters"] = OrderedJson::array();
    for (const Json& asked : *names) {
        if (!asked.is_string()) return serialization_error("Names: expected strings");
        const std::string name = parameter_name(asked.get<std::string>());
        const std::string relative = name.substr(std::min(name.find_first_not_of('/'), name.size()));
        File file = read("ssm/" + relative);
        const std::string arn = make_arn_of("ssm", identity_, "parameter/" + relative);
        if (file.access == Access::Denied) return denied("ssm:GetParameters", arn);
        if (file.access == Access::Missing) {
            reply.body["InvalidParameters"].push_back(asked.get<std::string>());
            continue;
        }
        if (file.content.ends_with('\n')) file.content.pop_back();
        OrderedJson parameter;
        parameter["Name"] = asked.get<std::string>().starts_with("arn:") ? asked.get<std::string>() : name;
        parameter["Type"] = "SecureString";
        parameter["Value"] = file.content;
        parameter["Version"] = 1;
        parameter["ARN"] = arn;
        reply.body["Parameters"].push_back(std::move(parameter));
    }
    return reply;
}

ApiResult Fixtures::get_secret_value(const Json& request) const {
    const std::string id = text_of(request, "SecretId");
    constexpr std::string_view kResource = ":secret:";
    const bool by_arn = id.starts_with("arn:");
    std::string name =
        by_arn && id.find(kResource) != std::string::npos ? id.substr(id.find(kResource) + kResource.size()) : id;
    File file = read("secretsmanager/" + name + ".json");
    if (file.access == Access::Missing && name.size() > kSuffixLength && name[name.size() - kSuffixLength] == '-') {
        name.resize(name.size() - kSuffixLength);
        file = read("secretsmanager/" + name + ".json");
    }
    if (file.access == Access::Denied) return denied("secretsmanager:GetSecretValue", id);
    const ApiError missing{.code = "ResourceNotFoundException",
                           .message = "Secrets Manager can't find the specified secret."};
    if (file.access == Access::Missing || name.empty()) return missing;
    const auto secret = parse_json(file.content);
    const auto broken = [&](std::string_view how) {
        return ApiError{.code = "InternalServiceError",
                        .message = "secretsmanager/" + name + ".json of the fixtures " + std::string(how),
                        .status = 500};
    };
    if (!secret || !secret->is_object()) return broken("is no JSON object");
    const Json* version = version_of(*secret, text_of(request, "VersionId"), text_of(request, "VersionStage"));
    if (version == nullptr) {
        return ApiError{.code = "ResourceNotFoundException",
                        .message = "Secrets Manager can't find the specified secret value for the version asked for."};
    }
    const auto value = version->find("SecretString");
    if (value == version->end()) return broken("has no SecretString");
    Reply reply;
    reply.body["ARN"] = by_arn ? id : make_arn_of("secretsmanager", identity_, "secret:" + name);
    reply.body["Name"] = name;
    reply.body["SecretString"] = value->is_string() ? value->get<std::string>() : dump_json(*value);
    return reply;
}

ApiResult Fixtures::get_authorization_token(WallTime now) const {
    const File file = read("ecr.json");
    if (file.access == Access::Denied) return denied("ecr:GetAuthorizationToken", "*");
    const auto registry = parse_json(file.access == Access::Granted ? file.content : "");
    if (!registry || !registry->is_object()) {
        return ApiError{.code = "ServerException",
                        .message = "ecr.json of the fixtures is missing or no JSON object",
                        .status = 500};
    }
    OrderedJson data;
    data["authorizationToken"] = base64_encode(text_of(*registry, "username") + ":" + text_of(*registry, "password"));
    data["expiresAt"] = epoch_seconds(now + kTokenLifetime);
    data["proxyEndpoint"] = text_of(*registry, "proxyEndpoint");
    Reply reply;
    reply.body["authorizationData"] = OrderedJson::array({std::move(data)});
    return reply;
}

Fixtures::Object Fixtures::s3_error(unsigned status, std::string_view code, std::string_view message) {
    return {.status = status,
            .body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + escaped(code) + "</Code><Message>" +
                    escaped(message) + "</Message></Error>",
            .xml = true};
}

Fixtures::Object Fixtures::s3(std::string_view target) const {
    const std::size_t question = target.find('?');
    const std::string path = percent_decode(target.substr(0, question)).value_or("/");
    const std::string_view query =
        question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
    const std::size_t slash = path.find('/', 1);
    const std::string bucket = path.substr(1, slash == std::string::npos ? slash : slash - 1);
    const std::string key = slash == std::string::npos ? std::string() : path.substr(slash + 1);
    if (directory_.empty() || bucket.empty() || bucket == ".." || !exists(directory_ + "/s3/" + bucket)) {
        return s3_error(404, "NoSuchBucket", "The specified bucket does not exist");
    }
    if (key.empty() && query.starts_with("location")) {
        const std::string region = identity_.region == "us-east-1" ? std::string() : identity_.region;
        return {.status = 200,
                .body =
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint "
                    "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
                    region + "</LocationConstraint>",
                .xml = true};
    }
    File file = key.empty() ? File{} : read("s3/" + bucket + "/" + key);
    if (file.access == Access::Denied) return s3_error(403, "AccessDenied", "Access Denied");
    if (file.access == Access::Missing) return s3_error(404, "NoSuchKey", "The specified key does not exist.");
    return {.status = 200, .body = std::move(file.content), .xml = false};
}

}  // namespace nodeagent::local
