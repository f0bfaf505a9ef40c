#pragma once
// What config::load asks of the instance, before there is a shard to suspend on: each call runs its own loop.

#include "agent/config/load.hpp"
#include "agent/credentials/imds.hpp"

namespace nodeagent::credentials {

class InstanceFacts final : public config::InstanceFacts {
  public:
    /// `http` must resume on the executor it was called on, as HttpClient implementations do.
    InstanceFacts(net::HttpClient& http, Clock& clock, ImdsOptions options);
    Result<std::string> user_data() override;
    Result<std::string> identity_region() override;
    Result<std::string> placement_region() override;

  private:
    Imds imds_;
};

}  // namespace nodeagent::credentials
