#include "agent/cli/logs/docker_source.hpp"

#include <array>
#include <cstdio>
#include <utility>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>

#include "agent/base/json.hpp"
#include "agent/cli/logs/docker_stream.hpp"
#include "runtime/docker/api_client.hpp"
#include "runtime/docker/connection.hpp"
#include "runtime/docker/endpoint.hpp"
#include "runtime/docker/tls.hpp"

namespace nodeagent::cli {

namespace docker = runtime::docker;
namespace http = boost::beast::http;

namespace {

struct DockerMessage {
    std::string message;
    static constexpr auto json_fields() { return std::tuple{optional_field("message", &DockerMessage::message)}; }
};

struct InspectedLogConfig {
    std::string type;
    std::map<std::string, Json> options;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("Type", &InspectedLogConfig::type),
                          optional_field("Config", &InspectedLogConfig::options)};
    }
};
struct InspectedHostConfig {
    InspectedLogConfig log;
    static constexpr auto json_fields() { return std::tuple{optional_field("LogConfig", &InspectedHostConfig::log)}; }
};
struct InspectedConfig {
    bool terminal = false;
    static constexpr auto json_fields() { return std::tuple{optional_field("Tty", &InspectedConfig::terminal)}; }
};
struct Inspected {
    InspectedConfig config;
    InspectedHostConfig host_config;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("Config", &Inspected::config),
                          optional_field("HostConfig", &Inspected::host_config)};
    }
};

Error refused_by_docker(int status, const std::string& body) {
    const auto told = decode<DockerMessage>(body);
    std::string what =
        "Docker: " + (told && !told->message.empty() ? told->message : "status " + std::to_string(status));
    if (what.find("does not support reading") != std::string::npos) {
        what += "; read it where the driver sends it, or give the container another log driver";
    }
    const ErrorKind kind = status == 404  ? ErrorKind::NotFound
                           : status < 500 ? ErrorKind::Denied
                                          : ErrorKind::Unavailable;
    // of 501 (no reading) nothing changes either
    return {.kind = status == 501 ? ErrorKind::Denied : kind, .what = std::move(what)};
}

std::string docker_time(std::int64_t nanoseconds) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%lld.%09lld", static_cast<long long>(nanoseconds / 1'000'000'000),
                  static_cast<long long>(nanoseconds % 1'000'000'000));
    return text.data();
}

class DockerSource final : public LogSource {
  public:
    DockerSource(docker::Options options, std::string id, bool terminal, LogWindow window)
        : options_(std::move(options)), id_(std::move(id)), terminal_(terminal), window_(window) {}

    asio::awaitable<Result<std::vector<LogLine>>> read(Reading reading) override {
        std::vector<LogLine> lines;
        if (reading == Reading::History && over_) co_return lines;
        if (!answer_) {
            auto opened = co_await open(reading == Reading::Live);
            if (!opened) co_return std::move(opened).error();
        }
        while (lines.empty() && !answer_->is_done()) {
            for (bool more = true; more && lines.size() < kLinesAtOnce && !answer_->is_done();) {
                answer_->get().body().data = block_.data();
                answer_->get().body().size = block_.size();
                auto failed = co_await connection_->read_some(*answer_);
                if (failed == http::error::need_buffer) failed = {};
                if (failed) {
                    answer_.reset();
                    co_return Error{.kind = ErrorKind::Unavailable,
                                    .what = "the connection to Docker broke: " + failed.message()};
                }
                const std::size_t got = block_.size() - answer_->get().body().size;
                const auto fed = stream_->feed(std::string_view(block_.data(), got), lines);
                if (!fed) co_return fed.error();
                more = reading == Reading::History && got > 0;
            }
            leave_out_known(lines);
        }
        if (answer_->is_done()) {
            if (reading == Reading::Live) stream_->finish(lines);
            if (reading == Reading::Live) leave_out_known(lines);
            if (lines.empty()) {
                over_ = reading == Reading::History;
                answer_.reset();
            }
        }
        for (const LogLine& line : lines) {
            if (line.time > last_) same_ = 0;
            last_ = std::max(last_, line.time);
            same_ += line.time == last_ ? 1 : 0;
        }
        co_return lines;
    }

    std::vector<LogLine> rest() override {
        std::vector<LogLine> lines;
        if (stream_) stream_->finish(lines);
        return lines;
    }

  private:
    asio::awaitable<Result<void>> open(bool live) {
        const auto endpoint = docker::parse_endpoint(options_.host, options_.tls);
        if (!endpoint) co_return endpoint.error();
        auto tls = docker::make_tls_context(options_);
        if (!tls) co_return std::move(tls).error();
        tls_ = *std::move(tls);
        std::string target = "/containers/" + id_ + "/logs?stdout=1&stderr=1&timestamps=1";
        if (live) target += "&follow=1";
        // again from the last line: several may have its time
        known_ = same_;
        known_time_ = last_;
        const std::int64_t since = last_ != 0 ? last_ : window_.since;
        if (!live && window_.tail) target += "&tail=" + std::to_string(*window_.tail);
        const std::int64_t from = live && last_ == 0 && window_.tail ? asked_ : since;
        if (from != 0) target += "&since=" + docker_time(from);
        if (!live) {
            asked_ = std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
        }
        const auto executor = co_await asio::this_coro::executor;
        connection_ = docker::make_connection(executor, *endpoint, tls_.get());
        connection_->expires_at(std::chrono::steady_clock::now() + std::chrono::seconds(30));
        auto failed = co_await connection_->connect();
        if (failed) {
            co_return Error{.kind = ErrorKind::Unavailable,
                            .what = "Docker does not answer at " + options_.host + " (" + failed.message() +
                                    "); is it running? systemctl status docker"};
        }
        docker::Connection::Request request;
        request.method_string("GET");
        request.target(target);
        request.version(11);
        request.set(http::field::host, "docker");
        request.set(http::field::user_agent, "ecs-node/" NODEAGENT_VERSION);
        answer_.emplace();
        answer_->body_limit(boost::none);
        failed = co_await connection_->write(request);
        if (!failed) failed = co_await connection_->read_header(*answer_);
        if (failed) {
            answer_.reset();
            co_return Error{.kind = ErrorKind::Unavailable, .what = "Docker did not answer: " + failed.message()};
        }
        connection_->expires_at(docker::Connection::TimePoint::max());
        const int status = static_cast<int>(answer_->get().result_int());
        if (status != 200) {
            std::string body;
            while (!answer_->is_done() && body.size() < block_.size()) {
                answer_->get().body().data = block_.data();
                answer_->get().body().size = block_.size();
                failed = co_await connection_->read_some(*answer_);
                if (failed && failed != http::error::need_buffer) break;
                body.append(block_.data(), block_.size() - answer_->get().body().size);
            }
            answer_.reset();
            co_return refused_by_docker(status, body);
        }
        stream_.emplace(terminal_);
        co_return Result<void>();
    }

    void leave_out_known(std::vector<LogLine>& lines) {
        std::erase_if(lines, [this](const LogLine& line) {
            if (line.time < known_time_) return true;
            if (line.time != known_time_ || known_ == 0) return false;
            --known_;
            return true;
        });
    }

    docker::Options options_;
    std::string id_;
    bool terminal_;
    LogWindow window_;
    std::unique_ptr<asio::ssl::context> tls_;
    std::unique_ptr<docker::Connection> connection_;
    std::optional<http::response_parser<http::buffer_body>> answer_;
    std::optional<DockerStream> stream_;
    std::array<char, 16384> block_{};
    bool over_ = false;       ///< history is
    std::int64_t asked_ = 0;  ///< when history was asked for
    std::int64_t last_ = 0;   ///< time of the newest line given
    std::size_t same_ = 0;    ///< how many were given that have it
    std::int64_t known_time_ = 0;
    std::size_t known_ = 0;  ///< of the lines to come, how many with that time were given before
};

}  // namespace

asio::awaitable<Result<DockerLog>> inspect_docker_log(docker::Options options, std::string container_id) {
    auto endpoint = docker::parse_endpoint(options.host, options.tls);
    if (!endpoint) co_return endpoint.error();
    auto tls = docker::make_tls_context(options);
    if (!tls) co_return std::move(tls).error();
    const auto executor = co_await asio::this_coro::executor;
    docker::ApiClient client(executor, *endpoint, *std::move(tls));
    docker::ApiRequest request;
    request.target = "/containers/" + container_id + "/json";
    const auto answer = co_await client.call(std::move(request));
    if (!answer) co_return answer.error();
    if (answer->status != 200) co_return refused_by_docker(answer->status, answer->body);
    auto inspected = decode<Inspected>(answer->body);
    // the reason may quote the document, which holds the environment
    if (!inspected) co_return Error{.kind = ErrorKind::Malformed, .what = "Docker's answer cannot be read"};
    DockerLog out;
    out.driver = inspected->host_config.log.type;
    out.terminal = inspected->config.terminal;
    for (const char* key : {"awslogs-group", "awslogs-stream", "awslogs-region", "awslogs-endpoint", "tag"}) {
        const auto found = inspected->host_config.log.options.find(key);
        if (found != inspected->host_config.log.options.end() && found->second.is_string()) {
            out.awslogs[key] = found->second.get<std::string>();
        }
    }
    co_return out;
}

std::unique_ptr<LogSource> docker_source(docker::Options options, std::string container_id, bool terminal,
                                         LogWindow window) {
    return std::make_unique<DockerSource>(std::move(options), std::move(container_id), terminal, window);
}

}  // namespace nodeagent::cli
