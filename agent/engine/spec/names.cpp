#include <array>

#include "agent/base/strings.hpp"
#include "agent/engine/spec/container_spec.hpp"

namespace nodeagent::engine {

namespace {

/// The number as a zig-zag varint (twice the value, seven bits a byte, low ones first) in ten bytes, the rest zero.
std::string suffix(std::uint64_t random63) {
    std::array<char, 10> bytes{};
    std::uint64_t left = random63 << 1U;
    std::size_t i = 0;
    for (; left >= 0x80; left >>= 7U) bytes[i++] = static_cast<char>((left & 0x7FU) | 0x80U);
    bytes[i] = static_cast<char>(left);
    return hex(std::string_view(bytes.data(), bytes.size()));
}

std::string join_name(const std::string& family, const std::string& version, const std::string& name,
                      std::uint64_t random63) {
    return "ecs-" + family + "-" + version + "-" + name + "-" + suffix(random63);
}

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

}  // namespace

std::string docker_container_name(const std::string& family, const std::string& version, const std::string& container,
                                  std::uint64_t random63) {
    std::string clean;
    for (const char c : container) {
        if (is_name_character(c)) clean += c;
    }
    return join_name(family, version, clean, random63);
}

std::string docker_volume_name(const std::string& family, const std::string& version, const std::string& volume,
                               std::uint64_t random63) {
    return join_name(family, version, volume, random63);
}

}  // namespace nodeagent::engine
