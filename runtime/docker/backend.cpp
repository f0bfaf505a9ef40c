#include "runtime/docker/backend.hpp"

#include <boost/asio/ssl/context.hpp>

#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"
#include "runtime/docker/docker_backend.hpp"
#include "runtime/docker/endpoint.hpp"
#include "runtime/docker/forgotten_processes.hpp"
#include "runtime/docker/legacy_plugins.hpp"
#include "runtime/docker/mapping.hpp"
#include "runtime/docker/tls.hpp"

namespace nodeagent::runtime::docker {

using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

constexpr seconds kVersionTimeout{10};
constexpr minutes kPluginsTimeout{1};
constexpr seconds kInspectTimeout{30};
constexpr minutes kStopMargin{2};  // on top of the grace: the daemon needs time to kill and to tear down
constexpr minutes kRemoveTimeout{5};
constexpr minutes kListTimeout{10};
constexpr minutes kVolumeTimeout{5};
constexpr int kForgottenAttempts = 5;
constexpr std::chrono::milliseconds kForgottenPause{300};  // until the daemon has heard that the processes are gone

std::string in_path(std::string_view word) { return percent_encode(word); }

/// The container holding a wanted name is ours when it carries every label we would give it.
bool carries_labels(const ContainerView& existing, const Json& config) {
    const auto labels = config.find("Labels");
    if (labels == config.end() || !labels->is_object()) return false;
    for (const auto& [key, value] : labels->items()) {
        const auto found = existing.labels.find(key);
        if (found == existing.labels.end() || !value.is_string() ||
            value.get_ref<const std::string&>() != found->second) {
            return false;
        }
    }
    return true;
}

}  // namespace

Error transition_timeout(std::string_view word, nanoseconds waited) {
    return Error{
        .kind = ErrorKind::Timeout,
        .what = "Could not transition to " + std::string(word) + "; timed out after waiting " + go_duration(waited)};
}

// ---- calls
// -------------------------------------------------------------------------------------------------------------

asio::awaitable<Result<Json>> DockerBackend::read_version() {
    ApiRequest request{.target = "/version", .timeout = kVersionTimeout};
    Result<ApiResponse> response = co_await client_->call(std::move(request));
    if (!response) co_return std::move(response).error();
    if (response->status != 200) co_return daemon_error(response->status, response->body);
    Result<Json> document = parse_json(response->body);
    if (!document) co_return with_context("read the Docker daemon's version", std::move(document).error());

    const DaemonVersion daemon = daemon_version(*document);
    const auto highest = parse_api_version(daemon.api_version);
    if (!highest) {
        co_return Error{.kind = ErrorKind::Malformed,
                        .what = "what answers at " + client_->endpoint().address +
                                " names no ApiVersion: is it a Docker daemon? Check DOCKER_HOST"};
    }
    // daemons that do not say accept everything older
    const ApiVersion lowest = parse_api_version(daemon.min_api_version).value_or(ApiVersion{1, 12});
    Result<ApiVersions> versions = ApiVersions::of_daemon(lowest, *highest);
    if (!versions) co_return std::move(versions).error();
    versions_ = *versions;
    co_return document;
}

asio::awaitable<Result<ApiVersions>> DockerBackend::versions() {
    if (!versions_) {
        Result<Json> read = co_await read_version();
        if (!read) co_return std::move(read).error();
    }
    co_return *versions_;
}

asio::awaitable<Result<ApiResponse>> DockerBackend::ask(Call call) {
    if (!call.version) {
        Result<ApiVersions> versions = co_await this->versions();
        if (!versions) co_return std::move(versions).error();
        call.version = versions->standard();
    }
    ApiRequest request{.method = std::move(call.method),
                       .target = "/v" + to_string(*call.version) + call.path,
                       .body = std::move(call.body),
                       .content_type = std::move(call.content_type),
                       .headers = std::move(call.headers),
                       .timeout = call.timeout};
    Result<ApiResponse> response = co_await client_->call(std::move(request));
    if (!response) {
        Error error = std::move(response).error();
        if (error.kind == ErrorKind::Timeout) error = transition_timeout(call.word, call.timeout);
        co_return error;
    }
    if (response->status >= 400) co_return daemon_error(response->status, response->body);
    co_return response;
}

asio::awaitable<Result<Json>> DockerBackend::ask_document(Call call) {
    const std::string path = call.path;
    Result<ApiResponse> response = co_await ask(std::move(call));
    if (!response) co_return std::move(response).error();
    Result<Json> document = parse_json(response->body);
    if (!document) co_return with_context("answer of the Docker daemon to " + path, std::move(document).error());
    co_return document;
}

asio::awaitable<Result<void>> DockerBackend::tell(Call call) {
    Result<ApiResponse> response = co_await ask(std::move(call));
    if (!response) co_return std::move(response).error();
    co_return Result<void>{};
}

// ---- the daemon
// --------------------------------------------------------------------------------------------------------

asio::awaitable<Result<Capabilities>> DockerBackend::probe() {
    Result<Json> version = co_await read_version();
    if (!version) co_return std::move(version).error();
    Capabilities capabilities;
    capabilities.runtime = "docker";
    capabilities.version = daemon_version(*version).version;
    capabilities.api_versions = versions_->advertised();

    Call system{.path = "/info", .timeout = kVersionTimeout, .word = "listing"};
    Result<Json> facts = co_await ask_document(std::move(system));
    if (!facts) co_return std::move(facts).error();
    add_daemon_facts(*facts, capabilities);

    capabilities.volume_plugins = legacy_volume_plugins({});
    Call list{.path = "/plugins", .timeout = kPluginsTimeout, .word = "listing plugins"};
    Result<Json> plugins = co_await ask_document(std::move(list));
    if (plugins) {  // a daemon without managed plugins is as good
        for (std::string& name : volume_plugins(*plugins)) capabilities.volume_plugins.push_back(std::move(name));
    }
    std::erase(capabilities.volume_plugins, "local");
    co_return capabilities;
}

asio::awaitable<Result<void>> DockerBackend::ping(nanoseconds deadline) {
    Call call{.path = "/_ping", .timeout = deadline, .word = "listing"};
    Result<void> done = co_await tell(std::move(call));
    co_return done;
}

// ---- containers
// --------------------------------------------------------------------------------------------------------

asio::awaitable<Result<std::string>> DockerBackend::create(ContainerSpec spec, nanoseconds deadline) {
    Result<ApiVersions> versions = co_await this->versions();
    if (!versions) co_return std::move(versions).error();
    const Result<ApiVersion> version = versions->for_payload(spec.api_version);
    if (!version) co_return version.error();

    Call call{.method = "POST",
              .path = "/containers/create?name=" + percent_encode(spec.name),
              .timeout = deadline,
              .word = "created",
              .body = create_body(spec),
              .version = *version};
    Result<Json> created = co_await ask_document(std::move(call));
    if (created) {
        const auto id = created->find("Id");
        if (id == created->end() || !id->is_string()) {
            co_return Error{.kind = ErrorKind::Malformed, .what = "the Docker daemon's answer to create names no Id"};
        }
        co_return id->get<std::string>();
    }
    if (created.error().kind != ErrorKind::Conflict) co_return std::move(created).error();

    Result<ContainerView> existing = co_await inspect(spec.name);
    if (existing && existing->name == spec.name && carries_labels(*existing, spec.config)) co_return existing->id;
    co_return std::move(created).error();
}

asio::awaitable<Result<void>> DockerBackend::start(std::string id, nanoseconds deadline) {
    for (int attempt = 1;; ++attempt) {
        // 304: it runs already
        Call call{
            .method = "POST", .path = "/containers/" + in_path(id) + "/start", .timeout = deadline, .word = "started"};
        Result<void> done = co_await tell(std::move(call));
        if (done || attempt == kForgottenAttempts || !says_forgotten(done.error().what, id)) co_return done;
        log::warn(
            "the Docker daemon died while it started this container and does not know that it runs; what runs "
            "of it is killed, and it is started again",
            {{"container", id}, {"killed", kill_forgotten(id)}});
        asio::steady_timer pause(co_await asio::this_coro::executor, kForgottenPause);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

asio::awaitable<Result<void>> DockerBackend::stop(std::string id, seconds grace) {
    // 304: it has ended already; an absent one has ended too, and inspect() will tell
    Call call{.method = "POST",
              .path = "/containers/" + in_path(id) + "/stop?t=" + std::to_string(grace.count()),
              .timeout = grace + kStopMargin,
              .word = "stopped"};
    Result<void> done = co_await tell(std::move(call));
    if (!done && done.error().kind == ErrorKind::NotFound) co_return Result<void>{};
    co_return done;
}

asio::awaitable<Result<void>> DockerBackend::remove(std::string id) {
    Call call{.method = "DELETE",
              .path = "/containers/" + in_path(id) + "?v=1",
              .timeout = kRemoveTimeout,
              .word = "removing"};
    Result<void> done = co_await tell(std::move(call));
    if (!done && done.error().kind == ErrorKind::NotFound) co_return Result<void>{};
    // our own earlier request, whose answer was lost, is at work
    if (!done && done.error().kind == ErrorKind::Conflict && done.error().what.ends_with("is already in progress")) {
        co_return Result<void>{};
    }
    co_return done;
}

asio::awaitable<Result<ContainerView>> DockerBackend::inspect(std::string id) {
    Call call{.path = "/containers/" + in_path(id) + "/json", .timeout = kInspectTimeout, .word = "inspecting"};
    Result<Json> inspected = co_await ask_document(std::move(call));
    if (!inspected) co_return std::move(inspected).error();
    co_return container_view(*inspected);
}

asio::awaitable<Result<std::vector<ContainerView>>> DockerBackend::list(std::string label) {
    Call call{.path = "/containers/json?all=1", .timeout = kListTimeout, .word = "listing"};
    if (!label.empty()) {
        Json filters = Json::object();
        filters["label"] = Json::array({std::move(label)});
        call.path += "&filters=" + percent_encode(dump_json(filters));
    }
    Result<Json> listed = co_await ask_document(std::move(call));
    if (!listed) co_return std::move(listed).error();
    std::vector<ContainerView> views;
    if (listed->is_array()) {
        views.reserve(listed->size());
        for (const Json& element : *listed) views.push_back(listed_container(element));
    }
    co_return views;
}

asio::awaitable<Error> DockerBackend::watch(std::function<void()> connected, std::function<void(RuntimeEvent)> sink) {
    Result<ApiVersions> versions = co_await this->versions();
    if (!versions) co_return std::move(versions).error();
    std::string target = "/v" + to_string(versions->standard()) + "/events?filters=" + percent_encode(event_filters());
    if (!client_->endpoint().path.empty()) {
        // The daemon answers before it subscribes. It replays what has happened since a moment of its clock, which over
        // the socket is ours, so nothing is lost in between.
        const auto since = std::chrono::system_clock::now().time_since_epoch();
        const auto whole = std::chrono::floor<seconds>(since);
        std::string nanos = std::to_string(std::chrono::duration_cast<nanoseconds>(since - whole).count());
        nanos.insert(0, 9 - nanos.size(), '0');
        target += "&since=" + std::to_string(whole.count()) + "." + nanos;
    }
    ApiRequest request{.target = std::move(target)};
    std::function<void(std::string_view)> on_line = [&sink](std::string_view line) {
        if (auto event = runtime_event(line)) sink(std::move(*event));
    };
    StreamEnd end =
        co_await client_->stream(std::move(request), StreamTimeouts{}, std::move(connected), std::move(on_line));
    versions_.reset();
    if (end.refusal) co_return daemon_error(end.refusal->status, end.refusal->body);
    if (end.error) co_return *std::move(end.error);
    co_return Error{.kind = ErrorKind::Unavailable, .what = "the Docker daemon ended the event stream"};
}

// ---- volumes
// -----------------------------------------------------------------------------------------------------------

asio::awaitable<Result<void>> DockerBackend::create_volume(VolumeSpec spec) {
    Call call{.method = "POST",
              .path = "/volumes/create",
              .timeout = kVolumeTimeout,
              .word = "creating volume",
              .body = volume_body(spec)};
    Result<void> done = co_await tell(std::move(call));
    co_return done;
}

asio::awaitable<Result<VolumeSpec>> DockerBackend::inspect_volume(std::string name) {
    Call call{.path = "/volumes/" + in_path(name), .timeout = kVolumeTimeout, .word = "inspecting volume"};
    Result<Json> volume = co_await ask_document(std::move(call));
    if (!volume) co_return std::move(volume).error();
    co_return volume_view(*volume);
}

asio::awaitable<Result<void>> DockerBackend::remove_volume(std::string name) {
    Call call{
        .method = "DELETE", .path = "/volumes/" + in_path(name), .timeout = kVolumeTimeout, .word = "removing volume"};
    Result<void> done = co_await tell(std::move(call));
    if (!done && done.error().kind == ErrorKind::NotFound) co_return Result<void>{};
    co_return done;
}

// ---- construction
// ------------------------------------------------------------------------------------------------------

Result<std::unique_ptr<Backend>> make_backend(asio::any_io_executor shard, Options options) {
    Result<Endpoint> endpoint = parse_endpoint(options.host, options.tls);
    if (!endpoint) return std::move(endpoint).error();
    auto tls = make_tls_context(options);
    if (!tls) return std::move(tls).error();
    auto client = std::make_unique<ApiClient>(std::move(shard), std::move(*endpoint), std::move(*tls));
    return std::unique_ptr<Backend>(std::make_unique<DockerBackend>(std::move(client)));
}

}  // namespace nodeagent::runtime::docker
