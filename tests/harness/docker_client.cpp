#include "tests/harness/docker_client.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace nodeagent::harness {

namespace http = boost::beast::http;

DockerClient::DockerClient(const std::string& socket_path) : path_(socket_path), socket_(io_) {
    socket_.connect({path_});
}

void DockerClient::connect_again_if_closed() {
    // nothing is due between two calls: what can be read is the daemon's goodbye to an idle connection
    char byte = 0;
    boost::system::error_code failure;
    socket_.non_blocking(true);
    socket_.receive(boost::asio::buffer(&byte, 1), boost::asio::socket_base::message_peek, failure);
    socket_.non_blocking(false);
    if (failure == boost::asio::error::would_block) return;
    socket_.close();
    socket_.connect({path_});
}

nlohmann::json DockerClient::call(const std::string& method, const std::string& target, const nlohmann::json& body) {
    http::request<http::string_body> request{http::string_to_verb(method), "/v1.41" + target, 11};
    request.set(http::field::host, "docker");
    if (!body.is_null()) {
        request.set(http::field::content_type, "application/json");
        request.body() = body.dump();
    }
    request.prepare_payload();
    connect_again_if_closed();
    http::write(socket_, request);
    boost::beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(64U << 20U);
    http::read(socket_, buffer, parser);
    const auto& response = parser.get();
    if (response.result_int() >= 400) throw std::runtime_error(method + " " + target + ": " + response.body());
    return response.body().empty() ? nlohmann::json() : nlohmann::json::parse(response.body(), nullptr, false);
}

std::string DockerClient::launch(const std::string& image, const std::string& label) {
    const auto made = call("POST", "/containers/create",
                           {{"Image", image},
                            {"Cmd", {"sleep", "600"}},
                            {"StopSignal", "SIGKILL"},
                            {"Labels", {{label, "bare"}}},
                            {"HostConfig", {{"NetworkMode", "bridge"}, {"Memory", 16 << 20}, {"CpuShares", 2}}}});
    std::string id = made.at("Id");
    call("POST", "/containers/" + id + "/start");
    return id;
}

}  // namespace nodeagent::harness
