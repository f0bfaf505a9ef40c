#pragma once
// Moves frames between a websocket and a conversation: one coroutine reads, one writes and keeps the conversation's
// time.

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket.hpp>

#include "agent/base/clock.hpp"
#include "agent/base/scope.hpp"
#include "agent/local/channels.hpp"

namespace nodeagent::local {

using WebsocketStream = boost::beast::websocket::stream<boost::beast::tcp_stream>;

/// `Conversation` has opened, received, tick, take_frames, due and closing (AcsConversation, TcsConversation).
template <class Conversation>
class WebsocketChannel final : public Channel {
  public:
    WebsocketChannel(WebsocketStream stream, Clock& clock, Conversation conversation)
        : stream_(std::move(stream)),
          clock_(clock),
          conversation_(std::move(conversation)),
          nudge_(stream_.get_executor()) {}

    void wake() override {
        woken_ = true;
        nudge_.cancel();
    }
    void end(std::string_view reason) override {
        ending_ = reason;
        wake();
    }

    /// Reads until the connection ends. The writer runs beside it in `scope`; `self` keeps the channel alive for it.
    static asio::awaitable<void> run(std::shared_ptr<WebsocketChannel> self, Scope& scope) {
        // stopping is the writer's job: it says goodbye, and the read ends with the connection
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        self->conversation_.opened(self->clock_.now());
        scope.spawn(write(self));
        boost::beast::flat_buffer buffer;
        boost::system::error_code failed;
        while (true) {
            co_await self->stream_.async_read(buffer, asio::redirect_error(asio::use_awaitable, failed));
            if (failed) break;
            const std::string_view frame(static_cast<const char*>(buffer.data().data()), buffer.size());
            self->conversation_.received(frame, self->clock_.now());
            buffer.consume(buffer.size());
            self->wake();
        }
        self->closed_ = true;
        self->wake();
    }

  private:
    static asio::awaitable<void> write(std::shared_ptr<WebsocketChannel> self) {
        namespace websocket = boost::beast::websocket;
        boost::system::error_code failed;
        while (!self->closed_ && !failed) {
            self->woken_ = false;
            self->conversation_.tick(self->clock_.now());
            // a frame that arrives while one is written may add more: those go in the next round
            const std::vector<std::string> frames = self->conversation_.take_frames();
            for (const std::string& frame : frames) {
                self->stream_.text(true);
                co_await self->stream_.async_write(asio::buffer(frame),
                                                   asio::redirect_error(asio::use_awaitable, failed));
                if (failed) break;
            }
            if (failed || self->closed_) break;
            const auto& closing = self->conversation_.closing();
            if (!self->ending_ && closing) self->ending_ = *closing;
            if (self->ending_) {
                websocket::close_reason reason(websocket::close_code::policy_error);
                reason.reason = self->ending_->substr(0, 120);  // a close frame holds 123 bytes of reason
                co_await self->stream_.async_close(reason, asio::redirect_error(asio::use_awaitable, failed));
                break;
            }
            if (self->woken_) continue;
            self->nudge_.expires_at(self->conversation_.due());
            boost::system::error_code nudged;
            co_await self->nudge_.async_wait(asio::redirect_error(asio::use_awaitable, nudged));
            const asio::cancellation_state stopping = co_await asio::this_coro::cancellation_state;
            if (stopping.cancelled() != asio::cancellation_type::none) {
                // stopping: a close frame tells the agent to come back at once
                co_await asio::this_coro::reset_cancellation_state();
                self->stream_.next_layer().expires_after(std::chrono::seconds(1));
                const websocket::close_reason reason(websocket::close_code::going_away);
                co_await self->stream_.async_close(reason, asio::redirect_error(asio::use_awaitable, failed));
                break;
            }
        }
        if (failed) self->stream_.next_layer().close();  // ends the read too
    }

    WebsocketStream stream_;
    Clock& clock_;
    Conversation conversation_;
    asio::steady_timer nudge_;
    std::optional<std::string> ending_;
    bool woken_ = false;
    bool closed_ = false;
};

}  // namespace nodeagent::local
