// GrpcClient: the content store.

#include <algorithm>
#include <utility>

#include "runtime/containerd/grpc/grpc_client.hpp"
#include "runtime/containerd/grpc/wire.hpp"

namespace nodeagent::runtime::containerd::wire_grpc {

namespace {

constexpr const char* kWrite = "/containerd.services.content.v1.Content/Write";
constexpr std::size_t kChunk = 1U << 20U;
constexpr int kUnanswered = 4;  ///< chunks on their way before an answer is waited for

class GrpcContentWriter final : public ContentWriter {
  public:
    using Stream = grpc::ClientReaderWriter<wire::WriteContentRequest, wire::WriteContentResponse>;

    GrpcContentWriter(std::string ref, std::unique_ptr<grpc::ClientContext> about, std::unique_ptr<Stream> stream,
                      std::int64_t offset)
        : ref_(std::move(ref)), about_(std::move(about)), stream_(std::move(stream)), offset_(offset) {}
    ~GrpcContentWriter() override {
        if (!stream_) return;
        about_->TryCancel();
        (void)stream_->Finish();
    }
    GrpcContentWriter(const GrpcContentWriter&) = delete;
    GrpcContentWriter& operator=(const GrpcContentWriter&) = delete;

    [[nodiscard]] std::int64_t offset() const override { return offset_; }

    Result<void> write(std::string_view bytes) override {
        if (!stream_) return Error{.kind = ErrorKind::Unavailable, .what = "the ingest " + ref_ + " is broken"};
        while (!bytes.empty()) {
            const std::string_view chunk = bytes.substr(0, kChunk);
            wire::WriteContentRequest request;
            request.set_action(wire::WRITE);
            request.set_ref(ref_);
            request.set_offset(offset_);
            request.set_data(chunk.data(), chunk.size());
            if (!stream_->Write(request)) return broken();
            offset_ += static_cast<std::int64_t>(chunk.size());
            bytes.remove_prefix(chunk.size());
            if (++unanswered_ < kUnanswered) continue;
            if (auto read = read_answer(); !read) return read;
        }
        return {};
    }

    Result<void> commit(std::int64_t size, const std::string& digest, const Labels& labels) override {
        if (!stream_) return Error{.kind = ErrorKind::Unavailable, .what = "the ingest " + ref_ + " is broken"};
        while (unanswered_ > 0) {
            if (auto read = read_answer(); !read) return read;
        }
        wire::WriteContentRequest request;
        request.set_action(wire::COMMIT);
        request.set_ref(ref_);
        request.set_total(size);
        request.set_expected(digest);
        request.set_offset(offset_);
        put(*request.mutable_labels(), labels);
        if (!stream_->Write(request)) return of_commit(broken());
        stream_->WritesDone();
        // to the end of the stream, which Finish() waits for
        std::string committed;
        while (stream_->Read(&answer_)) committed = answer_.digest();
        const grpc::Status status = std::exchange(stream_, nullptr)->Finish();
        if (!status.ok()) return of_commit(error_of(status));
        if (committed != digest) {
            return Error{.kind = ErrorKind::Malformed,
                         .what = "committed " + committed + " where " + digest + " was expected"};
        }
        return {};
    }

  private:
    Result<void> read_answer() {
        if (!stream_->Read(&answer_)) return broken();
        --unanswered_;
        return {};
    }
    Error broken() {
        const grpc::Status status = std::exchange(stream_, nullptr)->Finish();
        if (!status.ok()) return error_of(status);
        return Error{.kind = ErrorKind::Unavailable, .what = "the ingest " + ref_ + " was ended by the daemon"};
    }
    /// FAILED_PRECONDITION of a commit is a wrong digest or size; of "exists already" it is no matter.
    static Error of_commit(Error error) {
        const bool wrong = error.what.find("unexpected commit") != std::string::npos;
        if (error.kind == ErrorKind::Conflict && wrong) error.kind = ErrorKind::Malformed;
        return error;
    }

    std::string ref_;
    std::unique_ptr<grpc::ClientContext> about_;
    std::unique_ptr<Stream> stream_;
    std::int64_t offset_;
    int unanswered_ = 0;
    wire::WriteContentResponse answer_;
};

}  // namespace

Result<ContentInfo> GrpcClient::content_info(const std::string& digest) {
    wire::ContentInfoRequest request;
    request.set_digest(digest);
    const auto answer =
        connection_.call<wire::ContentInfoResponse>("/containerd.services.content.v1.Content/Info", request);
    if (!answer) return answer.error();
    return ContentInfo{
        .digest = answer->info().digest(), .size = answer->info().size(), .labels = labels_of(answer->info().labels())};
}

Result<std::string> GrpcClient::read_content(const std::string& digest, std::size_t limit) {
    const auto info = content_info(digest);
    if (!info) return info.error();
    if (std::cmp_greater(info->size, limit)) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = digest + " has " + std::to_string(info->size) + " bytes, more than the " +
                             std::to_string(limit) + " that are allowed"};
    }
    wire::ReadContentRequest request;
    request.set_digest(digest);
    const auto about = connection_.context(kCallTimeout + std::chrono::seconds(info->size >> 20U));
    const auto stream =
        connection_.stream<wire::ReadContentResponse>("/containerd.services.content.v1.Content/Read", *about, request);
    std::string bytes;
    bytes.reserve(static_cast<std::size_t>(info->size));
    wire::ReadContentResponse part;
    while (stream->Read(&part)) bytes += part.data();
    if (const grpc::Status status = stream->Finish(); !status.ok()) return error_of(status);
    return bytes;
}

Result<void> GrpcClient::label_content(const std::string& digest, const Labels& labels) {
    wire::UpdateContentRequest request;
    request.mutable_info()->set_digest(digest);
    put(*request.mutable_info()->mutable_labels(), labels);
    for (const auto& [key, value] : labels) request.mutable_update_mask()->add_paths("labels." + key);
    const auto answer =
        connection_.call<wire::ContentInfoResponse>("/containerd.services.content.v1.Content/Update", request);
    if (!answer) return answer.error();
    return {};
}

Result<std::unique_ptr<ContentWriter>> GrpcClient::write_content(const std::string& ref, std::int64_t size,
                                                                 const std::string& digest, const std::string& lease) {
    auto about = connection_.context({}, lease);
    auto stream = connection_.both_ways<wire::WriteContentRequest, wire::WriteContentResponse>(kWrite, *about);
    wire::WriteContentRequest request;
    request.set_action(wire::STAT);
    request.set_ref(ref);
    request.set_total(size);
    request.set_expected(digest);
    wire::WriteContentResponse answer;
    if (!stream->Write(request) || !stream->Read(&answer)) {
        const grpc::Status status = stream->Finish();
        if (!status.ok()) return error_of(status);
        return Error{.kind = ErrorKind::Unavailable, .what = "the daemon ended the ingest " + ref};
    }
    return std::unique_ptr<ContentWriter>(
        std::make_unique<GrpcContentWriter>(ref, std::move(about), std::move(stream), answer.offset()));
}

Result<void> GrpcClient::abort_content(const std::string& ref) {
    wire::AbortRequest request;
    request.set_ref(ref);
    const auto answer = connection_.call<wire::Empty>("/containerd.services.content.v1.Content/Abort", request);
    if (!answer && answer.error().kind != ErrorKind::NotFound) return answer.error();
    return {};
}

}  // namespace nodeagent::runtime::containerd::wire_grpc
