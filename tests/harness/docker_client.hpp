#pragma once
// The bare Docker API client that launches are compared with: blocking calls over the unix socket, one connection per
// thread, nothing but create and start.

#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <nlohmann/json.hpp>

namespace nodeagent::harness {

class DockerClient {
  public:
    explicit DockerClient(const std::string& socket_path);
    /// Throws std::runtime_error with Docker's text on a status of 400 or more.
    nlohmann::json call(const std::string& method, const std::string& target, const nlohmann::json& body = nullptr);
    /// Create and start; returns the id.
    std::string launch(const std::string& image, const std::string& label);

  private:
    void connect_again_if_closed();

    std::string path_;
    boost::asio::io_context io_;
    boost::asio::local::stream_protocol::socket socket_;
};

}  // namespace nodeagent::harness
