// GrpcClient: the event stream.

#include <unistd.h>

#include <atomic>
#include <thread>

#include "runtime/containerd/grpc/grpc_client.hpp"
#include "runtime/containerd/grpc/wire.hpp"

namespace nodeagent::runtime::containerd::wire_grpc {

namespace {

constexpr std::chrono::milliseconds kMarkerInterval{50};

/// Nobody else's, and none of an earlier stream's.
std::string new_marker() {
    static std::atomic<unsigned> count{0};
    const auto now = std::chrono::system_clock::now().time_since_epoch().count();
    return "/nodeagent/subscribed/" + std::to_string(::getpid()) + "-" + std::to_string(++count) + "-" +
           std::to_string(now);
}

}  // namespace

// The daemon does not say when it has subscribed us. So an event of our own is published, again and again, until it
// comes back over the stream: nothing that happens from then on is missed.
Error GrpcClient::watch(std::stop_token stop, std::function<void()> connected, std::function<void(Event)> sink) {
    const auto about = connection_.context({});
    wire::SubscribeRequest request;
    // terms of one filter are ANDed, filters are ORed
    for (const char* topics : {"^/tasks/", "^/containers/", "^/nodeagent/"}) {
        request.add_filters("topic~=\"" + std::string(topics) + "\",namespace==" + namespace_);
    }
    const auto stream =
        connection_.stream<wire::Envelope>("/containerd.services.events.v1.Events/Subscribe", *about, request);
    const std::stop_callback on_stop(stop, [&about] { about->TryCancel(); });

    const std::string marker = new_marker();
    std::atomic<bool> seen{false};
    const std::jthread publisher([this, &seen, &marker](const std::stop_token& enough) {
        wire::PublishRequest event;
        event.set_topic(marker);
        *event.mutable_event() = any_of("containerd.events.ContainerCreate", {});
        while (!enough.stop_requested() && !seen) {
            // a failure breaks the stream as well, which is what is told
            (void)connection_.call<wire::Empty>("/containerd.services.events.v1.Events/Publish", event);
            for (int turn = 0; turn < 10 && !enough.stop_requested() && !seen; ++turn) {
                std::this_thread::sleep_for(kMarkerInterval / 10);
            }
        }
    });
    wire::Envelope envelope;
    while (stream->Read(&envelope)) {
        if (!seen && envelope.topic() == marker) {
            seen = true;
            connected();
            continue;
        }
        if (auto event = event_of(envelope)) sink(*std::move(event));
    }
    const grpc::Status status = stream->Finish();
    if (stop.stop_requested()) return Error{.kind = ErrorKind::Unavailable, .what = "no longer watched"};
    if (status.ok()) return Error{.kind = ErrorKind::Unavailable, .what = "containerd ended the event stream"};
    Error error = error_of(status);
    error.kind = ErrorKind::Unavailable;
    return error;
}

}  // namespace nodeagent::runtime::containerd::wire_grpc
