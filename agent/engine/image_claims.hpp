#pragma once
// Who works with which image: tasks from before a pull until the image is in the ledger, and the janitor while it
// removes one. Neither sees the other's half-done work, and a long pull holds off the removal of its own repository
// only. By repository, whatever the tag and the spelling.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/engine/one_shot.hpp"

namespace nodeagent::engine {

class ImageClaims {
  public:
    explicit ImageClaims(asio::any_io_executor shard) : shard_(std::move(shard)) {}

    /// Ends what it stands for when it is destroyed; the ImageClaims outlives it.
    class Hold {
      public:
        Hold(ImageClaims& owner, std::vector<std::string> repositories, bool exclusive)
            : owner_(&owner), repositories_(std::move(repositories)), exclusive_(exclusive) {}
        Hold(Hold&& other) noexcept
            : owner_(std::exchange(other.owner_, nullptr)),
              repositories_(std::move(other.repositories_)),
              exclusive_(other.exclusive_) {}
        Hold& operator=(Hold&&) = delete;
        Hold(const Hold&) = delete;
        ~Hold() {
            if (owner_ != nullptr) owner_->end(repositories_, exclusive_);
        }

      private:
        ImageClaims* owner_;
        std::vector<std::string> repositories_;
        bool exclusive_;
    };

    /// A task will use the image; waits while it is being removed.
    asio::awaitable<Hold> use(std::string image);
    /// The janitor wants to remove what these names stand for; nothing while a task works with one of them. No names:
    /// an image without one, which any pull may be about to name: nothing while any task works with any image.
    [[nodiscard]] std::optional<Hold> claim(const std::vector<std::string>& names);

  private:
    void end(const std::vector<std::string>& repositories, bool exclusive);

    asio::any_io_executor shard_;
    std::map<std::string, int> uses_;  ///< by repository
    std::set<std::string> claimed_;    ///< "": everything
    std::shared_ptr<OneShot<bool>> claim_ends_;
};

}  // namespace nodeagent::engine
