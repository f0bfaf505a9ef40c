#pragma once
// Whether the shards turn: each is asked, and whoever still owes the answer at the next look stands still.

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

namespace nodeagent {

namespace asio = boost::asio;

class Heartbeats {
  public:
    /// `shard` is for the log. Its executor must outlive every call of look().
    void add(std::string shard, asio::any_io_executor executor);

    /// The shards that have done nothing since the last look; the others are asked anew. None at the first look.
    [[nodiscard]] std::vector<std::string> look();

  private:
    struct Watched {
        std::string shard;
        asio::any_io_executor executor;
        std::shared_ptr<std::atomic<bool>> owes;  ///< asked, and has not answered
    };
    std::vector<Watched> watched_;
};

}  // namespace nodeagent
