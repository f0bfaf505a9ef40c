#pragma once
// The channel to containerd's socket, and calls over it. Blocking, any thread.

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/impl/codegen/client_callback.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/codegen/rpc_method.h>
#include <grpcpp/impl/codegen/sync_stream.h>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::containerd::wire_grpc {

inline constexpr std::chrono::seconds kCallTimeout{10};

/// What a failed call means to callers of Client.
[[nodiscard]] Error error_of(const grpc::Status& status);

// Services of containerd have packages of their own, each a file for protoc and a stub class. A call needs only the
// method's name and its messages: this is what generated stubs consist of.
class Connection {
  public:
    /// Nothing is connected yet. `socket` is a path.
    Connection(const std::string& socket, std::string name_space);

    /// The context of one call; `lease` "" for none. A deadline of zero: none.
    [[nodiscard]] std::unique_ptr<grpc::ClientContext> context(std::chrono::nanoseconds deadline,
                                                               const std::string& lease = {}) const;

    template <class Answer, class Request>
    Result<Answer> call(const char* method, const Request& request, std::chrono::nanoseconds deadline = kCallTimeout,
                        const std::string& lease = {}, const std::stop_token& stop = {}) {
        wake();
        const auto about = context(deadline, lease);
        const std::stop_callback on_stop(stop, [&about] { about->TryCancel(); });
        Answer answer;
        const grpc::Status status = grpc::internal::BlockingUnaryCall<Request, Answer, grpc::protobuf::MessageLite,
                                                                      grpc::protobuf::MessageLite>(
            channel_.get(), {method, grpc::internal::RpcMethod::NORMAL_RPC}, about.get(), request, &answer);
        if (!status.ok()) return error_of(status);
        return answer;
    }

    /// A stream of answers; `about` must outlive it.
    template <class Answer, class Request>
    std::unique_ptr<grpc::ClientReader<Answer>> stream(const char* method, grpc::ClientContext& about,
                                                       const Request& request) {
        wake();
        return std::unique_ptr<grpc::ClientReader<Answer>>(grpc::internal::ClientReaderFactory<Answer>::Create(
            channel_.get(), {method, grpc::internal::RpcMethod::SERVER_STREAMING}, &about, request));
    }

    template <class Request, class Answer>
    std::unique_ptr<grpc::ClientReaderWriter<Request, Answer>> both_ways(const char* method,
                                                                         grpc::ClientContext& about) {
        wake();
        return std::unique_ptr<grpc::ClientReaderWriter<Request, Answer>>(
            grpc::internal::ClientReaderWriterFactory<Request, Answer>::Create(
                channel_.get(), {method, grpc::internal::RpcMethod::BIDI_STREAMING}, &about));
    }

    /// A call whose end is told to `done` on a thread of gRPC's. `about`, `request` and `answer` must live until then.
    template <class Request, class Answer>
    void later(const char* method, grpc::ClientContext& about, const Request& request, Answer& answer,
               std::function<void(grpc::Status)> done) {
        wake();
        grpc::internal::CallbackUnaryCall<Request, Answer, grpc::protobuf::MessageLite, grpc::protobuf::MessageLite>(
            channel_.get(), {method, grpc::internal::RpcMethod::NORMAL_RPC}, &about, &request, &answer,
            std::move(done));
    }

  private:
    /// After a failed attempt gRPC waits up to a second before the next, and fails calls meanwhile. A daemon that has
    /// just come back should not be found absent.
    void wake();

    std::string namespace_;
    std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace nodeagent::runtime::containerd::wire_grpc
