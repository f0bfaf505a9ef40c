// The driver awslogs: events in batches, until the service has taken them.

#include <algorithm>

#include "agent/base/backoff.hpp"
#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "runtime/logs/events.hpp"
#include "runtime/logs/service.hpp"
#include "runtime/logs/sink.hpp"
#include "runtime/logs/tag.hpp"
#include "runtime/logs/text.hpp"

namespace nodeagent::runtime::logs {
namespace {

struct RejectedInfo {
    std::optional<std::int64_t> too_new_from;
    std::optional<std::int64_t> too_old_until;
    std::optional<std::int64_t> expired_until;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("tooNewLogEventStartIndex", &RejectedInfo::too_new_from),
                          optional_field("tooOldLogEventEndIndex", &RejectedInfo::too_old_until),
                          optional_field("expiredLogEventEndIndex", &RejectedInfo::expired_until)};
    }
};

struct PutAnswer {
    std::string next_token;
    std::optional<RejectedInfo> rejected;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("nextSequenceToken", &PutAnswer::next_token),
                          optional_field("rejectedLogEventsInfo", &PutAnswer::rejected)};
    }
};

/// Events from the first index not too new are kept, those before the last too old one are not.
std::uint64_t rejected_of(const RejectedInfo& info, std::size_t count) {
    const auto within = [&](std::int64_t index) {
        return static_cast<std::size_t>(std::clamp<std::int64_t>(index, 0, static_cast<std::int64_t>(count)));
    };
    const std::size_t old = within(std::max(info.too_old_until.value_or(0), info.expired_until.value_or(0)));
    const std::size_t fresh = info.too_new_from ? count - within(*info.too_new_from) : 0;
    return std::min(count, old + fresh);
}

HttpOptions http_options(const LoggerConfig& config) {
    HttpOptions out{.proxy = config.proxy, .ca_file = config.ca_file};
    if (!config.ca_directory.empty()) out.ca_directory = config.ca_directory;
    return out;
}

class AwsLogs final : public Sink {
  public:
    AwsLogs(const LoggerConfig& config, SinkTools tools, ServicePlace place, std::unique_ptr<Pattern> pattern,
            std::string stream)
        : tools_(std::move(tools)),
          service_(tools_.pair, std::move(place), http_options(config), credentials_source(config)),
          group_(option(config, "awslogs-group")),
          stream_(std::move(stream)),
          create_group_(go_bool(option(config, "awslogs-create-group")).value_or(false)),
          create_stream_(go_bool(option(config, "awslogs-create-stream")).value_or(true)),
          interval_(std::chrono::seconds(
              std::max(1LL, parse_integer(option(config, "awslogs-force-flush-interval-seconds")).value_or(5)))),
          pattern_(std::move(pattern)),
          maker_(pattern_.get(), interval_.count(), batch_, [this] { publish(); }) {}

    static std::string option(const LoggerConfig& config, const std::string& key) {
        const auto found = config.options.find(key);
        return found == config.options.end() ? std::string() : found->second;
    }

    void add(const Message& line) override { maker_.add(line); }
    void flush(bool last) override {
        if (last) {
            maker_.end();
        } else {
            maker_.tick(std::chrono::duration_cast<std::chrono::milliseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count());
        }
        publish();
    }
    [[nodiscard]] bool waiting() const override { return !batch_.empty() || maker_.lines_held() > 0; }
    [[nodiscard]] std::size_t lines_held() const override { return maker_.lines_held(); }
    [[nodiscard]] std::chrono::milliseconds interval() const override { return interval_; }
    void forget() override { service_.close(); }

  private:
    void publish() {
        if (batch_.empty()) return;
        Backoff backoff({.min = std::chrono::milliseconds(250), .max = std::chrono::seconds(30), .jitter = 0.5});
        while (!tools_.pair.over()) {
            if (attempt()) {
                batch_.clear();
                tools_.sent();
                return;
            }
            tools_.pair.wait(-1, 0, std::chrono::steady_clock::now() + backoff.next());
            tools_.status.update("running", false);
        }
        batch_.clear();  // not sent: it is still in the queue
    }

    bool failed(const ServiceReply& reply) {
        ++tools_.state.counts.failed_requests;
        tools_.status.failed(reply.what);
        return false;
    }

    [[nodiscard]] std::string name_body(bool with_stream) const {
        std::string out = "{\"logGroupName\":";
        append_json(out, group_, false);
        if (with_stream) {
            out += ",\"logStreamName\":";
            append_json(out, stream_, false);
        }
        return out + "}";
    }

    ServiceReply call(std::string_view operation, std::string_view body) {
        ++tools_.state.counts.requests;
        return service_.call(operation, body);
    }

    /// As Docker does: the stream first, the group when it is missing.
    bool create() {
        if (!create_stream_) return true;
        ServiceReply reply = call("CreateLogStream", name_body(true));
        if (reply.is("ResourceNotFoundException") && create_group_) {
            const ServiceReply group = call("CreateLogGroup", name_body(false));
            if (!group.ok && !group.is("ResourceAlreadyExistsException")) return failed(group);
            reply = call("CreateLogStream", name_body(true));
        }
        if (!reply.ok && !reply.is("ResourceAlreadyExistsException")) return failed(reply);
        return true;
    }

    /// True when the batch is done with, taken or not.
    bool attempt() {
        if (!created_ && !create()) return false;
        created_ = true;
        ServiceReply reply = call("PutLogEvents", batch_.request(group_, stream_, token_));
        if (reply.is("InvalidSequenceTokenException")) {
            token_ = reply.expected_token;
            reply = call("PutLogEvents", batch_.request(group_, stream_, token_));
        }
        if (reply.is("DataAlreadyAcceptedException")) {
            token_ = reply.expected_token;
            return taken(batch_.count());
        }
        if (reply.is("ResourceNotFoundException")) created_ = false;  // somebody removed it: it is made again
        if (reply.hopeless()) {
            tools_.state.counts.refused_events += batch_.count();
            failed(reply);
            return true;
        }
        if (!reply.ok) return failed(reply);
        std::uint64_t rejected = 0;
        if (const auto answer = decode<PutAnswer>(reply.body)) {
            token_ = answer->next_token;
            if (answer->rejected) rejected = rejected_of(*answer->rejected, batch_.count());
        }
        if (rejected > 0) {
            tools_.state.counts.rejected_events += rejected;
            tools_.status.failed("PutLogEvents: " + std::to_string(rejected) +
                                 " events are too old or too new for the service, which does not keep them");
        }
        return taken(batch_.count() - rejected);
    }

    bool taken(std::uint64_t events) {
        tools_.state.counts.events += events;
        tools_.state.counts.event_bytes += batch_.text_bytes();
        tools_.status.worked();
        return true;
    }

    SinkTools tools_;
    LogsService service_;
    std::string group_;
    std::string stream_;
    bool create_group_;
    bool create_stream_;
    bool created_ = false;
    std::string token_;
    std::chrono::milliseconds interval_;
    std::unique_ptr<Pattern> pattern_;
    Batch batch_;
    EventMaker maker_;
};

}  // namespace

Result<std::unique_ptr<Sink>> make_awslogs(const LoggerConfig& config, SinkTools tools) {
    auto place = service_place(config);
    if (!place) return std::move(place).error();
    auto pattern = multiline_pattern(config.options);
    if (!pattern) return std::move(pattern).error();
    std::string stream = AwsLogs::option(config, "awslogs-stream");
    if (stream.empty()) {
        auto tag = log_tag(config, "{{.FullID}}");
        if (!tag) return std::move(tag).error();
        stream = std::move(*tag);
    }
    return std::unique_ptr<Sink>(
        std::make_unique<AwsLogs>(config, std::move(tools), std::move(*place), std::move(*pattern), std::move(stream)));
}

}  // namespace nodeagent::runtime::logs
