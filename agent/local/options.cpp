#include "agent/local/options.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::local {
namespace {

Error wrong(const std::string& option, const std::string& wants) {
    return {.kind = ErrorKind::Malformed, .what = option + ": " + wants + " (ecs-local --help lists the options)"};
}

using Apply = Result<void> (*)(Options&, const std::string& value);

struct Row {
    std::string_view name;
    std::string_view value;
    std::string_view help;
    Apply apply;
};

Result<void> set_listen(Options& options, const std::string& value) {
    const auto colon = value.rfind(':');
    const auto port = colon == std::string::npos ? std::nullopt : parse_integer(value.substr(colon + 1));
    if (!port || *port < 0 || *port > 65535 || colon == 0)
        return wrong("--listen", "wants ADDRESS:PORT, such as 127.0.0.1:0");
    options.address = value.substr(0, colon);
    options.port = static_cast<unsigned short>(*port);
    return {};
}

Result<void> set_account(Options& options, const std::string& value) {
    const bool digits = value.size() == 12 &&
                        std::all_of(value.begin(), value.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    if (!digits) return wrong("--account", "wants the 12 digits of an account id");
    options.identity.account = value;
    return {};
}

Result<void> set_log_level(Options& options, const std::string& value) {
    bool known = false;
    (void)log::parse_level(value, &known);
    if (!known) return wrong("--log-level", "wants debug, info, warn, error, crit or none");
    options.log_level = value;
    return {};
}

constexpr std::array kRows{
    Row{"--listen", "ADDRESS:PORT", "where to listen; port 0 takes a free one (default 127.0.0.1:18443)", set_listen},
    Row{"--data", "DIR", "directory of the state (default ./ecs-local-data)",
        [](Options& o, const std::string& v) -> Result<void> {
            o.data_directory = v;
            return {};
        }},
    Row{"--region", "REGION", "region in ARNs (default us-west-2)",
        [](Options& o, const std::string& v) -> Result<void> {
            o.identity.region = v;
            return {};
        }},
    Row{"--account", "ID", "account in ARNs (default 123456789012)", set_account},
    Row{"--access-key", "ID", "the access key id clients must use (default: any)",
        [](Options& o, const std::string& v) -> Result<void> {
            o.access_key_id = v;
            return {};
        }},
    Row{"--secret-key", "SECRET", "the secret clients must sign with (default: signatures are not checked)",
        [](Options& o, const std::string& v) -> Result<void> {
            o.secret_access_key = Secret(v);
            return {};
        }},
    Row{"--cluster", "NAME", "a cluster to create at start unless it exists; may be given again",
        [](Options& o, const std::string& v) -> Result<void> {
            o.clusters.push_back(v);
            return {};
        }},
    Row{"--fixtures", "DIR", "serve SSM, Secrets Manager, S3 and ECR out of this directory (see below)",
        [](Options& o, const std::string& v) -> Result<void> {
            o.fixtures = v;
            return {};
        }},
    Row{"--log-level", "LEVEL", "debug, info, warn, error, crit or none (default info)", set_log_level},
};

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments) {
    Options options;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        std::string name = arguments[i];
        if (name == "--help" || name == "-h") {
            options.help = true;
            return options;
        }
        std::string value;
        const auto equals = name.find('=');
        const bool joined = name.starts_with("--") && equals != std::string::npos;
        if (joined) {
            value = name.substr(equals + 1);
            name.resize(equals);
        }
        const auto row = std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) { return r.name == name; });
        if (row == kRows.end()) return wrong(name, "is not an option");
        if (!joined) {
            if (i + 1 == arguments.size()) return wrong(name, "wants " + std::string(row->value));
            value = arguments[++i];
        }
        if (value.empty()) return wrong(name, "wants " + std::string(row->value));
        if (auto applied = row->apply(options, value); !applied) return std::move(applied).error();
    }
    if (!options.access_key_id.empty() && options.secret_access_key.empty()) {
        return wrong("--access-key", "needs --secret-key: without a secret no signature can be checked");
    }
    return options;
}

std::string options_help() {
    std::string text =
        "ecs-local: an Amazon ECS control plane for one machine, on loopback.\n"
        "Agents and the AWS CLI reach it with ECS_BACKEND_HOST or --endpoint-url set to the address it prints.\n\n"
        "usage: ecs-local [options]\n";
    for (const Row& row : kRows) {
        std::string left = "  " + std::string(row.name) + " " + std::string(row.value);
        left.resize(std::max<std::size_t>(left.size() + 2, 28), ' ');
        text += left + std::string(row.help) + "\n";
    }
    text += "  --help                    this text\n\n";
    text +=
        "Besides the ECS API it serves GET /health, GET /_local/tasks[?cluster=NAME], GET /_local/history?task=ARN,\n"
        "GET /_local/telemetry?instance=ARN, GET /_local/metrics and GET /_local/logs, as JSON.\n\n"
        "It answers CloudWatch GetMetricStatistics, GetMetricData (without expressions), ListMetrics and "
        "PutMetricData.\n"
        "AWS/ECS has CPUUtilization and MemoryUtilization of clusters, and of services where tasks run with\n"
        "--group service:NAME. The last 24 hours by the minute, at most 20000 metrics and 500000 of their minutes, "
        "are kept\n"
        "in memory.\n\n"
        "With --fixtures it answers SSM GetParameters, Secrets Manager GetSecretValue, S3 GetObject and "
        "GetBucketLocation\n"
        "and ECR GetAuthorizationToken out of files, for agents with AWS_ENDPOINT_URL set to the same address:\n"
        "  ssm/NAME                  the value of a parameter, without its last newline\n"
        "  secretsmanager/NAME.json  {\"SecretString\": text or object}, or {\"Versions\": [{\"VersionId\", "
        "\"VersionStages\",\n"
        "                            \"SecretString\"}, ...]}\n"
        "  s3/BUCKET/KEY             an object; the bucket is in the path of requests, never in the host name\n"
        "  ecr.json                  {\"username\", \"password\", \"proxyEndpoint\"}\n"
        "  ANY OF THEM.denied        the caller may not read it\n";
    return text;
}

}  // namespace nodeagent::local
