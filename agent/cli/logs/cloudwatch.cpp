#include "agent/cli/logs/cloudwatch.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "agent/base/json.hpp"

namespace nodeagent::cli {

namespace {

constexpr std::size_t kEventsAtMost = 10'000;

struct GetLogEvents {
    std::string group, stream;
    std::optional<std::int64_t> start;
    std::int64_t limit = 0;
    bool from_head = false;
    std::string token;
    static constexpr auto json_fields() {
        return std::tuple{required_field("logGroupName", &GetLogEvents::group),
                          required_field("logStreamName", &GetLogEvents::stream),
                          optional_field("startTime", &GetLogEvents::start),
                          optional_field("limit", &GetLogEvents::limit),
                          optional_field("startFromHead", &GetLogEvents::from_head),
                          optional_field("nextToken", &GetLogEvents::token)};
    }
};

struct OutputLogEvent {
    std::int64_t timestamp = 0;
    std::string message;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("timestamp", &OutputLogEvent::timestamp),
                          optional_field("message", &OutputLogEvent::message)};
    }
};

struct LogEventsPage {
    std::vector<OutputLogEvent> events;
    std::string forward, backward;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("events", &LogEventsPage::events),
                          optional_field("nextForwardToken", &LogEventsPage::forward),
                          optional_field("nextBackwardToken", &LogEventsPage::backward)};
    }
};

LogLine line_of(OutputLogEvent&& event) {
    LogLine line;
    line.time = event.timestamp * 1'000'000;
    line.stream = PrintedTo::Unknown;
    line.text = std::move(event.message);
    return line;
}

bool wrong_keys(const net::ServiceError& error) {
    constexpr std::array kCodes{"UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException",
                                "InvalidClientTokenId", "IncompleteSignatureException"};
    return std::any_of(kCodes.begin(), kCodes.end(), [&](const char* code) { return error.is(code); });
}

class CloudWatchSource final : public LogSource {
  public:
    CloudWatchSource(net::AwsTransport transport, LogStreamPlace place, LogWindow window)
        : transport_(transport),
          place_(std::move(place)),
          window_(window),
          client_(transport,
                  {.endpoint = place_.endpoint,
                   .signing_name = "logs",
                   .region = place_.region,
                   .target_prefix = "Logs_20140328",
                   .user_agent = "ecs-node/" NODEAGENT_VERSION,
                   .attempt_timeout = std::chrono::seconds(20)},
                  net::standard_retries()) {}

    asio::awaitable<Result<std::vector<LogLine>>> read(Reading /*reading*/) override {
        std::vector<LogLine> lines;
        if (forward_.empty() && window_.tail) {
            auto last = co_await last_lines();
            co_return last;
        }
        // a page may be empty and yet not the last: the token says it, which is then the one that was given
        for (bool more = true; more && lines.empty();) {
            GetLogEvents request = asked();
            request.from_head = true;
            request.token = forward_;
            auto page = co_await get(std::move(request));
            if (!page) co_return std::move(page).error();
            more = page->forward != forward_ && !page->forward.empty();
            if (!page->forward.empty()) forward_ = page->forward;
            for (OutputLogEvent& event : page->events) lines.push_back(line_of(std::move(event)));
        }
        co_return lines;
    }
    // five requests a second and stream are allowed, twenty-five an account
    [[nodiscard]] std::chrono::milliseconds pace() const override { return std::chrono::milliseconds(1000); }
    // the driver sends every five seconds, and what is sent can be asked for a little later
    [[nodiscard]] std::chrono::milliseconds settles_in() const override { return std::chrono::milliseconds(6000); }

  private:
    [[nodiscard]] GetLogEvents asked() const {
        GetLogEvents request;
        request.group = place_.group;
        request.stream = place_.stream;
        if (window_.since > 0) request.start = window_.since / 1'000'000;
        return request;
    }

    asio::awaitable<Result<std::vector<LogLine>>> last_lines() {
        std::vector<LogLine> kept;
        std::string forward;
        std::string token;
        for (bool more = true; more;) {
            const std::size_t missing = *window_.tail - kept.size();
            GetLogEvents request = asked();
            request.limit = static_cast<std::int64_t>(std::clamp<std::size_t>(missing, 1, kEventsAtMost));
            request.token = token;
            auto page = co_await get(std::move(request));
            if (!page) co_return std::move(page).error();
            if (forward.empty()) forward = page->forward;
            more = page->backward != token && !page->backward.empty();
            token = page->backward;
            std::vector<LogLine> lines;
            for (OutputLogEvent& event : page->events) lines.push_back(line_of(std::move(event)));
            if (lines.size() > missing) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(missing));
            kept.insert(kept.begin(), std::make_move_iterator(lines.begin()), std::make_move_iterator(lines.end()));
            more = more && kept.size() < *window_.tail;
        }
        forward_ = forward;
        window_.tail.reset();
        co_return kept;
    }

    asio::awaitable<Result<LogEventsPage>> get(GetLogEvents request) {
        std::string body = encode(request);
        auto answer = co_await client_.call_json("GetLogEvents", std::move(body));
        if (answer) {
            auto page = decode<LogEventsPage>(*answer);
            if (!page) co_return with_context("the answer of CloudWatch Logs", std::move(page).error());
            co_return page;
        }
        const Error error = co_await explained(std::move(answer).error());
        co_return error;
    }

    asio::awaitable<Error> explained(net::ServiceError error) {
        const std::string where =
            "log stream " + place_.stream + " of log group " + place_.group + " in " + place_.region;
        if (error.is("ResourceNotFoundException")) {
            co_return Error{.kind = ErrorKind::NotFound,
                            .what = "CloudWatch Logs has no " + where +
                                    " yet; it comes with the container's first lines, if the task may write there"};
        }
        Error out = net::to_error("GetLogEvents", error);
        if (!error.answered()) {
            if (error.kind == ErrorKind::Denied) {  // no keys were found
                out.what = error.message + "; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
            } else {
                out.what = "CloudWatch Logs does not answer at " + place_.endpoint + ": " + error.message;
            }
            co_return out;
        }
        const auto keys = co_await transport_.credentials.get();
        const std::string whose = keys ? keys->source : "unknown source";
        if (error.is("AccessDeniedException")) {
            out.kind = ErrorKind::Denied;
            out.what =
                "access to the " + where + " is denied: the credentials (" + whose +
                ") need the IAM action logs:GetLogEvents on it; give it to them, or call with others (AWS_PROFILE, "
                "AWS_ACCESS_KEY_ID). CloudWatch Logs says: " +
                error.message;
        } else if (wrong_keys(error)) {
            out.kind = ErrorKind::Denied;
            out.what += "; CloudWatch Logs in " + place_.region + " does not take the credentials (" + whose + ")";
        }
        co_return out;
    }

    net::AwsTransport transport_;
    LogStreamPlace place_;
    LogWindow window_;
    net::AwsClient client_;
    std::string forward_;  ///< where what was read ends
};

}  // namespace

std::unique_ptr<LogSource> cloudwatch_source(net::AwsTransport transport, LogStreamPlace place, LogWindow window) {
    return std::make_unique<CloudWatchSource>(transport, std::move(place), window);
}

}  // namespace nodeagent::cli
