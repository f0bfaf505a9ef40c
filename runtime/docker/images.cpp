#include "agent/base/strings.hpp"
#include "runtime/docker/docker_backend.hpp"
#include "runtime/docker/image_reference.hpp"
#include "runtime/docker/mapping.hpp"

namespace nodeagent::runtime::docker {

using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

constexpr ApiVersion kDistributionVersion{1, 35};
constexpr seconds kInspectTimeout{30};
constexpr seconds kTagTimeout{30};
constexpr minutes kRemoveTimeout{3};
constexpr minutes kLoadTimeout{2};
constexpr minutes kListTimeout{10};
/// Progress is for people; more often than this is only work.
constexpr std::chrono::milliseconds kProgressInterval{250};

std::string in_path(std::string_view image) { return percent_encode(image, true); }

/// Schema 1 manifests have no digest that could be pulled by.
bool has_digest(std::string_view media_type) {
    return media_type != "application/vnd.docker.distribution.manifest.v1+json" &&
           media_type != "application/vnd.docker.distribution.manifest.v1+prettyjws";
}

}  // namespace

asio::awaitable<Result<ImageView>> DockerBackend::inspect_image(std::string image) {
    Call call{.path = "/images/" + in_path(image) + "/json", .timeout = kInspectTimeout, .word = "inspecting"};
    Result<Json> document = co_await ask_document(std::move(call));
    if (!document) co_return std::move(document).error();
    co_return image_view(*document);
}

asio::awaitable<Result<std::string>> DockerBackend::resolve_digest(std::string image, RegistryAuth auth,
                                                                   nanoseconds deadline) {
    Result<ApiVersions> versions = co_await this->versions();
    if (!versions) co_return std::move(versions).error();
    const ApiVersion version = std::max(kDistributionVersion, versions->standard());
    if (!versions->usable(version)) co_return std::string();  // the daemon cannot ask registries: pull by name

    Call call{.path = "/distribution/" + in_path(image) + "/json",
              .timeout = deadline,
              .word = "MANIFEST_PULLED",
              .headers = {{"X-Registry-Auth", registry_auth_header(auth, false)}},
              .version = version};
    Result<Json> document = co_await ask_document(std::move(call));
    if (!document) {
        Error error = std::move(document).error();
        error.kind = kind_of_pull_error(error.what, error.kind);
        co_return error;
    }
    const auto descriptor = manifest_descriptor(*document);
    if (!descriptor) {
        co_return Error{.kind = ErrorKind::Malformed, .what = "the Docker daemon names no manifest of " + image};
    }
    if (!has_digest(descriptor->media_type)) co_return std::string();
    co_return descriptor->digest;
}

asio::awaitable<Result<void>> DockerBackend::pull(std::string reference, RegistryAuth auth, PullOptions options,
                                                  std::function<void(const PullProgress&)> progress) {
    using Clock = std::chrono::steady_clock;
    Result<ApiVersions> versions = co_await this->versions();
    if (!versions) co_return std::move(versions).error();
    const ImageReference image = parse_image_reference(reference);
    ApiRequest request{.method = "POST",
                       .target = "/v" + to_string(versions->standard()) + "/images/create?fromImage=" +
                                 percent_encode(image.repository) + "&tag=" + percent_encode(image.tag),
                       .headers = {{"X-Registry-Auth", registry_auth_header(auth, true)}}};
    const StreamTimeouts timeouts{
        .begin = options.begin_timeout, .inactivity = options.inactivity_timeout, .total = options.total_timeout};
    PullLog log;
    Clock::time_point told{};
    std::function<void(std::string_view)> on_line = [&](std::string_view line) {
        const bool first = told == Clock::time_point{};
        if (!log.add(line) && !first) return;
        const Clock::time_point now = Clock::now();
        if (!progress || (!first && now - told < kProgressInterval)) return;
        told = now;
        progress(log.progress());
    };
    StreamEnd end = co_await client_->stream(std::move(request), timeouts, {}, std::move(on_line));

    if (log.error()) {
        co_return Error{.kind = kind_of_pull_error(*log.error(), ErrorKind::Internal), .what = *log.error()};
    }
    if (end.refusal) {
        Error error = daemon_error(end.refusal->status, end.refusal->body);
        error.kind = kind_of_pull_error(error.what, error.kind);
        co_return error;
    }
    switch (end.expired) {
        case StreamEnd::Expired::Begin: co_return transition_timeout("pullBegin", options.begin_timeout);
        case StreamEnd::Expired::Total: co_return transition_timeout("pulled", options.total_timeout);
        case StreamEnd::Expired::Inactivity:  // not a timeout to ECS: it is retried like a failed pull
            co_return Error{.kind = ErrorKind::Unavailable,
                            .what = "inactivity time exceeded timeout while pulling image"};
        case StreamEnd::Expired::None: break;
    }
    if (end.error) co_return *std::move(end.error);
    co_return Result<void>{};
}

asio::awaitable<Result<void>> DockerBackend::tag(std::string source, std::string target) {
    const ImageReference to = parse_image_reference(target);
    Call call{.method = "POST",
              .path = "/images/" + in_path(source) + "/tag?repo=" + percent_encode(to.repository) +
                      "&tag=" + percent_encode(to.tag) + "&force=1",
              .timeout = kTagTimeout,
              .word = "pulled"};
    Result<void> done = co_await tell(std::move(call));
    co_return done;
}

asio::awaitable<Result<void>> DockerBackend::load_image(std::string archive) {
    Call call{.method = "POST",
              .path = "/images/load?quiet=1",
              .timeout = kLoadTimeout,
              .word = "loading image",
              .body = std::move(archive),
              .content_type = "application/x-tar"};
    Result<ApiResponse> response = co_await ask(std::move(call));
    if (!response) co_return std::move(response).error();
    // what fails after the daemon has begun to answer is a line among its messages
    PullLog log;
    for (const std::string_view line : split(response->body, '\n')) log.add(line);
    if (log.error()) co_return Error{.kind = ErrorKind::Malformed, .what = *log.error()};
    co_return Result<void>{};
}

asio::awaitable<Result<void>> DockerBackend::remove_image(std::string image) {
    Call call{
        .method = "DELETE", .path = "/images/" + in_path(image), .timeout = kRemoveTimeout, .word = "removing image"};
    Result<void> done = co_await tell(std::move(call));
    co_return done;
}

asio::awaitable<Result<std::vector<ImageView>>> DockerBackend::list_images() {
    Call call{.path = "/images/json", .timeout = kListTimeout, .word = "listing"};
    Result<Json> listed = co_await ask_document(std::move(call));
    if (!listed) co_return std::move(listed).error();
    std::vector<ImageView> views;
    if (listed->is_array()) {
        views.reserve(listed->size());
        for (const Json& image : *listed) views.push_back(image_view(image));
    }
    co_return views;
}

}  // namespace nodeagent::runtime::docker
