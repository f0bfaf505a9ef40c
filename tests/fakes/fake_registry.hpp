#pragma once
// An image registry on a free port of loopback, in plain http, that a test can make misbehave:
//
//   registry.put("team/web:1", image);
//   registry.intercept = [](const FakeRegistry::Request& request) { ... return std::optional<FakeRegistry::Answer>();
//   };
//
// An answer is sent as it is said: its Content-Length may lie, and it may break off.

#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "tests/fakes/made_image.hpp"

namespace nodeagent::fakes {

class FakeRegistry {
  public:
    struct Request {
        std::string method, target, authorization, range, host;
        int number = 0;  ///< how many came for the same method and target, this one included
    };
    struct Answer {
        int status = 200;
        std::vector<std::pair<std::string, std::string>> headers{};
        std::string body{};
        std::optional<std::size_t> length{};       ///< Content-Length; the body's own unless it is said
        std::optional<std::size_t> break_after{};  ///< bytes of the body; then the connection is closed
        bool silent = false;                       ///< nothing is answered until the registry goes
    };
    using Interceptor = std::function<std::optional<Answer>(const Request&)>;

    FakeRegistry()
        : acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}), port_(acceptor_.local_endpoint().port()) {
        thread_ = std::thread([this] { accept(); });
    }
    ~FakeRegistry() { stop(); }
    FakeRegistry(const FakeRegistry&) = delete;
    FakeRegistry& operator=(const FakeRegistry&) = delete;

    /// Returns when none of its threads is left: before what an interceptor reads goes. Once more: nothing.
    void stop() {
        if (!thread_.joinable()) return;
        stopped_ = true;
        boost::system::error_code ignored;
        {
            boost::asio::ip::tcp::socket wake(io_);  // accept() has no other way to hear of it
            wake.connect({boost::asio::ip::address_v4::loopback(), port_}, ignored);
        }
        thread_.join();
        {
            const std::lock_guard lock(mutex_);
            for (const auto& connection : connections_) {
                // of the file, for the socket is its thread's
                ::shutdown(connection->native_handle(), SHUT_RDWR);
            }
        }
        for (std::thread& worker : workers_) worker.join();
        workers_.clear();
    }

    [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] std::string url() const { return "http://" + address(); }

    /// "path:tag"; its blobs, and its manifest also by digest.
    void put(const std::string& name, const MadeImage& image) {
        put_blob(image.config);
        for (const MadeLayer& layer : image.layers) put_blob(layer.blob);
        put_document(name, image.manifest_type, image.manifest);
    }
    void put_blob(const std::string& bytes) {
        const std::lock_guard lock(mutex_);
        blobs_[runtime::registry::digest_of(bytes)] = bytes;
    }
    void put_document(const std::string& name, const std::string& media_type, const std::string& body) {
        const std::size_t colon = name.rfind(':');
        const std::string path = "/v2/" + name.substr(0, colon) + "/manifests/";
        const std::lock_guard lock(mutex_);
        documents_[path + name.substr(colon + 1)] = {media_type, body};
        documents_[path + runtime::registry::digest_of(body)] = {media_type, body};
    }
    /// Asked first; nothing: the registry answers properly.
    void intercept(Interceptor interceptor) {
        const std::lock_guard lock(mutex_);
        interceptor_ = std::move(interceptor);
    }
    [[nodiscard]] std::vector<Request> requests() const {
        const std::lock_guard lock(mutex_);
        return requests_;
    }
    [[nodiscard]] int count(const std::string& method, const std::string& part) const {
        int count = 0;
        for (const Request& request : requests()) {
            count += request.method == method && request.target.find(part) != std::string::npos ? 1 : 0;
        }
        return count;
    }
    /// The proper answer, for interceptors that change a part of it.
    [[nodiscard]] Answer proper(const Request& request) const {
        const std::lock_guard lock(mutex_);
        return answer_locked(request);
    }

  private:
    using Socket = boost::asio::ip::tcp::socket;

    void accept() {
        while (!stopped_) {
            auto socket = std::make_shared<Socket>(io_);
            boost::system::error_code failed;
            acceptor_.accept(*socket, failed);
            if (failed || stopped_) continue;
            const std::lock_guard lock(mutex_);
            connections_.push_back(socket);
            workers_.emplace_back([this, socket] { serve(*socket); });
        }
    }
    void serve(Socket& socket) {
        namespace http = boost::beast::http;
        boost::beast::flat_buffer buffer;
        for (;;) {
            http::request<http::string_body> message;
            boost::system::error_code failed;
            http::read(socket, buffer, message, failed);
            if (failed) break;
            Request request{.method = std::string(message.method_string()),
                            .target = std::string(message.target()),
                            .authorization = std::string(message[http::field::authorization]),
                            .range = std::string(message[http::field::range]),
                            .host = std::string(message[http::field::host])};
            Interceptor interceptor;
            {
                const std::lock_guard lock(mutex_);
                request.number = ++numbers_[request.method + " " + request.target];
                requests_.push_back(request);
                interceptor = interceptor_;
            }
            std::optional<Answer> answer;
            if (interceptor) answer = interceptor(request);
            if (!answer) answer = proper(request);
            if (answer->silent) {
                char byte = 0;
                socket.read_some(boost::asio::buffer(&byte, 1), failed);
                break;
            }
            if (!send(socket, request, *answer)) break;
        }
        boost::system::error_code ignored;
        socket.shutdown(Socket::shutdown_both, ignored);
    }
    static bool send(Socket& socket, const Request& request, const Answer& answer) {
        std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " Whatever\r\n";
        for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
        head += "Content-Length: " + std::to_string(answer.length.value_or(answer.body.size())) + "\r\n\r\n";
        std::string bytes = head;
        if (request.method != "HEAD") bytes += answer.body.substr(0, answer.break_after.value_or(answer.body.size()));
        boost::system::error_code failed;
        boost::asio::write(socket, boost::asio::buffer(bytes), failed);
        return !failed && !answer.break_after;
    }
    [[nodiscard]] Answer answer_locked(const Request& request) const {
        const std::string path = request.target.substr(0, request.target.find('?'));
        if (const auto found = documents_.find(path); found != documents_.end()) {
            return {.headers = {{"Content-Type", found->second.first},
                                {"Docker-Content-Digest", runtime::registry::digest_of(found->second.second)}},
                    .body = found->second.second};
        }
        const std::size_t blob = path.find("/blobs/");
        const auto found = blob == std::string::npos ? blobs_.end() : blobs_.find(path.substr(blob + 7));
        if (found == blobs_.end()) {
            const std::string code = blob == std::string::npos ? "MANIFEST_UNKNOWN" : "BLOB_UNKNOWN";
            return {.status = 404,
                    .headers = {{"Content-Type", "application/json"}},
                    .body = R"({"errors":[{"code":")" + code + R"(","message":"not here"}]})"};
        }
        const std::string& bytes = found->second;
        if (!request.range.starts_with("bytes=")) return {.body = bytes};
        const std::size_t begin = std::stoul(request.range.substr(6));
        return {
            .status = 206,
            .headers = {{"Content-Range", "bytes " + std::to_string(begin) + "-" + std::to_string(bytes.size() - 1) +
                                              "/" + std::to_string(bytes.size())}},
            .body = bytes.substr(begin)};
    }

    boost::asio::io_context io_;
    boost::asio::ip::tcp::acceptor acceptor_;
    const std::uint16_t port_;
    std::atomic<bool> stopped_{false};
    std::thread thread_;
    mutable std::mutex mutex_;
    std::vector<std::shared_ptr<Socket>> connections_;
    std::vector<std::thread> workers_;
    Interceptor interceptor_;
    std::map<std::string, std::pair<std::string, std::string>> documents_;  ///< by path: media type, body
    std::map<std::string, std::string> blobs_;
    std::map<std::string, int> numbers_;
    std::vector<Request> requests_;
};

}  // namespace nodeagent::fakes
