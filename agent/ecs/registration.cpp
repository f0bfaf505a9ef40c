#include "agent/ecs/registration.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <utility>

#include "agent/base/backoff.hpp"
#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::ecs {

namespace {

using net::ServiceError;
using net::ServiceResult;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kRecoverable = 1;
constexpr int kTerminal = 5;
constexpr std::string_view kDefaultCluster = "default";

model::Attribute named(std::string name, std::string value) {
    return {.name = std::move(name), .value = std::move(value)};
}

bool is_reserved(std::string_view text) { return equals_ignoring_case(text.substr(0, 4), "aws:"); }

bool is_missing_cluster(const ServiceError& error) {
    return error.is("ClusterNotFoundException") || error.message.find("Cluster not found.") != std::string::npos;
}

std::string remedy(const ServiceError& error) {
    if (error.kind == ErrorKind::Denied) return "; check the instance role or the keys this agent uses";
    if (is_missing_cluster(error)) return "; create the cluster or set ECS_CLUSTER";
    if (!error.answered()) return "; check the region, ECS_BACKEND_HOST and the network";
    return {};
}

RegistrationFailure failure(int exit_code, Error error) { return {.exit_code = exit_code, .error = std::move(error)}; }

std::string availability_zone_of(const model::ContainerInstance& instance) {
    for (const model::Attribute& attribute : instance.attributes) {
        if (attribute.name == "ecs.availability-zone") return attribute.value.value_or("");
    }
    return {};
}

}  // namespace

void throw_exception_from_error(const RegistrationFailure& failure, const boost::source_location& /*where*/) {
    std::fprintf(stderr, "bug: unchecked result: %s\n", failure.error.what.c_str());
    std::abort();
}

std::vector<model::Attribute> registration_attributes(const RegistrationInputs& inputs) {
    std::vector<model::Attribute> out;
    if (inputs.restored_arn.empty()) {
        for (const auto& [name, value] : inputs.config.instance_attributes) out.push_back(named(name, value));
    }
    out.insert(out.end(), inputs.capabilities.begin(), inputs.capabilities.end());
    out.push_back(named("ecs.os-type", "linux"));
    out.push_back(named("ecs.os-family", "LINUX"));
    if (const std::string& family = inputs.config.detailed_os_family; !family.empty()) {
        out.push_back(named("ecs.os-type-detailed", family));
    }
    if (inputs.config.external.enabled() && !inputs.host.cpu_architecture.empty()) {
        out.push_back(named("ecs.cpu-architecture", inputs.host.cpu_architecture));
    }
    if (!inputs.outpost_arn.empty()) out.push_back(named("ecs.outpost-arn", inputs.outpost_arn));
    return out;
}

std::vector<model::Tag> registration_tags(const config::Config& config, const std::vector<model::Tag>& instance) {
    std::map<std::string, std::string> merged = config.container_instance_tags;
    for (const model::Tag& tag : instance) {
        if (!is_reserved(tag.key) && !is_reserved(tag.value)) merged.emplace(tag.key, tag.value);
    }
    std::vector<model::Tag> out;
    for (const auto& [key, value] : merged) out.push_back({.key = key, .value = value});
    return out;
}

std::optional<std::string> attribute_mismatch(const std::vector<model::Attribute>& sent,
                                              const std::vector<model::Attribute>& returned) {
    std::map<std::string, std::string> by_name;
    for (const model::Attribute& attribute : returned) by_name[attribute.name] = attribute.value.value_or("");
    for (const model::Attribute& attribute : sent) {
        const auto found = by_name.find(attribute.name);
        const std::string back = found == by_name.end() ? std::string() : found->second;
        if (back != attribute.value.value_or("")) {
            return "attribute " + attribute.name + " was sent as \"" + attribute.value.value_or("") +
                   "\" but registered as \"" + back + "\"";
        }
    }
    return std::nullopt;
}

int registration_exit_code(const ServiceError& error, bool re_registration) {
    if (error.is("InvalidParameterException") || error.is("ClientException")) return kTerminal;
    const bool type_changed =
        error.message.find("Container instance type changes are not supported.") != std::string::npos;
    return re_registration && type_changed ? kTerminal : kRecoverable;
}

Registration::Registration(ApiClient& api, credentials::Provider& credentials, Clock& clock,
                           RegistrationSources sources)
    : api_(api), credentials_(credentials), clock_(clock), sources_(std::move(sources)) {}

asio::awaitable<Registration::Outcome> Registration::run(RegistrationInputs inputs) {
    const config::Config& config = inputs.config;
    auto resources = total_resources(inputs.host, config);
    if (!resources) co_return failure(kRecoverable, std::move(resources).error());

    std::vector<model::Tag> instance_tags;
    if (config.propagate_tags_from == config::PropagateTags::Ec2Instance) {
        if (!sources_.instance_tags) {
            co_return failure(kRecoverable, {.kind = ErrorKind::NotFound,
                                             .what = "ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM is ec2_instance, but "
                                                     "this is no EC2 instance"});
        }
        auto tags = co_await sources_.instance_tags();
        if (!tags) co_return failure(kRecoverable, with_context("propagate instance tags", std::move(tags).error()));
        instance_tags = std::move(*tags);
    }

    model::RegisterContainerInstanceRequest request;
    request.attributes = registration_attributes(inputs);
    request.client_token = uuid4();
    request.cluster = config.cluster;
    request.container_instance_arn = inputs.restored_arn;
    request.tags = registration_tags(config, instance_tags);
    request.total_resources = std::move(*resources);
    if (config.gpu_support && inputs.gpu_ids) {
        request.platform_devices.emplace();
        for (const std::string& id : *inputs.gpu_ids) request.platform_devices->push_back({.id = id, .type = "GPU"});
    }
    if (!config.no_instance_identity && !config.external.enabled()) {
        request.instance_identity_document = co_await fetch(sources_.identity_document, "document");
        if (!request.instance_identity_document.empty()) {
            request.instance_identity_document_signature = co_await fetch(sources_.identity_signature, "signature");
        }
    }

    const std::vector<model::Attribute> sent = request.attributes;
    std::string cluster = config.cluster;
    ServiceResult<model::ContainerInstance> result = ServiceError();
    if (cluster.empty()) {
        cluster = kDefaultCluster;
        request.cluster = cluster;
        result = co_await register_in_default(std::move(request));
    } else {
        result = co_await insist(std::move(request));
    }
    if (!result) {
        const ServiceError& error = result.error();
        Error told = net::to_error("register container instance in cluster " + cluster, error);
        told.what += remedy(error);
        co_return failure(registration_exit_code(error, !inputs.restored_arn.empty()), std::move(told));
    }
    if (const auto mismatch = attribute_mismatch(sent, result->attributes)) {
        co_return failure(kTerminal, {.kind = ErrorKind::Conflict,
                                      .what = "register container instance: " + *mismatch +
                                              "; change ECS_INSTANCE_ATTRIBUTES or the instance's attributes in ECS"});
    }
    Registered registered;
    registered.availability_zone = availability_zone_of(*result);
    registered.container_instance_arn = std::move(result->container_instance_arn);
    registered.cluster = std::move(cluster);
    co_return registered;
}

asio::awaitable<std::string> Registration::fetch(RegistrationSources::Text source, std::string what) {
    constexpr BackoffPolicy kPolicy{.min = milliseconds(100), .max = seconds(5), .jitter = 0.2, .multiplier = 2.0};
    if (!source) co_return std::string();
    const SteadyTime give_up = clock_.now().steady + seconds(30);
    Backoff backoff(kPolicy);
    for (;;) {
        auto text = co_await source();
        if (text) co_return std::move(*text);
        const auto delay = backoff.next();
        if (clock_.now().steady + delay >= give_up) {
            log::warn("registering without instance identity " + what, {{"error", text.error().what}});
            co_return std::string();
        }
        // the role may have been attached to the instance only now
        credentials_.invalidate();
        (void)co_await credentials_.get();
        co_await clock_.sleep_for(delay);
    }
}

asio::awaitable<ServiceResult<model::ContainerInstance>> Registration::insist(
    model::RegisterContainerInstanceRequest request) {
    constexpr BackoffPolicy kPolicy{.min = seconds(3), .max = seconds(192), .jitter = 0.2, .multiplier = 2.0};
    const SteadyTime give_up = clock_.now().steady + std::chrono::hours(1);
    Backoff backoff(kPolicy);
    for (;;) {
        auto result = co_await api_.register_container_instance(request);
        if (result || !is_transient(result.error())) co_return result;
        const auto delay = backoff.next();
        if (clock_.now().steady + delay >= give_up) co_return result;
        log::warn("registration is tried again",
                  {{"in", std::to_string(std::chrono::round<seconds>(delay).count()) + "s"},
                   {"code", result.error().code},
                   {"error", result.error().message}});
        co_await clock_.sleep_for(delay);
    }
}

asio::awaitable<ServiceResult<model::ContainerInstance>> Registration::register_in_default(
    model::RegisterContainerInstanceRequest request) {
    auto first = co_await insist(request);
    if (first) co_return first;
    if (is_missing_cluster(first.error())) {
        auto created = co_await api_.create_cluster(std::string(kDefaultCluster));
        if (!created) co_return std::move(created).error();
    }
    co_return co_await insist(std::move(request));
}

}  // namespace nodeagent::ecs
