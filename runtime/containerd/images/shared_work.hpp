#pragma once
// Work that several pulls want done, done by one of them at a time: a layer's download, a layer's unpacking. Whoever
// waited looks afterwards whether anything is left to do. Any thread.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

namespace nodeagent::runtime::containerd {

class SharedWork {
    struct Entry {
        bool taken = true;
        std::atomic<std::int64_t> progress{0};
    };

  public:
    /// Held while one works; let go of when destroyed.
    class Turn {
      public:
        Turn(SharedWork& work, std::string key, std::shared_ptr<Entry> entry)
            : work_(&work), key_(std::move(key)), entry_(std::move(entry)) {}
        ~Turn() {
            if (entry_) work_->release(key_, entry_);
        }
        Turn(Turn&&) noexcept = default;
        Turn& operator=(Turn&&) = delete;
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        /// Told to those who wait.
        void progress(std::int64_t amount) { entry_->progress = amount; }

      private:
        SharedWork* work_;
        std::string key_;
        std::shared_ptr<Entry> entry_;
    };

    /// Waits until nobody works at `key`; nothing once a stop is asked for. `watch` gets the progress of whoever does,
    /// some times a second.
    std::optional<Turn> take(const std::string& key, const std::stop_token& stop,
                             const std::function<void(std::int64_t)>& watch = {});

  private:
    void release(const std::string& key, const std::shared_ptr<Entry>& entry);

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::map<std::string, std::shared_ptr<Entry>> entries_;
};

}  // namespace nodeagent::runtime::containerd
