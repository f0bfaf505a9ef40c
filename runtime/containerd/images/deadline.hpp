#pragma once
// A stop that comes from outside, or with a deadline.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

namespace nodeagent::runtime::containerd {

class Deadline {
  public:
    Deadline(std::chrono::nanoseconds after, std::stop_token outside)
        : relay_(std::move(outside), Relay{&source_}), watch_([this, after](const std::stop_token& over) {
              std::mutex mutex;
              std::condition_variable_any never;
              std::unique_lock lock(mutex);
              never.wait_for(lock, over, after, [] { return false; });
              if (over.stop_requested()) return;
              passed_ = true;
              source_.request_stop();
          }) {}
    [[nodiscard]] std::stop_token token() const { return source_.get_token(); }
    [[nodiscard]] bool passed() const { return passed_; }

  private:
    struct Relay {
        std::stop_source* source;
        void operator()() const { source->request_stop(); }
    };
    std::stop_source source_;
    std::atomic<bool> passed_{false};
    std::stop_callback<Relay> relay_;
    std::jthread watch_;
};

}  // namespace nodeagent::runtime::containerd
