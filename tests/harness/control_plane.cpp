#include "tests/harness/control_plane.hpp"

#include <deque>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <nlohmann/json.hpp>

namespace nodeagent::harness {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;

struct ControlPlane::Acs {
    explicit Acs(tcp::socket socket) : stream(std::move(socket)) {}
    websocket::stream<tcp::socket> stream;
    std::deque<std::string> outbox;
    bool writing = false;

    static asio::awaitable<void> flush(std::shared_ptr<Acs> self) {
        self->writing = true;
        while (!self->outbox.empty()) {
            const std::string frame = std::move(self->outbox.front());
            self->outbox.pop_front();
            self->stream.text(true);
            co_await self->stream.async_write(asio::buffer(frame), asio::use_awaitable);
        }
        self->writing = false;
    }
    static asio::awaitable<void> listen(std::shared_ptr<Acs> self, ControlPlane* owner) {
        beast::flat_buffer buffer;
        for (;;) {
            co_await self->stream.async_read(buffer, asio::use_awaitable);
            owner->receive(beast::buffers_to_string(buffer.data()));
            buffer.clear();
        }
    }
};

ControlPlane::ControlPlane() : acceptor_(io_, {asio::ip::address_v4::loopback(), 0}) {
    accept();
    thread_ = std::thread([this] { io_.run(); });
}

ControlPlane::~ControlPlane() {
    io_.stop();
    thread_.join();
}

std::string ControlPlane::endpoint() const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
}

void ControlPlane::accept() {
    acceptor_.async_accept([this](const boost::system::error_code& failure, tcp::socket socket) {
        if (!failure) serve(std::move(socket));
        accept();
    });
}

namespace {

asio::awaitable<void> open_websocket(std::shared_ptr<websocket::stream<tcp::socket>> stream,
                                     http::request<http::string_body> request) {
    co_await stream->async_accept(request, asio::use_awaitable);
    beast::flat_buffer buffer;
    for (;;) {
        co_await stream->async_read(buffer, asio::use_awaitable);
        buffer.clear();
    }
}

}  // namespace

void ControlPlane::serve(tcp::socket accepted) {
    auto session = [](ControlPlane* self, tcp::socket socket) -> asio::awaitable<void> {
        beast::flat_buffer buffer;
        for (;;) {
            http::request<http::string_body> request;
            co_await http::async_read(socket, buffer, request, asio::use_awaitable);
            if (websocket::is_upgrade(request)) {
                const bool telemetry = std::string_view(request.target()).starts_with("/tcs");
                if (telemetry) {
                    auto stream = std::make_shared<websocket::stream<tcp::socket>>(std::move(socket));
                    asio::co_spawn(self->io_, open_websocket(stream, std::move(request)), asio::detached);
                    co_return;
                }
                auto acs = std::make_shared<Acs>(std::move(socket));
                co_await acs->stream.async_accept(request, asio::use_awaitable);
                {
                    const std::lock_guard lock(self->mutex_);
                    self->session_at_ = Clock::now();
                    self->acs_ = acs;
                }
                self->changed_.notify_all();
                if (self->on_session_) {
                    self->on_session_(std::string_view(request.target()).find("sendCredentials=true") !=
                                      std::string_view::npos);
                }
                asio::co_spawn(self->io_, Acs::listen(acs, self), asio::detached);
                co_return;
            }
            const std::string target(request["X-Amz-Target"]);
            const std::string operation = target.substr(target.rfind('.') + 1);
            const ApiFault fault = self->api_fault_;
            if (fault == ApiFault::Silence) {
                asio::steady_timer pause(self->io_);
                while (self->api_fault_ == ApiFault::Silence) {
                    pause.expires_after(std::chrono::milliseconds(20));
                    co_await pause.async_wait(asio::use_awaitable);
                }
                co_return;
            }
            std::pair<int, std::string> answered;
            if (fault == ApiFault::InternalError) {
                answered = {500, R"({"__type":"ServerException","message":"the harness says so"})"};
            } else if (fault == ApiFault::Throttling) {
                answered = {400, R"({"__type":"ThrottlingException","message":"Rate exceeded"})"};
            } else {
                answered = self->answer(operation, request.body());
            }
            if (fault == ApiFault::LostAnswer) co_return;
            http::response<http::string_body> response{static_cast<http::status>(answered.first), 11};
            response.set(http::field::content_type, "application/x-amz-json-1.1");
            response.body() = std::move(answered.second);
            response.keep_alive(request.keep_alive());
            response.prepare_payload();
            co_await http::async_write(socket, response, asio::use_awaitable);
        }
    };
    asio::co_spawn(io_, session(this, std::move(accepted)), asio::detached);
}

void ControlPlane::on_submission(Submission hook) {
    const std::lock_guard lock(mutex_);
    on_submission_ = std::move(hook);
}

std::pair<int, std::string> ControlPlane::answer(const std::string& operation, const std::string& body) {
    const auto request = nlohmann::json::parse(body, nullptr, false);
    Submission hook;
    {
        const std::lock_guard lock(mutex_);
        hook = on_submission_;
    }
    if (hook && operation == "SubmitTaskStateChange") return hook(request);
    {
        const std::lock_guard lock(mutex_);
        calls_.emplace_back(operation, request);
        changed_.notify_all();
    }
    if (operation == "DiscoverPollEndpoint") {
        return {200,
                nlohmann::json{{"endpoint", endpoint() + "/acs"}, {"telemetryEndpoint", endpoint() + "/tcs"}}.dump()};
    }
    if (operation == "RegisterContainerInstance") {
        const nlohmann::json instance{
            {"containerInstanceArn",
             "arn:aws:ecs:us-west-2:123456789012:container-instance/bench/0123456789abcdef0123456789abcdef"},
            {"attributes", request.value("attributes", nlohmann::json::array())}};
        return {200, nlohmann::json{{"containerInstance", instance}}.dump()};
    }
    if (operation == "SubmitTaskStateChange" && request.is_object()) {
        const std::lock_guard lock(mutex_);
        reports_[request.value("status", "")].emplace(request.value("task", ""), Clock::now());
        changed_.notify_all();
        return {200, R"({"acknowledgment":"bench"})"};
    }
    return {200, "{}"};
}

std::optional<ControlPlane::Clock::time_point> ControlPlane::session_since(Clock::time_point since,
                                                                           std::chrono::seconds limit) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, limit, [&] { return session_at_ && *session_at_ > since; });
    return session_at_ && *session_at_ > since ? session_at_ : std::nullopt;
}

void ControlPlane::send(std::string frame) {
    asio::post(io_, [this, frame = std::move(frame)]() mutable {
        std::shared_ptr<Acs> acs;
        {
            const std::lock_guard lock(mutex_);
            acs = acs_;
        }
        if (!acs) return;
        acs->outbox.push_back(std::move(frame));
        if (!acs->writing) asio::co_spawn(io_, Acs::flush(acs), asio::detached);
    });
}

std::optional<ControlPlane::Clock::time_point> ControlPlane::reported(const std::string& status, std::size_t count,
                                                                      std::chrono::seconds limit) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, limit, [&] { return reports_[status].size() >= count; })) return std::nullopt;
    Clock::time_point last{};
    for (const auto& [task, when] : reports_[status]) last = std::max(last, when);
    return last;
}

void ControlPlane::forget() {
    const std::lock_guard lock(mutex_);
    reports_.clear();
}

std::vector<nlohmann::json> ControlPlane::calls(const std::string& operation) {
    const std::lock_guard lock(mutex_);
    std::vector<nlohmann::json> found;
    for (const auto& [name, body] : calls_) {
        if (name == operation) found.push_back(body);
    }
    return found;
}

nlohmann::json ControlPlane::report_of(const std::string& task, const std::string& status, std::chrono::seconds limit) {
    std::unique_lock lock(mutex_);
    nlohmann::json found;
    changed_.wait_for(lock, limit, [&] {
        for (const auto& [name, body] : calls_) {
            if (name == "SubmitTaskStateChange" && body.value("task", "") == task && body.value("status", "") == status)
                found = body;
        }
        return !found.is_null();
    });
    return found;
}

void ControlPlane::receive(const std::string& text) {
    const std::lock_guard lock(mutex_);
    frames_.push_back(nlohmann::json::parse(text, nullptr, false));
    changed_.notify_all();
}

nlohmann::json ControlPlane::frame(const std::function<bool(const nlohmann::json&)>& wanted,
                                   std::chrono::seconds limit) {
    std::unique_lock lock(mutex_);
    nlohmann::json found;
    changed_.wait_for(lock, limit, [&] {
        for (const auto& one : frames_) {
            if (found.is_null() && wanted(one)) found = one;
        }
        return !found.is_null();
    });
    return found;
}

void ControlPlane::cut(std::string raw) {
    asio::post(io_, [this, raw = std::move(raw)] {
        std::shared_ptr<Acs> acs;
        {
            const std::lock_guard lock(mutex_);
            acs = std::move(acs_);
        }
        if (!acs) return;
        boost::system::error_code ignored;
        asio::write(acs->stream.next_layer(), asio::buffer(raw), ignored);
        acs->stream.next_layer().close(ignored);
    });
}

}  // namespace nodeagent::harness
