#include "agent/ecs/signed_socket.hpp"

#include <utility>

#include "agent/model/acs_messages.hpp"
#include "agent/net/sigv4.hpp"

namespace nodeagent::ecs {

namespace {

Result<std::string> websocket_scheme(const std::string& url) {
    if (url.starts_with("https://")) return "wss" + url.substr(5);
    if (url.starts_with("http://")) return "ws" + url.substr(4);
    return Error{.kind = ErrorKind::Malformed,
                 .what = "endpoint " + url.substr(0, url.find('?')) + " is neither http nor https"};
}

}  // namespace

asio::awaitable<Result<SignedSocket>> open_signed(DiscoverEndpoint discover,
                                                  std::function<std::string(std::string)> to_url,
                                                  credentials::Provider& credentials, net::WsDialer& dialer,
                                                  Clock& clock, std::string region) {
    auto endpoint = co_await discover();
    if (!endpoint) co_return with_context("discover the endpoint", std::move(endpoint).error());
    SignedSocket out;
    out.endpoint = std::move(*endpoint);
    out.url = to_url(out.endpoint);
    auto target = websocket_scheme(out.url);
    if (!target) co_return std::move(target).error();
    auto identity = co_await credentials.get();
    if (!identity) co_return with_context("sign the websocket request", std::move(identity).error());

    net::SigningRequest request;
    request.url = out.url;
    net::SigningContext context;
    context.region = std::move(region);
    context.service = "ecs";
    context.time = clock.now().wall;
    net::Headers headers = net::sign_headers(request, *identity, context);

    std::string refusal;
    auto opened = co_await dialer.open(std::move(*target), std::move(headers), &refusal);
    if (!opened) {
        Error why = std::move(opened).error();
        if (std::string known = model::describe_refusal(refusal); !known.empty()) why.what = std::move(known);
        co_return why;
    }
    out.socket = std::move(*opened);
    co_return std::move(out);
}

std::optional<Error> closing_fault(const net::WsClosed& closed) {
    switch (closed.code) {
        case 1000:
        case 1001:
        case 1006:
        case 1011: return std::nullopt;
        default: break;
    }
    return Error{.kind = ErrorKind::Unavailable,
                 .what = "closed by the service with code " + std::to_string(closed.code) + ": " + closed.reason};
}

}  // namespace nodeagent::ecs
