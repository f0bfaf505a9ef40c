#pragma once
// The table a message struct carries: wire names beside members. Light; the codec itself is in json.hpp.
//
//   struct PortMapping {
//       std::int64_t container_port = 0;
//       static constexpr auto json_fields() {
//           return std::tuple{optional_field("containerPort", &PortMapping::container_port)};
//       }
//   };

#include <string_view>
#include <tuple>

namespace nodeagent {

enum class Presence : unsigned char {
    Required,  ///< absent on input is Malformed; always written
    Optional,  ///< absent keeps the default; not written when empty ("", 0, false, empty container, nullopt, nullptr)
    Always,    ///< absent keeps the default; always written, also when empty (null for a nullopt)
};

template <class Owner, class Member>
struct JsonField {
    std::string_view name;
    Member Owner::*member;
    Presence presence;
};

template <class Owner, class Member>
constexpr JsonField<Owner, Member> required_field(std::string_view name, Member Owner::*member) {
    return {name, member, Presence::Required};
}
template <class Owner, class Member>
constexpr JsonField<Owner, Member> optional_field(std::string_view name, Member Owner::*member) {
    return {name, member, Presence::Optional};
}
template <class Owner, class Member>
constexpr JsonField<Owner, Member> always_field(std::string_view name, Member Owner::*member) {
    return {name, member, Presence::Always};
}

}  // namespace nodeagent
