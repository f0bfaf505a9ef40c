#include "runtime/containerd/images/blob_keeper.hpp"

#include <chrono>
#include <utility>

#include "agent/base/backoff.hpp"
#include "runtime/registry/pause.hpp"

namespace nodeagent::runtime::containerd {

namespace {

using std::chrono::milliseconds;

constexpr BackoffPolicy kLockedBackoff{milliseconds(10), milliseconds(1000), 0.5, 2};

bool is_locked(const Error& error) {
    return error.kind == ErrorKind::Unavailable && error.what.find("locked") != std::string::npos;
}

Error stopped_keeping() { return {.kind = ErrorKind::Unavailable, .what = "context canceled"}; }

}  // namespace

Result<std::unique_ptr<ContentWriter>> BlobKeeper::open(const std::string& ref, std::int64_t size,
                                                        const std::string& digest, const std::string& lease,
                                                        const std::stop_token& stop) {
    Backoff backoff(kLockedBackoff);
    for (;;) {
        auto writer = client_.write_content(ref, size, digest, lease);
        if (writer || !is_locked(writer.error())) return writer;
        if (!registry::pause_for(backoff.next(), stop)) return stopped_keeping();
    }
}

Result<void> BlobKeeper::keep(std::string_view kind, std::string_view bytes, const std::string& digest,
                              const Labels& labels, const std::string& lease, const std::stop_token& stop) {
    const std::string ref = std::string(kind) + "-" + digest;
    const auto size = static_cast<std::int64_t>(bytes.size());
    const auto turn = work_.take("content/" + digest, stop);
    if (!turn) return stopped_keeping();
    auto writer = open(ref, size, digest, lease, stop);
    if (writer && (*writer)->offset() != 0 && (*writer)->offset() != size) {
        writer->reset();  // a broken one of somebody: small enough to begin again
        (void)client_.abort_content(ref);
        writer = open(ref, size, digest, lease, stop);
    }
    if (writer) {
        if ((*writer)->offset() == 0) {
            if (auto written = (*writer)->write(bytes); !written) return written;
        }
        auto committed = (*writer)->commit(size, digest, labels);
        if (committed) return {};
        if (committed.error().kind != ErrorKind::Conflict) return committed;
    } else if (writer.error().kind != ErrorKind::Conflict) {
        return std::move(writer).error();
    }
    if (labels.empty()) return {};
    return client_.label_content(digest, labels);
}

Result<void> BlobKeeper::fetch(std::string_view kind, const registry::BlobDescriptor& blob, registry::Repository& from,
                               const Labels& labels, const std::string& lease, const std::stop_token& stop,
                               const std::function<void(std::int64_t)>& received) {
    const std::string ref = std::string(kind) + "-" + blob.digest;
    auto turn = work_.take("content/" + blob.digest, stop, received);
    if (!turn) return stopped_keeping();
    for (bool again = true;; again = false) {
        auto writer = open(ref, blob.size, blob.digest, lease, stop);
        if (!writer) {
            if (writer.error().kind != ErrorKind::Conflict) return std::move(writer).error();
            received(blob.size);
            return {};
        }
        const std::int64_t begin = (*writer)->offset();
        std::int64_t here = begin;
        received(here);
        Result<void> fetched;
        if (begin <= blob.size) {
            const registry::BlobSink sink = [&](std::string_view bytes) -> Result<void> {
                auto written = (*writer)->write(bytes);
                if (!written) return written;
                here += static_cast<std::int64_t>(bytes.size());
                turn->progress(here);
                received(here);
                return {};
            };
            fetched = from.fetch_blob(blob, begin, sink, stop);
            if (!fetched) return fetched;
            fetched = (*writer)->commit(blob.size, blob.digest, labels);
            if (fetched || fetched.error().kind == ErrorKind::Conflict) return {};
            if (fetched.error().kind != ErrorKind::Malformed) return fetched;
        }
        writer->reset();
        (void)client_.abort_content(ref);
        // What was found here may have been another's rubbish. What we got ourselves is the registry's.
        if (again && begin > 0) continue;
        return Error{.kind = ErrorKind::Malformed,
                     .what = "filesystem layer verification failed for digest " + blob.digest};
    }
}

}  // namespace nodeagent::runtime::containerd
