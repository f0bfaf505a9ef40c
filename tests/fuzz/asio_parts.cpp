// All that the decoders link of Asio and Beast. agent/base/asio_impl.cpp has the rest, and instrumenting it takes
// longer than anything else.
#include <boost/asio/error.hpp>
#include <boost/asio/impl/error.ipp>
#include <boost/beast/core/detail/base64.hpp>
#include <boost/beast/core/detail/base64.ipp>
#include <boost/beast/core/impl/error.ipp>
#include <boost/beast/core/impl/string.ipp>
#include <boost/beast/http/detail/basic_parser.ipp>
#include <boost/beast/http/detail/rfc7230.ipp>
#include <boost/beast/http/impl/basic_parser.ipp>
#include <boost/beast/http/impl/error.ipp>
#include <boost/beast/http/impl/field.ipp>
#include <boost/beast/http/impl/fields.ipp>
#include <boost/beast/http/impl/rfc7230.ipp>
#include <boost/beast/http/impl/verb.ipp>

template class boost::beast::http::basic_parser<true>;
