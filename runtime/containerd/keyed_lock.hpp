#pragma once
// One coroutine at a time for each key. Lives on one shard.

#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace nodeagent::runtime::containerd {

namespace asio = boost::asio;

class KeyedLock {
  public:
    explicit KeyedLock(asio::any_io_executor shard) : shard_(std::move(shard)) {}
    KeyedLock(const KeyedLock&) = delete;
    KeyedLock& operator=(const KeyedLock&) = delete;

    /// Until it is destroyed, on the same shard, others wait.
    class Held {
      public:
        Held(KeyedLock& lock, std::string key) : lock_(&lock), key_(std::move(key)) {}
        Held(Held&& other) noexcept : lock_(std::exchange(other.lock_, nullptr)), key_(std::move(other.key_)) {}
        Held& operator=(Held&&) = delete;
        ~Held() {
            if (lock_ != nullptr) lock_->release(key_);
        }

      private:
        KeyedLock* lock_;
        std::string key_;
    };

    /// In the order of asking. Throws operation_aborted when the coroutine is cancelled while it waits.
    asio::awaitable<Held> acquire(std::string key) {
        const auto [line, is_new] = lines_.try_emplace(key);
        if (!is_new) {
            auto turn = std::make_shared<Turn>(shard_);
            line->second.push_back(turn);
            boost::system::error_code woken;
            co_await turn->timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
            if (!turn->come) {  // cancelled
                const auto place = lines_.find(key);
                if (place != lines_.end()) place->second.remove(turn);
                throw boost::system::system_error(asio::error::operation_aborted);
            }
        }
        co_return Held(*this, std::move(key));
    }

  private:
    struct Turn {
        explicit Turn(const asio::any_io_executor& shard) : timer(shard, asio::steady_timer::time_point::max()) {}
        asio::steady_timer timer;
        bool come = false;
    };

    void release(const std::string& key) {
        const auto line = lines_.find(key);
        if (line == lines_.end()) return;
        if (line->second.empty()) {
            lines_.erase(line);
            return;
        }
        const std::shared_ptr<Turn> next = line->second.front();
        line->second.pop_front();
        next->come = true;
        next->timer.cancel();
    }

    asio::any_io_executor shard_;
    std::map<std::string, std::list<std::shared_ptr<Turn>>> lines_;  ///< a key that is held, and who waits for it
};

}  // namespace nodeagent::runtime::containerd
