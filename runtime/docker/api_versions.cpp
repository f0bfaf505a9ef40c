#include "runtime/docker/api_versions.hpp"

#include <algorithm>

#include "agent/base/strings.hpp"

namespace nodeagent::runtime::docker {

namespace {

constexpr ApiVersion kFloor{1, 21};       // the reference never goes below
constexpr ApiVersion kFirstKnown{1, 17};  // the range the reference probes
constexpr ApiVersion kLastKnown{1, 44};
constexpr ApiVersion kOldDaemons{1, 24};  // daemons that start here dropped versions tasks are still allowed to ask for

}  // namespace

std::optional<ApiVersion> parse_api_version(std::string_view text) {
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto major = parse_integer(text.substr(0, dot));
    const auto minor = parse_integer(text.substr(dot + 1));
    if (!major || !minor || *major < 0 || *minor < 0 || *major > 1000 || *minor > 100'000) return std::nullopt;
    return ApiVersion{static_cast<int>(*major), static_cast<int>(*minor)};
}

std::string to_string(ApiVersion version) {
    return std::to_string(version.major) + "." + std::to_string(version.minor);
}

Result<ApiVersions> ApiVersions::of_daemon(ApiVersion lowest, ApiVersion highest) {
    if (highest < kFloor) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "the Docker daemon speaks API " + to_string(highest) + " at most; " + to_string(kFloor) +
                             " or newer is needed: upgrade Docker"};
    }
    ApiVersions versions;
    versions.lowest_ = std::min(lowest, highest);
    versions.highest_ = highest;
    versions.standard_ = std::max(kFloor, versions.lowest_);
    return versions;
}

Result<ApiVersion> ApiVersions::for_payload(std::string_view wish) const {
    const auto wanted = parse_api_version(wish);
    if (!wanted || *wanted <= standard_) return standard_;
    if (!usable(*wanted) || *wanted > std::max(kLastKnown, standard_)) {
        const std::string version = to_string(*wanted);
        return Error{
            .kind = ErrorKind::Malformed,
            .what = "(v" + version + ") - docker client factory: client not found for docker version: " + version};
    }
    return *wanted;
}

std::vector<std::string> ApiVersions::advertised() const {
    const ApiVersion from = standard_ >= kOldDaemons ? kFirstKnown : std::max(kFirstKnown, lowest_);
    std::vector<std::string> words;
    for (ApiVersion version = from; version <= std::min(highest_, kLastKnown); ++version.minor) {
        words.push_back(to_string(version));
    }
    return words;
}

}  // namespace nodeagent::runtime::docker
