#pragma once
// CBOR (RFC 8949) as Smithy's RPC v2 uses it, which newer AWS SDKs speak to CloudWatch. Not nlohmann's reader: it
// recurses as deep as its input says, and its writer knows no tags.

#include <string>
#include <string_view>

#include "agent/base/error.hpp"
#include "agent/base/json.hpp"

namespace nodeagent::local {

/// One item that fills `bytes`. Tags are dropped; byte strings, other simple values, more than 32 levels and more than
/// a million items are Malformed.
[[nodiscard]] Result<Json> parse_cbor(std::string_view bytes);

/// Members that hold times (is_time_member) are tagged as such.
[[nodiscard]] std::string dump_cbor(const OrderedJson& document);

}  // namespace nodeagent::local
