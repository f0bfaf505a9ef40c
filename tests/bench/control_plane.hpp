#pragma once
// The least control plane an agent registers with: it answers every ECS call, opens ACS and TCS, sends payloads and
// notes when state changes arrive. Nothing is verified; this measures the agent, not itself.

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace nodeagent::bench {

class ControlPlane {
  public:
    using Clock = std::chrono::steady_clock;
    ControlPlane();
    ~ControlPlane();

    [[nodiscard]] std::string endpoint() const;
    /// Waits for the next ACS connection after `since`; nothing after `limit`.
    std::optional<Clock::time_point> session_since(Clock::time_point since, std::chrono::seconds limit);
    /// One ACS text frame to the connected agent.
    void send(std::string frame);
    /// Waits until `count` tasks have reported `status` since the last forget(); the time of the last one.
    std::optional<Clock::time_point> reported(const std::string& status, std::size_t count, std::chrono::seconds limit);
    void forget();

  private:
    struct Acs;
    void accept();
    void serve(boost::asio::ip::tcp::socket socket);
    std::string answer(const std::string& operation, const std::string& body);

    boost::asio::io_context io_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Clock::time_point> session_at_;
    std::shared_ptr<Acs> acs_;
    std::map<std::string, std::map<std::string, Clock::time_point>> reports_;  ///< status -> task -> first time
    std::thread thread_;
};

}  // namespace nodeagent::bench
