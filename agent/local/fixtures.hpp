#pragma once
// What ecs-local answers for SSM, Secrets Manager, S3 and ECR: files of a directory that the user fills.
//
//   ssm/<parameter name>            the value; a last newline is not part of it. "/a/b" is ssm/a/b
//   secretsmanager/<name>.json      {"SecretString": text, or an object that becomes its JSON text}; with more than one
//                                   version {"Versions": [{"VersionId", "VersionStages": [...], "SecretString"}, ...]}
//   s3/<bucket>/<key>               the object
//   ecr.json                        {"username", "password", "proxyEndpoint"}
//   <any of them>.denied            beside or instead of it: the caller may not read it
//
// Read for every request, so that a change counts at once.

#include <string>
#include <string_view>

#include "agent/base/clock.hpp"
#include "agent/local/arn.hpp"
#include "agent/local/errors.hpp"

namespace nodeagent::local {

class Fixtures {
  public:
    /// An empty directory name: nothing is served, every operation is unknown.
    Fixtures(std::string directory, Identity identity)
        : directory_(std::move(directory)), identity_(std::move(identity)) {}

    /// The signing name of the service that an X-Amz-Target belongs to: "ssm", "secretsmanager", "ecr"; "" for others.
    [[nodiscard]] static std::string_view service_of(std::string_view target);

    /// GetParameters, GetSecretValue, GetAuthorizationToken; the service's own error codes.
    [[nodiscard]] ApiResult answer(std::string_view target, std::string_view body, WallTime now) const;

    struct Object {
        unsigned status = 200;
        std::string body;  ///< the object; XML for a bucket's location and for errors
        bool xml = false;
    };
    /// S3 with the bucket in the path: GetObject, and GetBucketLocation (?location). `target` as on the request line.
    [[nodiscard]] Object s3(std::string_view target) const;
    [[nodiscard]] static Object s3_error(unsigned status, std::string_view code, std::string_view message);

  private:
    enum class Access : std::uint8_t { Granted, Missing, Denied };
    struct File {
        Access access = Access::Missing;
        std::string content;
    };
    [[nodiscard]] File read(const std::string& name) const;
    [[nodiscard]] ApiResult get_parameters(const Json& request) const;
    [[nodiscard]] ApiResult get_secret_value(const Json& request) const;
    [[nodiscard]] ApiResult get_authorization_token(WallTime now) const;

    std::string directory_;
    Identity identity_;
};

}  // namespace nodeagent::local
