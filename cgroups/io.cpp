#include "cgroups/io.hpp"

#include <algorithm>
#include <numeric>

#include "cgroups/lines.hpp"

namespace nodeagent::cgroups {

namespace {

// "8:16"; false for anything else ("Total 0" ends a blkio file).
bool parse_device(std::string_view word, std::uint32_t& major, std::uint32_t& minor) {
    const std::size_t colon = word.find(':');
    if (colon == std::string_view::npos) return false;
    major = static_cast<std::uint32_t>(number(word.substr(0, colon)));
    minor = static_cast<std::uint32_t>(number(word.substr(colon + 1)));
    return true;
}

IoStatistics::Device& device(IoStatistics& into, std::uint32_t major, std::uint32_t minor) {
    const auto found = std::find_if(into.devices.begin(), into.devices.end(),
                                    [&](const auto& d) { return d.major == major && d.minor == minor; });
    if (found != into.devices.end()) return *found;
    return into.devices.emplace_back(IoStatistics::Device{.major = major, .minor = minor});
}

void parse_blkio(std::string_view text, IoStatistics& into, std::uint64_t IoStatistics::Device::*read,
                 std::uint64_t IoStatistics::Device::*write) {
    for (std::string_view line; next_line(text, line);) {
        std::uint32_t major = 0;
        std::uint32_t minor = 0;
        if (!parse_device(next_word(line), major, minor)) continue;
        const std::string_view operation = next_word(line);
        const std::uint64_t value = number(next_word(line));
        if (operation == "Read") device(into, major, minor).*read = value;
        if (operation == "Write") device(into, major, minor).*write = value;
    }
}

}  // namespace

std::uint64_t IoStatistics::read_bytes() const {
    return std::accumulate(devices.begin(), devices.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const Device& d) { return sum + d.read_bytes; });
}

std::uint64_t IoStatistics::write_bytes() const {
    return std::accumulate(devices.begin(), devices.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const Device& d) { return sum + d.write_bytes; });
}

void parse_io_stat(std::string_view text, IoStatistics& into) {
    into.devices.clear();
    for (std::string_view line; next_line(text, line);) {
        std::uint32_t major = 0;
        std::uint32_t minor = 0;
        if (!parse_device(next_word(line), major, minor)) continue;
        IoStatistics::Device& target = device(into, major, minor);
        for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
            const std::size_t equals = word.find('=');
            if (equals == std::string_view::npos) continue;
            const std::string_view key = word.substr(0, equals);
            const std::uint64_t value = number(word.substr(equals + 1));
            if (key == "rbytes") target.read_bytes = value;
            if (key == "wbytes") target.write_bytes = value;
            if (key == "rios") target.reads = value;
            if (key == "wios") target.writes = value;
        }
    }
}

void parse_blkio_service_bytes(std::string_view text, IoStatistics& into) {
    into.devices.clear();
    parse_blkio(text, into, &IoStatistics::Device::read_bytes, &IoStatistics::Device::write_bytes);
}

void parse_blkio_serviced(std::string_view text, IoStatistics& into) {
    parse_blkio(text, into, &IoStatistics::Device::reads, &IoStatistics::Device::writes);
}

}  // namespace nodeagent::cgroups
