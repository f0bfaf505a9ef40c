#pragma once
// The places where the agent's own credentials may be (control-plane.md 2.1), one Source each.

#include <memory>
#include <string>

#include "agent/base/blocking_pool.hpp"
#include "agent/base/clock.hpp"
#include "agent/config/environment.hpp"
#include "agent/credentials/chain.hpp"
#include "agent/credentials/imds.hpp"
#include "agent/net/http_client.hpp"

namespace nodeagent::credentials {

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN; never expire.
[[nodiscard]] std::unique_ptr<Source> environment_source(const config::Environment& environment);

/// AWS_WEB_IDENTITY_TOKEN_FILE: always an error that says it is not supported, where it is set up.
[[nodiscard]] std::unique_ptr<Source> web_identity_source(const config::Environment& environment);

enum class SharedFiles : bool {
    CredentialsAndConfig,
    CredentialsOnly,  ///< external instances
};
/// Static keys and credential_process of the profile AWS_PROFILE. A profile with SSO or an assumed role is an error
/// that says so. Keys are read again once a minute; a process's answer is kept until its own expiry.
[[nodiscard]] std::unique_ptr<Source> shared_files_source(const config::Environment& environment, SharedFiles which,
                                                          BlockingPool& pool, Clock& clock);

/// The file an SSM agent rewrites: read again after exactly one minute.
[[nodiscard]] std::unique_ptr<Source> rotating_file_source(std::string path, std::string profile, Clock& clock);

/// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or ..._FULL_URI, with the Authorization header of ..._TOKEN(_FILE).
[[nodiscard]] std::unique_ptr<Source> container_source(const config::Environment& environment, net::HttpClient& http,
                                                       Clock& clock);

/// The role of the EC2 instance. Asked at least hourly; when the service fails, what was had is used 5 to 15 minutes
/// more.
[[nodiscard]] std::unique_ptr<Source> instance_role_source(Imds& imds, Clock& clock);

}  // namespace nodeagent::credentials
