#include "agent/telemetry/usage.hpp"

#include <array>

#include "cgroups/lines.hpp"

namespace nodeagent::telemetry {

NetworkCounters& NetworkCounters::operator+=(const NetworkCounters& other) {
    rx_bytes += other.rx_bytes;
    rx_packets += other.rx_packets;
    rx_errors += other.rx_errors;
    rx_dropped += other.rx_dropped;
    tx_bytes += other.tx_bytes;
    tx_packets += other.tx_packets;
    tx_errors += other.tx_errors;
    tx_dropped += other.tx_dropped;
    return *this;
}

NetworkCounters Usage::network() const {
    NetworkCounters sum;
    for (const NetworkInterface& one : interfaces) sum += one.counters;
    return sum;
}

namespace {

// "eth0", "eth12"
bool attached(std::string_view name) {
    constexpr std::string_view prefix = "eth";
    return name.starts_with(prefix) && name.size() > prefix.size() &&
           name.find_first_not_of("0123456789", prefix.size()) == std::string_view::npos;
}

}  // namespace

void parse_net_dev(std::string_view text, std::vector<NetworkInterface>& into) {
    std::size_t count = 0;
    for (std::string_view line; cgroups::next_line(text, line);) {
        const std::size_t colon = line.find(':');  // the two lines of titles have none
        if (colon == std::string_view::npos) continue;
        std::string_view head = line.substr(0, colon);
        const std::string_view name = cgroups::next_word(head);
        if (!attached(name)) continue;
        line.remove_prefix(colon + 1);
        // receive: bytes packets errs drop fifo frame compressed multicast; transmit: the same eight places
        std::array<std::uint64_t, 12> columns{};
        for (std::uint64_t& column : columns) column = cgroups::number(cgroups::next_word(line));
        if (count == into.size()) into.emplace_back();
        NetworkInterface& target = into[count++];
        target.name.assign(name);
        target.counters = {.rx_bytes = columns[0],
                           .rx_packets = columns[1],
                           .rx_errors = columns[2],
                           .rx_dropped = columns[3],
                           .tx_bytes = columns[8],
                           .tx_packets = columns[9],
                           .tx_errors = columns[10],
                           .tx_dropped = columns[11]};
    }
    into.resize(count);
}

std::uint64_t parse_system_cpu(std::string_view text, std::uint64_t ticks_per_second) {
    constexpr int states = 7;  // user nice system idle iowait irq softirq: those Docker counts
    for (std::string_view line; cgroups::next_line(text, line);) {
        if (cgroups::next_word(line) != "cpu") continue;
        std::uint64_t ticks = 0;
        for (int i = 0; i < states; ++i) ticks += cgroups::number(cgroups::next_word(line));
        return ticks * (1'000'000'000U / ticks_per_second);
    }
    return 0;
}

}  // namespace nodeagent::telemetry
