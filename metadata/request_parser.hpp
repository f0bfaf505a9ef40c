#pragma once
// Beast's request parser, keeping only the headers that count here. Beast's own container of fields throws at a value
// of 64 KiB, and spends twenty times the bytes of a header that consists of very short fields.

#include <optional>
#include <string>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace nodeagent::metadata {

class RequestParser final : public boost::beast::http::request_parser<boost::beast::http::string_body> {
  public:
    [[nodiscard]] std::size_t hosts() const { return hosts_; }
    [[nodiscard]] const std::optional<std::string>& expectation() const { return expectation_; }
    /// First of its name, "" when there was none.
    [[nodiscard]] const std::string& user_agent() const { return user_agent_.value; }
    [[nodiscard]] const std::string& forwarded_for() const { return forwarded_for_.value; }
    [[nodiscard]] const std::string& host() const { return host_.value; }
    [[nodiscard]] const std::string& accept_encoding() const { return accept_encoding_.value; }
    /// put() wants at least so many bytes. Beast 1.81 asserts that a chunked body has no less to come: the last chunk
    /// and the empty line behind it.
    [[nodiscard]] std::size_t least() const { return is_header_done() && chunked() ? 5 : 1; }
    /// Bytes of the request that it keeps.
    [[nodiscard]] std::size_t kept_bytes() const;

  private:
    struct First {
        std::string value;
        bool seen = false;
        void take(boost::beast::string_view text);
    };
    void on_field_impl(boost::beast::http::field name, boost::beast::string_view name_text,
                       boost::beast::string_view value, boost::system::error_code& failure) override;

    std::size_t hosts_ = 0;
    bool encoded_ = false;
    std::optional<std::string> expectation_;
    First user_agent_, forwarded_for_, host_, accept_encoding_;
};

}  // namespace nodeagent::metadata
