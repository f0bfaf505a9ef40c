#pragma once
// The least control plane an agent registers with: it answers every ECS call, opens ACS and TCS, sends payloads and
// notes when state changes arrive. Nothing is verified; this measures the agent, not itself. It fails when told to.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <nlohmann/json.hpp>

namespace nodeagent::harness {

/// What is wrong with the ECS API for a while; the websockets are not concerned.
enum class ApiFault {
    None,
    InternalError,  ///< 500 ServerException; the call has no effect
    Throttling,     ///< 400 ThrottlingException; the call has no effect
    Silence,        ///< no answer as long as the fault lasts, then the connection is closed; the call has no effect
    LostAnswer,     ///< the call has its effect, then the connection is closed
};

class ControlPlane {
  public:
    using Clock = std::chrono::steady_clock;
    ControlPlane();
    ~ControlPlane();

    [[nodiscard]] std::string endpoint() const;
    /// Waits for the next ACS connection after `since`; nothing after `limit`.
    std::optional<Clock::time_point> session_since(Clock::time_point since, std::chrono::seconds limit);
    /// `opened` runs on the control plane's thread each time an ACS session opens; `send_credentials` is the agent's
    /// wish, true at its first connection only. It may call send(). Set before the agent starts.
    void on_session(std::function<void(bool send_credentials)> opened) { on_session_ = std::move(opened); }
    /// From now on, for every ECS API call.
    void fail_calls(ApiFault fault) { api_fault_ = fault; }
    /// One ACS text frame to the connected agent.
    void send(std::string frame);
    /// Waits until `count` tasks have reported `status` since the last forget(); the time of the last one.
    std::optional<Clock::time_point> reported(const std::string& status, std::size_t count, std::chrono::seconds limit);
    void forget();
    /// The bodies of all calls of one operation so far, in order.
    std::vector<nlohmann::json> calls(const std::string& operation);
    /// Waits for a SubmitTaskStateChange of this task with this status; its body, or null after `limit`.
    nlohmann::json report_of(const std::string& task, const std::string& status, std::chrono::seconds limit);
    /// Waits for an ACS frame from the agent that `wanted` accepts; null after `limit`.
    nlohmann::json frame(const std::function<bool(const nlohmann::json&)>& wanted, std::chrono::seconds limit);
    /// From now on `hook` answers SubmitTaskStateChange instead of a plain yes: the HTTP status, the body beside it.
    /// Called on the control plane's thread; calls and reports are not kept then, which would fill the memory.
    using Submission = std::function<std::pair<int, std::string>(const nlohmann::json& body)>;
    void on_submission(Submission hook);
    /// Cuts the ACS connection: the raw bytes go out first (half a frame, say), then the socket is closed.
    void cut(std::string raw);

  private:
    struct Acs;
    void receive(const std::string& text);
    void accept();
    void serve(boost::asio::ip::tcp::socket socket);
    std::pair<int, std::string> answer(const std::string& operation, const std::string& body);

    boost::asio::io_context io_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Clock::time_point> session_at_;
    std::shared_ptr<Acs> acs_;
    std::vector<std::pair<std::string, nlohmann::json>> calls_;
    std::vector<nlohmann::json> frames_;
    Submission on_submission_;
    std::map<std::string, std::map<std::string, Clock::time_point>> reports_;  ///< status -> task -> first time
    std::function<void(bool)> on_session_;
    std::atomic<ApiFault> api_fault_ = ApiFault::None;
    std::thread thread_;
};

}  // namespace nodeagent::harness
