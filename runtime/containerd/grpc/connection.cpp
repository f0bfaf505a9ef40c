#include "runtime/containerd/grpc/connection.hpp"

#include <grpcpp/create_channel.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/channel_arguments.h>

namespace nodeagent::runtime::containerd::wire_grpc {

namespace {

constexpr int kLargestMessage = 16 << 20;  // the daemon's own limit
constexpr std::chrono::milliseconds kReconnectWait{250};
constexpr std::chrono::duration<int, std::milli> kConnectLimit{10'000};

ErrorKind kind_of(grpc::StatusCode code) {
    switch (code) {
        case grpc::StatusCode::NOT_FOUND: return ErrorKind::NotFound;
        case grpc::StatusCode::ALREADY_EXISTS:
        case grpc::StatusCode::FAILED_PRECONDITION: return ErrorKind::Conflict;
        case grpc::StatusCode::INVALID_ARGUMENT:
        case grpc::StatusCode::OUT_OF_RANGE: return ErrorKind::Malformed;
        case grpc::StatusCode::PERMISSION_DENIED:
        case grpc::StatusCode::UNAUTHENTICATED: return ErrorKind::Denied;
        case grpc::StatusCode::RESOURCE_EXHAUSTED: return ErrorKind::Throttled;
        case grpc::StatusCode::DEADLINE_EXCEEDED: return ErrorKind::Timeout;
        // a daemon that ends cancels what it was doing
        case grpc::StatusCode::CANCELLED:
        case grpc::StatusCode::UNAVAILABLE: return ErrorKind::Unavailable;
        default: return ErrorKind::Internal;
    }
}

}  // namespace

Error error_of(const grpc::Status& status) {
    return Error{.kind = kind_of(status.error_code()),
                 .what = status.error_message().empty() ? "containerd gave no reason" : status.error_message()};
}

Connection::Connection(const std::string& socket, std::string name_space) : namespace_(std::move(name_space)) {
    grpc::ChannelArguments arguments;
    // Go's HTTP/2 refuses the socket's escaped path as an authority
    arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
    // that is how long one attempt may take, in spite of its name: a daemon under load greets late
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectLimit.count());
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
    arguments.SetMaxReceiveMessageSize(kLargestMessage);
    // channels of one process to one address share a connection otherwise, and its backoff
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channel_ = grpc::CreateCustomChannel("unix://" + socket, grpc::InsecureChannelCredentials(), arguments);
}

std::unique_ptr<grpc::ClientContext> Connection::context(std::chrono::nanoseconds deadline,
                                                         const std::string& lease) const {
    auto about = std::make_unique<grpc::ClientContext>();
    about->AddMetadata("containerd-namespace", namespace_);
    if (!lease.empty()) about->AddMetadata("containerd-lease", lease);
    if (deadline.count() > 0) {
        about->set_deadline(std::chrono::system_clock::now() +
                            std::chrono::duration_cast<std::chrono::microseconds>(deadline));
    }
    return about;
}

void Connection::wake() {
    if (channel_->GetState(true) != GRPC_CHANNEL_TRANSIENT_FAILURE) return;
    grpc::experimental::ChannelResetConnectionBackoff(channel_.get());
    channel_->WaitForConnected(std::chrono::system_clock::now() + kReconnectWait);
}

}  // namespace nodeagent::runtime::containerd::wire_grpc
