#pragma once
// Puts a made image into a registry over the distribution API, in plain http.

#include <stdexcept>
#include <string>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "tests/fakes/made_image.hpp"

namespace nodeagent::test {

class RegistryPush {
  public:
    /// `address` is "127.0.0.1:port"; `authorization` the header's value, "" none.
    RegistryPush(const std::string& address, std::string path, std::string authorization)
        : address_(address), path_(std::move(path)), authorization_(std::move(authorization)), socket_(io_) {
        const auto port = static_cast<std::uint16_t>(std::stoi(address.substr(address.find(':') + 1)));
        socket_.connect({boost::asio::ip::address_v4::loopback(), port});
    }
    void push(const std::string& tag, const fakes::MadeImage& image) {
        blob(image.config);
        for (const fakes::MadeLayer& layer : image.layers) blob(layer.blob);
        document(tag, image.manifest_type, image.manifest);
    }
    void document(const std::string& tag, const std::string& media_type, const std::string& body) {
        expect(ask("PUT", "/v2/" + path_ + "/manifests/" + tag, media_type, body), 201);
    }
    void blob(const std::string& bytes) {
        const Answer begun = ask("POST", "/v2/" + path_ + "/blobs/uploads/", {}, {});
        expect(begun, 202);
        std::string where(begun[boost::beast::http::field::location]);
        if (const std::size_t scheme = where.find("://"); scheme != std::string::npos) {
            where.erase(0, where.find('/', scheme + 3));
        }
        where += (where.find('?') == std::string::npos ? "?" : "&");
        where += "digest=" + runtime::registry::digest_of(bytes);
        expect(ask("PUT", where, "application/octet-stream", bytes), 201);
    }

  private:
    using Answer = boost::beast::http::response<boost::beast::http::string_body>;

    Answer ask(const std::string& method, const std::string& target, const std::string& type, const std::string& body) {
        namespace http = boost::beast::http;
        http::request<http::string_body> request(http::string_to_verb(method), target, 11);
        request.set(http::field::host, address_);
        if (!authorization_.empty()) request.set(http::field::authorization, authorization_);
        if (!type.empty()) request.set(http::field::content_type, type);
        request.body() = body;
        request.prepare_payload();
        http::write(socket_, request);
        Answer answer;
        http::read(socket_, buffer_, answer);
        return answer;
    }
    static void expect(const Answer& answer, unsigned status) {
        if (answer.result_int() != status) throw std::runtime_error("the registry does not take it: " + answer.body());
    }

    std::string address_, path_, authorization_;
    boost::asio::io_context io_;
    boost::asio::ip::tcp::socket socket_;
    boost::beast::flat_buffer buffer_;
};

}  // namespace nodeagent::test
