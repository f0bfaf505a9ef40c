// ImageStore: what needs a registry.

#include <utility>

#include "agent/base/time_format.hpp"
#include "runtime/containerd/images/deadline.hpp"
#include "runtime/containerd/images/image_store_state.hpp"
#include "runtime/containerd/images/pull.hpp"
#include "runtime/containerd/refusal.hpp"

namespace nodeagent::runtime::containerd {

namespace {

/// Another attempt would find what this one has got of use.
bool is_worth_keeping(const Error& error) {
    if (error.what.find("no space left on device") != std::string::npos) return false;
    return error.kind == ErrorKind::Unavailable || error.kind == ErrorKind::Timeout ||
           error.kind == ErrorKind::Throttled || error.kind == ErrorKind::Internal;
}

}  // namespace

Result<std::string> ImageStore::resolve_digest(const std::string& image, const RegistryAuth& auth,
                                               std::chrono::nanoseconds deadline, std::stop_token stop) {
    auto reference = registry::parse_reference(image);
    if (!reference) return std::move(reference).error();
    const Deadline limit(deadline, std::move(stop));
    const auto repository = state_->registries.open(*reference, auth);
    auto descriptor = repository->resolve(limit.token());
    if (!descriptor && limit.passed()) {
        return Error{
            .kind = ErrorKind::Timeout,
            .what = "Could not transition to MANIFEST_PULLED; timed out after waiting " + go_duration(deadline)};
    }
    if (!descriptor) return refusal(std::move(descriptor).error());
    if (registry::is_schema_1(descriptor->media_type)) return std::string();
    return descriptor->digest;
}

Result<void> ImageStore::pull(const std::string& image, const RegistryAuth& auth, const PullOptions& options,
                              const std::function<void(const PullProgress&)>& progress, std::stop_token stop) {
    auto reference = registry::parse_reference(image);
    if (!reference) return std::move(reference).error();
    auto chosen = snapshotter();
    if (!chosen) return std::move(chosen).error();
    auto lease = state_->leases.take(reference->record(), options.total_timeout);
    if (!lease) return std::move(lease).error();
    const auto repository = state_->registries.open(*reference, auth);
    Pull pull({.client = *state_->client,
               .work = state_->work,
               .repository = *repository,
               .snapshotter = *std::move(chosen),
               .lease = *lease,
               .layers_parallel = state_->options.layers_parallel},
              *reference);
    auto pulled = pull.run(options, progress, stop);
    state_->leases.give_back(reference->record(), *lease, !pulled && is_worth_keeping(pulled.error()));
    return pulled;
}

}  // namespace nodeagent::runtime::containerd
