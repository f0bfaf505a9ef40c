#include "agent/engine/image_claims.hpp"

#include <algorithm>
#include <utility>

#include "agent/engine/image_reference.hpp"

namespace nodeagent::engine {

asio::awaitable<ImageClaims::Hold> ImageClaims::use(std::string image) {
    std::vector<std::string> repository{normalized_repository(image)};
    while (claimed_.contains(repository.front()) || claimed_.contains("")) {
        auto ends = claim_ends_;
        (void)co_await OneShot<bool>::wait(std::move(ends));
    }
    ++uses_[repository.front()];
    co_return Hold(*this, std::move(repository), false);
}

std::optional<ImageClaims::Hold> ImageClaims::claim(const std::vector<std::string>& names) {
    std::vector<std::string> repositories;
    for (const std::string& name : names) repositories.push_back(normalized_repository(name));
    if (names.empty()) repositories.emplace_back();
    const bool busy = names.empty() ? !uses_.empty() || !claimed_.empty()
                                    : std::any_of(repositories.begin(), repositories.end(), [&](const auto& one) {
                                          return uses_.contains(one) || claimed_.contains(one);
                                      });
    if (busy) return std::nullopt;
    claimed_.insert(repositories.begin(), repositories.end());
    if (!claim_ends_) claim_ends_ = std::make_shared<OneShot<bool>>(shard_);
    return Hold(*this, std::move(repositories), true);
}

void ImageClaims::end(const std::vector<std::string>& repositories, bool exclusive) {
    for (const std::string& one : repositories) {
        if (exclusive) {
            claimed_.erase(one);
        } else if (const auto found = uses_.find(one); found != uses_.end() && --found->second == 0) {
            uses_.erase(found);
        }
    }
    if (!exclusive || !claim_ends_) return;
    const auto ended = std::exchange(claim_ends_, nullptr);
    if (!claimed_.empty()) claim_ends_ = std::make_shared<OneShot<bool>>(shard_);
    ended->give(true);
}

}  // namespace nodeagent::engine
