// Whatever a container writes behind the question mark: it is searched without a fault, and what was encoded is found.
#include "agent/base/strings.hpp"
#include "metadata/message.hpp"
#include "tests/fuzz/fuzz.hpp"

using nodeagent::percent_encode;
using nodeagent::fuzz::require;
using nodeagent::metadata::Request;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = nodeagent::fuzz::text_of(bytes, size);
    Request request;
    request.query = text;
    for (const std::string_view name : {"id", "taskarn", "dockerid", ""}) {
        const std::string value = request.parameter(name);
        require(request.has_parameter(name) || value.empty(), "an absent parameter is empty", value);
        require(value.size() <= text.size(), "a value is no longer than the query", value);
    }
    const std::string encoded = percent_encode(text);
    const std::string query = "other=" + encoded + "&" + encoded + "=x&id=" + encoded + "&id=later";
    request.query = query;
    if (text != "id") require(request.parameter("id") == text, "what was encoded is found", query);
    return 0;
}
