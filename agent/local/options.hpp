#pragma once
// The command line of ecs-local.

#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/base/secret.hpp"
#include "agent/local/arn.hpp"

namespace nodeagent::local {

struct Options {
    std::string address = "127.0.0.1";
    unsigned short port = 18443;  ///< 0: any free one
    std::string data_directory = "ecs-local-data";
    Identity identity;
    std::string access_key_id;  ///< empty with a secret: any key id, but that secret
    Secret secret_access_key;   ///< empty: signatures are not checked
    std::vector<std::string> clusters;
    std::string fixtures;  ///< directory of what SSM, Secrets Manager, S3 and ECR answer; empty: they are not served
    std::string log_level = "info";
    bool help = false;
};

/// `arguments` without the program's name. Malformed names the option and what it wants.
[[nodiscard]] Result<Options> parse_options(const std::vector<std::string>& arguments);
[[nodiscard]] std::string options_help();

}  // namespace nodeagent::local
