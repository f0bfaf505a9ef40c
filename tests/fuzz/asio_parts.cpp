// All that the decoders link of Asio and Beast. agent/base/asio_impl.cpp has the rest, and instrumenting it takes
// longer than anything else.
#include <boost/asio/error.hpp>
#include <boost/asio/impl/error.ipp>
#include <boost/beast/core/detail/base64.hpp>
#include <boost/beast/core/detail/base64.ipp>
