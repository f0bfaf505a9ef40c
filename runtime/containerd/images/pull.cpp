#include "runtime/containerd/images/pull.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "agent/base/time_format.hpp"
#include "runtime/containerd/images/unpacker.hpp"
#include "runtime/containerd/refusal.hpp"
#include "runtime/registry/platform.hpp"

namespace nodeagent::runtime::containerd {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr const char* kGcContent = "containerd.io/gc.ref.content.";
constexpr const char* kGcSnapshot = "containerd.io/gc.ref.snapshot.";
constexpr const char* kSource = "containerd.io/distribution.source.";
/// Progress is for people; more often than this is only work.
constexpr milliseconds kTellInterval{250};

Error could_not_transition(const char* word, nanoseconds waited) {
    return {
        .kind = ErrorKind::Timeout,
        .what = "Could not transition to " + std::string(word) + "; timed out after waiting " + go_duration(waited)};
}

}  // namespace

Result<void> Pull::run(const PullOptions& options, const std::function<void(const PullProgress&)>& progress,
                       const std::stop_token& stop) {
    std::jthread director([this] {
        Result<void> done = direct();
        if (!done) fail(std::move(done).error());
        const std::lock_guard lock(mutex_);
        finished_ = true;
        changed_.notify_all();
    });
    std::optional<Error> ended;
    std::optional<PullProgress> told;
    std::unique_lock lock(mutex_);
    while (!finished_) {
        // a wait that a stop has ended before would not let go of the mutex
        changed_.wait_for(lock, ended ? std::stop_token() : stop, kTellInterval, [this] { return finished_; });
        if (!ended) {
            ended = expired(options, stop);
            if (ended) stop_.request_stop();
        }
        if (!resolved_ || !progress) continue;
        const PullProgress now = view();
        if (told && told->current_bytes == now.current_bytes && told->layers_done == now.layers_done &&
            told->status == now.status) {
            continue;
        }
        told = now;
        lock.unlock();
        progress(now);
        lock.lock();
    }
    if (!error_) return {};
    // what stopped it, not what the stop has broken
    return ended ? *std::move(ended) : *std::move(error_);
}

std::optional<Error> Pull::expired(const PullOptions& options, const std::stop_token& stop) {
    const auto now = Clock::now();
    std::int64_t bytes = 0;
    for (const auto& layer : layers_) bytes += layer->received;
    if (bytes != seen_bytes_ || unpacking_) active_ = now;
    seen_bytes_ = bytes;
    if (stop.stop_requested()) return Error{.kind = ErrorKind::Unavailable, .what = "context canceled"};
    if (now - begun_ >= options.total_timeout) return could_not_transition("pulled", options.total_timeout);
    if (!resolved_ && now - begun_ >= options.begin_timeout) {
        return could_not_transition("pullBegin", options.begin_timeout);
    }
    if (resolved_ && now - active_ >= options.inactivity_timeout) {
        return Error{.kind = ErrorKind::Unavailable, .what = "inactivity time exceeded timeout while pulling image"};
    }
    return std::nullopt;
}

PullProgress Pull::view() {
    PullProgress out;
    out.layers = layers_.size();
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        out.current_bytes += static_cast<std::uint64_t>(layers_[i]->received.load());
        out.total_bytes += static_cast<std::uint64_t>(manifest_.layers[i].size);
        out.layers_done += layers_[i]->unpacked ? 1U : 0U;
    }
    const bool all = out.current_bytes == out.total_bytes;
    out.status = out.layers_done == out.layers ? "Pull complete" : all ? "Extracting" : "Downloading";
    return out;
}

void Pull::fail(Error error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    stop_.request_stop();
    changed_.notify_all();
}

// ---- the director

Result<void> Pull::direct() {
    if (auto found = find_manifest(); !found) return found;
    {
        const std::lock_guard lock(mutex_);
        for (std::size_t i = 0; i < manifest_.layers.size(); ++i) layers_.push_back(std::make_unique<Layer>());
        resolved_ = true;
        active_ = Clock::now();
    }
    {
        std::vector<std::jthread> fetchers;
        const std::size_t parallel = std::clamp<std::size_t>(parts_.layers_parallel, 1, 16);
        for (std::size_t i = 0; i < std::min(parallel, layers_.size()); ++i) {
            fetchers.emplace_back([this] { fetch_layers(); });
        }
        if (auto fetched = fetch_config(); !fetched) {
            fail(std::move(fetched).error());
        } else {
            unpack_layers();
        }
    }
    {
        const std::lock_guard lock(mutex_);
        if (error_) return *error_;
    }
    return record();
}

Result<void> Pull::find_manifest() {
    auto document = parts_.repository.fetch_top(stop_.get_token());
    // later failures come in Docker's stream of progress, without these words
    if (!document) return refusal(std::move(document).error());
    Labels labels;
    for (int depth = 0;; ++depth) {
        auto parsed = registry::parse_manifest(document->descriptor.media_type, document->body);
        if (!parsed) return std::move(parsed).error();
        const auto* index = std::get_if<registry::Index>(&*parsed);
        Descriptor descriptor{
            .media_type = index != nullptr ? index->media_type : std::get<registry::Manifest>(*parsed).media_type,
            .digest = document->descriptor.digest,
            .size = document->descriptor.size};
        if (depth == 0) target_ = descriptor;
        if (index == nullptr) {
            manifest_ = std::get<registry::Manifest>(*std::move(parsed));
            labels = {{std::string(kGcContent) + "config", manifest_.config.digest}};
            for (std::size_t i = 0; i < manifest_.layers.size(); ++i) {
                labels[std::string(kGcContent) + "l." + std::to_string(i)] = manifest_.layers[i].digest;
            }
            return blobs_.keep("manifest", document->body, descriptor.digest, labels, parts_.lease, stop_.get_token());
        }
        if (depth == registry::kMaxIndexDepth) {
            return Error{.kind = ErrorKind::Malformed, .what = "the image's manifest lists are nested too deeply"};
        }
        auto chosen = registry::choose_platform(*index, registry::this_platform());
        if (!chosen) return std::move(chosen).error();
        const auto at = std::find_if(index->entries.begin(), index->entries.end(),
                                     [&](const auto& entry) { return entry.manifest == *chosen; });
        labels = {{std::string(kGcContent) + "m." + std::to_string(at - index->entries.begin()), chosen->digest}};
        auto kept = blobs_.keep("index", document->body, descriptor.digest, labels, parts_.lease, stop_.get_token());
        if (!kept) return kept;
        document = parts_.repository.fetch_manifest(chosen->digest, stop_.get_token());
        if (!document) return std::move(document).error();
        if (document->descriptor.size != chosen->size) {
            return Error{.kind = ErrorKind::Malformed,
                         .what = "manifest verification failed for digest " + chosen->digest + ": another size"};
        }
        if (!chosen->media_type.empty()) document->descriptor.media_type = chosen->media_type;
    }
}

Result<void> Pull::fetch_config() {
    const registry::BlobDescriptor& blob = manifest_.config;
    const auto stop = stop_.get_token();
    std::string body;
    if (auto here = parts_.client.read_content(blob.digest, registry::kMaxConfig); here) {
        body = *std::move(here);
    } else {
        const registry::BlobSink sink = [&body](std::string_view bytes) -> Result<void> {
            body += bytes;
            return {};
        };
        if (auto fetched = parts_.repository.fetch_blob(blob, 0, sink, stop); !fetched) return fetched;
    }
    auto parsed = parse_config(body);
    if (!parsed) return std::move(parsed).error();
    config_ = *std::move(parsed);
    if (config_.config.id != blob.digest) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "image config verification failed for digest " + blob.digest};
    }
    if (config_.diff_ids.size() != manifest_.layers.size()) {
        return Error{.kind = ErrorKind::Malformed, .what = "layers from manifest don't match image configuration"};
    }
    // Said before there is a snapshot of that name: from its first moment on, something leads to it.
    Labels labels{{std::string(kSource) + reference_.host, reference_.path}};
    if (!config_.config.chain_id.empty()) labels[kGcSnapshot + parts_.snapshotter] = config_.config.chain_id;
    return blobs_.keep("config", body, blob.digest, labels, parts_.lease, stop);
}

Result<void> Pull::record() {
    registry::Reference by_digest = reference_;
    by_digest.digest = target_.digest;
    std::vector<std::string> names{by_digest.record()};
    if (reference_.digest.empty()) names.push_back(reference_.record());
    for (const std::string& name : names) {
        auto put = parts_.client.put_image({.name = name, .labels = {}, .target = target_});
        if (!put) return put;
    }
    return {};
}

// ---- layers

void Pull::fetch_layers() {
    const auto stop = stop_.get_token();
    const Labels labels{{std::string(kSource) + reference_.host, reference_.path}};
    for (std::size_t i = next_layer_++; i < layers_.size() && !stop.stop_requested(); i = next_layer_++) {
        Layer& layer = *layers_[i];
        auto fetched = blobs_.fetch("layer", manifest_.layers[i], parts_.repository, labels, parts_.lease, stop,
                                    [&layer](std::int64_t bytes) { layer.received = bytes; });
        if (!fetched) return fail(std::move(fetched).error());
        layer.received = manifest_.layers[i].size;
        const std::lock_guard lock(mutex_);
        layer.here = true;
        active_ = Clock::now();
        changed_.notify_all();
    }
}

Result<void> Pull::await_layer(std::size_t index) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop_.get_token(), [&] { return layers_[index]->here || error_; });
    if (layers_[index]->here && !error_ && !stop_.stop_requested()) return {};
    return error_.value_or(Error{.kind = ErrorKind::Unavailable, .what = "context canceled"});
}

void Pull::unpack_layers() {
    UnpackHooks hooks;
    const auto set = [this](bool unpacking) {
        const std::lock_guard lock(mutex_);
        unpacking_ = unpacking;
        active_ = Clock::now();
    };
    hooks.wait_for = [this](std::size_t index) { return await_layer(index); };
    hooks.begun = [&set](std::size_t) { set(true); };
    hooks.done = [this, &set](std::size_t index) {
        set(false);
        const std::lock_guard lock(mutex_);
        layers_[index]->unpacked = true;
    };
    Unpacker unpacker(parts_.client, parts_.work, parts_.snapshotter);
    auto unpacked = unpacker.unpack(manifest_.layers, config_.diff_ids, parts_.lease, stop_.get_token(), hooks);
    set(false);
    if (!unpacked) fail(std::move(unpacked).error());
}

}  // namespace nodeagent::runtime::containerd
