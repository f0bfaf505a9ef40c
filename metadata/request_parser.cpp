#include "metadata/request_parser.hpp"

#include <utility>

namespace nodeagent::metadata {

namespace http = boost::beast::http;

void RequestParser::First::take(boost::beast::string_view text) {
    if (seen) return;
    seen = true;
    value.assign(text.data(), text.size());
}

std::size_t RequestParser::kept_bytes() const {
    const std::size_t expectation = expectation_ ? expectation_->size() : 0;
    return get().target().size() + get().body().size() + user_agent().size() + forwarded_for().size() + host().size() +
           accept_encoding().size() + expectation;
}

void RequestParser::on_field_impl(http::field name, boost::beast::string_view name_text,
                                  boost::beast::string_view value, boost::system::error_code& failure) {
    if (is_header_done()) return;  // a trailer
    if (name == http::field::host) {
        ++hosts_;
        host_.take(value);
    } else if (name == http::field::transfer_encoding) {
        // Beast takes a body in any other encoding for no body, and would read it as the next request.
        const bool chunked = boost::beast::iequals(value, "chunked");
        if (std::exchange(encoded_, true) || !chunked) failure = http::error::bad_transfer_encoding;
    } else if (name == http::field::user_agent) {
        user_agent_.take(value);
    } else if (name == http::field::accept_encoding) {
        accept_encoding_.take(value);
    } else if (name == http::field::expect) {
        if (!expectation_) expectation_.emplace(value.data(), value.size());
    } else if (boost::beast::iequals(name_text, "X-Forwarded-For")) {
        forwarded_for_.take(value);
    }
}

}  // namespace nodeagent::metadata
