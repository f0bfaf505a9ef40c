// Any bytes as an ACS frame, a TCS frame, and the body of a refused upgrade.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agent/model/acs_messages.hpp"
#include "agent/model/tcs_messages.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(bytes), size);
    if (auto message = nodeagent::model::decode_acs_frame(text)) (void)nodeagent::model::type_of(*message);
    (void)nodeagent::model::decode_tcs_frame(text);
    (void)nodeagent::model::describe_refusal(text);
    return 0;
}
