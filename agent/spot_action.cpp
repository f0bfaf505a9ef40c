#include "agent/spot_action.hpp"

#include "agent/base/json.hpp"
#include "agent/base/log.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent {

namespace {

struct Notice {
    std::string action;
    std::string time;
    static constexpr auto json_fields() {
        return std::tuple{required_field("action", &Notice::action), optional_field("time", &Notice::time)};
    }
};

}  // namespace

Result<SpotAction> parse_spot_action(std::string_view text) {
    auto notice = decode<Notice>(text);
    if (!notice) return with_context("read the spot instance action", std::move(notice).error());
    const bool known = notice->action == "hibernate" || notice->action == "terminate" || notice->action == "stop";
    if (!known) {
        return Error{.kind = ErrorKind::Malformed, .what = "unknown spot instance action \"" + notice->action + "\""};
    }
    const auto when = parse_rfc3339(notice->time);
    if (!when) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "the spot instance action has no time: \"" + notice->time + "\""};
    }
    return SpotAction{.action = notice->action, .when = *when};
}

asio::awaitable<SpotAction> wait_for_spot_action(AskSpotAction ask, Clock& clock) {
    std::string complained_about;
    for (;;) {
        const Result<std::string> text = co_await ask();
        if (text) {
            auto action = parse_spot_action(*text);
            if (action) co_return *std::move(action);
            if (complained_about != *text) {
                log::error("spot instance action ignored", {{"cause", action.error().what}});
            }
            complained_about = *text;
        }
        co_await clock.sleep_for(std::chrono::seconds(1));
    }
}

}  // namespace nodeagent
