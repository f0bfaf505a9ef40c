#pragma once
// What the documents say about the instance itself. The app publishes a new value when registration or the instance
// metadata service has told more; the endpoints' shard reads.

#include <memory>
#include <string>

namespace nodeagent::metadata {

struct InstanceIdentity {
    std::string cluster;
    std::string container_instance_arn;  ///< empty before registration
    std::string availability_zone;       ///< empty also when ECS_DISABLE_TASK_METADATA_AZ is set, like the next
    std::string availability_zone_id;
    std::string vpc_id;
};

class IdentityBoard {
  public:
    void publish(InstanceIdentity next) {
        std::atomic_store(&current_, std::make_shared<const InstanceIdentity>(std::move(next)));
    }
    [[nodiscard]] std::shared_ptr<const InstanceIdentity> current() const { return std::atomic_load(&current_); }

  private:
    std::shared_ptr<const InstanceIdentity> current_ = std::make_shared<const InstanceIdentity>();
};

}  // namespace nodeagent::metadata
