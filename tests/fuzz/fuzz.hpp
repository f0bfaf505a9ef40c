#pragma once
// What the fuzz programs share: an input as text, and require(), which ends the program like a crash.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace nodeagent::fuzz {

/// Put where a secret belongs.
inline constexpr std::string_view kSecret = "mk-Zq7#vX2~secret~t9!Lw";
/// libFuzzer learns what programs look for, this secret included: such an input proves nothing.
inline bool holds_secret(std::string_view input) { return input.find(kSecret) != std::string_view::npos; }

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

/// Says on stderr what does not hold, with `detail`, and aborts.
inline void require(bool holds, const char* what, std::string_view detail = {}) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n%.*s\n", what, static_cast<int>(detail.size()), detail.data());
    std::abort();
}

inline void require_no_secret(std::string_view output, const char* where) {
    require(output.find(kSecret) == std::string_view::npos, where, output);
}

}  // namespace nodeagent::fuzz
