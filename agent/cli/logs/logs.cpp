#include "agent/cli/logs/logs.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <deque>
#include <set>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "agent/base/blocking_pool.hpp"
#include "agent/base/log.hpp"
#include "agent/base/scope.hpp"
#include "agent/cli/logs/caller_credentials.hpp"
#include "agent/cli/logs/cloudwatch.hpp"
#include "agent/cli/logs/docker_source.hpp"
#include "agent/cli/logs/journal.hpp"
#include "agent/cli/logs/json_file.hpp"
#include "agent/cli/logs/output.hpp"
#include "agent/cli/logs/places.hpp"
#include "agent/cli/logs/printed_line.hpp"
#include "agent/cli/logs/reading.hpp"
#include "agent/cli/since.hpp"
#include "agent/cli/table.hpp"
#include "agent/net/aws_endpoint.hpp"
#include "agent/net/curl_http_client.hpp"

namespace nodeagent::cli {

namespace {

using namespace std::chrono_literals;

net::CurlOptions curl_options_of(const config::Environment& environment, const std::string& docker_host) {
    net::CurlOptions options;
    options.ca_file = config::value_of(environment, "AWS_CA_BUNDLE");
    if (options.ca_file.empty()) options.ca_file = config::value_of(environment, "SSL_CERT_FILE");
    options.ca_dir = config::value_of(environment, "SSL_CERT_DIR");
    options.proxy = net::proxy_from_environment(
        [&environment](const char* name) -> std::optional<std::string> {
            const auto found = environment.find(name);
            return found == environment.end() ? std::nullopt : std::optional(found->second);
        },
        docker_host);
    return options;
}

class Logs {
  public:
    Logs(const Arguments& arguments, const config::Environment& environment)
        : arguments_(arguments), environment_(environment) {
        window_.since = since_time(arguments.since, std::chrono::system_clock::now()).value_or(0);
        if (arguments.tail) window_.tail = static_cast<std::size_t>(*arguments.tail);
    }

    int run() {
        auto task = ask_log_places(ask_agent(), arguments_.id);
        if (!task) return fail(task.error());
        auto names = shown_containers(*task, arguments_.container);
        if (!names) return fail(names.error());
        task_ = *std::move(task);
        style_.timestamps = arguments_.timestamps;
        style_.json = arguments_.json;
        for (const std::string& name : *names) {
            feeds_.push_back({.container = name, .source = nullptr});
            if (names->size() > 1) style_.name_width = std::max(style_.name_width, name.size());
        }
        asio::co_spawn(io_, show(*this), [this](std::exception_ptr thrown) {
            if (thrown) std::rethrow_exception(thrown);
            io_.stop();
        });
        io_.run();
        output_.flush();
        // a thread may still ask the agent, which has nothing left to tell
        return failed_.empty() ? 0 : 1;
    }

  private:
    static asio::awaitable<void> show(Logs& self) {
        for (LogFeed& feed : self.feeds_) {
            co_await self.inspect(feed);
            auto opened = self.open(feed);
            if (!opened) self.give_up(feed, opened.error());
            if (opened && !feed.source && !self.arguments_.follow) {
                self.remark(feed, "it was not created, so that nothing was printed");
            }
        }
        std::vector<LogFeed*> readable;
        for (LogFeed& feed : self.feeds_) readable.push_back(&feed);
        EmitLine emit = [&self](const LogFeed& feed, const LogLine& line) { self.print(feed, line); };
        FeedFailed failed = [&self](const LogFeed& feed, const Error& error) {
            // one that is not there yet may come
            if (!self.arguments_.follow || error.kind == ErrorKind::Denied) self.give_up(feed, error);
        };
        co_await read_history(std::move(readable), std::move(emit), std::move(failed), !self.arguments_.follow);
        for (LogFeed& feed : self.feeds_) {
            const std::string remark = feed.source ? feed.source->remark() : std::string();
            if (!remark.empty()) self.remark(feed, remark);
        }
        self.output_.flush();
        if (!self.arguments_.follow) co_return;
        for (LogFeed& feed : self.feeds_) {
            if (self.failed_.contains(feed.container)) continue;
            ++self.followed_;
            self.scope_.spawn(follow(self, feed));
        }
        while (self.followed_ > 0) {
            co_await self.clock_.sleep_for(100ms);
            self.flush_live();
            if (self.clock_.now().steady < self.ask_again_) continue;
            if (self.output_.reader_gone()) ::_exit(kPipeClosed);
            co_await self.ask_again();
        }
        self.flush_live();
    }

    static asio::awaitable<void> follow(Logs& self, LogFeed& feed) {
        FollowTools tools{.clock = self.clock_,
                          .live = self.live_,
                          .has_ended = [&self](const LogFeed& one) { return self.has_ended(one); },
                          .open = [&self](LogFeed& one) { return self.open(one); },
                          .remark = [&self](const LogFeed& one, const std::string& what) { self.remark(one, what); }};
        auto done = co_await follow_feed(feed, std::move(tools));
        if (!done) self.give_up(feed, done.error());
        --self.followed_;
    }

    /// What the agent does not know of a container on Docker.
    asio::awaitable<void> inspect(const LogFeed& feed) {
        ContainerLogPlace* place = place_of(feed);
        if (place == nullptr || task_.runtime != "docker" || place->container_id.empty()) co_return;
        auto options = docker_options_of_task();
        std::string id = place->container_id;
        auto found = co_await inspect_docker_log(std::move(options), std::move(id));
        if (!found) {
            if (place->driver != "awslogs") inspection_failed_.insert_or_assign(feed.container, found.error());
            co_return;
        }
        if (found->terminal) terminals_.insert(place->container_id);
        if (!place->driver.empty()) co_return;
        place->driver = found->driver;
        if (place->driver != "awslogs") co_return;
        place->group = found->awslogs["awslogs-group"];
        place->region = found->awslogs["awslogs-region"];
        place->endpoint = found->awslogs["awslogs-endpoint"];
        place->stream = found->awslogs["awslogs-stream"];
        if (place->stream.empty() && found->awslogs["tag"].empty()) place->stream = place->container_id;
    }

    /// A feed stays without a source while its container is not created.
    Result<void> open(LogFeed& feed) {
        const ContainerLogPlace* place = place_of(feed);
        if (place == nullptr || place->container_id.empty()) return {};
        if (const auto found = inspection_failed_.find(feed.container); found != inspection_failed_.end()) {
            return found->second;
        }
        if (place->driver == "none") {
            return Error{.kind = ErrorKind::Denied,
                         .what =
                             "nothing keeps what it prints: its log driver is none; give it a logConfiguration "
                             "(awslogs, json-file, journald) in the task definition"};
        }
        if (place->driver == "awslogs") return open_cloudwatch(feed, *place);
        if (task_.runtime == "docker") {
            feed.source = docker_source(docker_options_of_task(), place->container_id,
                                        terminals_.contains(place->container_id), window_);
        } else if (place->driver == "json-file") {
            feed.source = json_file_source(place->path, window_);
        } else if (place->driver == "journald") {
            feed.source = journal_source(place->container_id, window_);
        } else {
            return Error{.kind = ErrorKind::Denied,
                         .what = "ecs-node cannot read what the log driver " + place->driver +
                                 " keeps; read it where the driver sends it, or give the container awslogs, json-file "
                                 "or journald"};
        }
        return {};
    }

    Result<void> open_cloudwatch(LogFeed& feed, const ContainerLogPlace& place) {
        if (!place.problem.empty() || place.stream.empty()) {
            return Error{.kind = ErrorKind::Denied,
                         .what = place.problem.empty() ? "the name of its log stream is not known" : place.problem};
        }
        LogStreamPlace where{.group = place.group, .stream = place.stream, .region = place.region, .endpoint = {}};
        if (where.region.empty()) where.region = config::value_of(environment_, "AWS_REGION");
        if (where.region.empty()) where.region = config::value_of(environment_, "AWS_DEFAULT_REGION");
        if (where.region.empty()) {
            return Error{.kind = ErrorKind::Denied,
                         .what =
                             "the region of its log group is not known; set AWS_DEFAULT_REGION, or awslogs-region in "
                             "the task definition"};
        }
        net::EndpointOptions endpoint;
        endpoint.explicit_url = place.endpoint;
        where.endpoint = net::resolve_endpoint("logs", where.region, endpoint);
        if (!credentials_) {
            http_.emplace(pool_, curl_options_of(environment_, task_.docker_host));
            credentials_ = caller_credentials(environment_, *http_, pool_, clock_, ask_agent());
        }
        feed.source = cloudwatch_source({.http = *http_, .credentials = *credentials_, .clock = clock_},
                                        std::move(where), window_);
        return {};
    }

    asio::awaitable<void> ask_again() {
        auto asking = [ask = ask_agent(), arn = task_.task] { return ask_log_places(ask, arn); };
        auto task = co_await pool_.run(std::move(asking));
        ask_again_ = clock_.now().steady + 1s;
        if (!task) {
            const bool gone = task.error().kind == ErrorKind::NotFound;
            if (gone) task_gone_ = true;
            if (!gone && !std::exchange(agent_silent_, true)) {
                complain(task.error().what + "; what is printed meanwhile is still shown");
            }
            co_return;
        }
        agent_silent_ = false;
        const TaskLogPlaces before = std::exchange(task_, *std::move(task));
        // lines from before the container was there cannot be: what was left out of others' does not count for it
        for (const LogFeed& feed : feeds_) {
            const ContainerLogPlace* old = before.container(feed.container);
            if (!feed.source && old != nullptr && old->container_id.empty()) co_await inspect(feed);
        }
    }

    ContainerLogPlace* place_of(const LogFeed& feed) {
        const auto found = std::find_if(task_.containers.begin(), task_.containers.end(),
                                        [&](const ContainerLogPlace& place) { return place.name == feed.container; });
        return found == task_.containers.end() ? nullptr : &*found;
    }

    bool has_ended(const LogFeed& feed) {
        const ContainerLogPlace* place = place_of(feed);
        return task_gone_ || task_.known == "STOPPED" || place == nullptr || place->known == "STOPPED";
    }

    [[nodiscard]] runtime::docker::Options docker_options_of_task() const {
        runtime::docker::Options options;
        options.host = task_.docker_host;
        options.cert_path = task_.docker_cert_path;
        options.tls_verify = task_.docker_tls_verify;
        options.tls = options.tls_verify || !options.cert_path.empty();
        return options;
    }

    [[nodiscard]] AskAgent ask_agent() const {
        return [socket = arguments_.socket](const std::string& target) {
            return call_unix(socket, "GET", target, {}, 10s);
        };
    }

    void print(const LogFeed& feed, const LogLine& line) {
        const bool error = line.stream == PrintedTo::Stderr && !style_.json;
        LineStyle style = style_;
        style.terminal = output_.terminal(error);
        output_.write(error, printed_line(line, feed.container, style));
    }
    void flush_live() {
        live_.flush([this](const LogFeed& feed, const LogLine& line) { print(feed, line); });
        output_.flush();
    }

    void complain(const std::string& what) {
        output_.write(true, "ecs-node: " + printable(what) + "\n");
        output_.flush();
    }
    void remark(const LogFeed& feed, const std::string& what) { complain("container " + feed.container + ": " + what); }
    void give_up(const LogFeed& feed, const Error& error) {
        failed_.insert(feed.container);
        remark(feed, error.what);
    }
    int fail(const Error& error) {
        complain(error.what);
        return 1;
    }

    const Arguments& arguments_;
    const config::Environment& environment_;
    LogWindow window_;
    LineStyle style_;
    LogOutput output_{STDOUT_FILENO, STDERR_FILENO};
    SystemClock clock_;
    asio::io_context io_{1};
    BlockingPool pool_{2};
    std::optional<net::CurlHttpClient> http_;
    std::unique_ptr<credentials::Provider> credentials_;
    TaskLogPlaces task_;
    std::set<std::string> terminals_;  ///< ids of containers on Docker that have one
    std::map<std::string, Error> inspection_failed_;
    std::deque<LogFeed> feeds_;
    std::set<std::string> failed_;  ///< names of containers whose log cannot be read
    LiveLines live_;
    SteadyTime ask_again_{};
    bool task_gone_ = false;
    bool agent_silent_ = false;
    int followed_ = 0;
    Scope scope_{io_.get_executor()};
};

}  // namespace

int show_logs(const Arguments& arguments, const config::Environment& environment) {
    log::set_level(log::Level::None);  // libraries of the agent's speak to people there
    std::signal(SIGINT, [](int) { ::_exit(130); });
    return Logs(arguments, environment).run();
}

}  // namespace nodeagent::cli
