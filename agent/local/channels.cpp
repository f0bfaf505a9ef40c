#include "agent/local/channels.hpp"

namespace nodeagent::local {

void Channels::add(ChannelKind kind, const std::string& instance_arn, Channel& channel) {
    Channel*& slot = of(kind)[instance_arn];
    if (slot != nullptr) slot->end("the agent has connected again");
    slot = &channel;
}

void Channels::remove(ChannelKind kind, const std::string& instance_arn, const Channel& channel) {
    const auto found = of(kind).find(instance_arn);
    if (found != of(kind).end() && found->second == &channel) of(kind).erase(found);
}

bool Channels::connected(std::string_view instance_arn) const { return acs_.contains(instance_arn); }

void Channels::wake(std::string_view instance_arn) {
    for (Map* map : {&acs_, &tcs_}) {
        if (const auto found = map->find(instance_arn); found != map->end()) found->second->wake();
    }
}

void Channels::end(std::string_view instance_arn, std::string_view reason) {
    for (Map* map : {&acs_, &tcs_}) {
        if (const auto found = map->find(instance_arn); found != map->end()) found->second->end(reason);
    }
}

}  // namespace nodeagent::local
