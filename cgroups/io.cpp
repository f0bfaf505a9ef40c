#include "cgroups/io.hpp"

#include <array>
#include <optional>

#include "cgroups/lines.hpp"

namespace nodeagent::cgroups {

namespace {

using Entry = IoStatistics::Entry;
using Operation = IoStatistics::Operation;

// "8:16"; false for anything else ("Total 0" ends a blkio file).
bool parse_device(std::string_view word, std::uint32_t& major, std::uint32_t& minor) {
    const std::size_t colon = word.find(':');
    if (colon == std::string_view::npos) return false;
    major = static_cast<std::uint32_t>(number(word.substr(0, colon)));
    minor = static_cast<std::uint32_t>(number(word.substr(colon + 1)));
    return true;
}

std::optional<Operation> parse_operation(std::string_view word) {
    static constexpr std::array<std::pair<std::string_view, Operation>, 6> kWords{{{"Read", Operation::Read},
                                                                                   {"Write", Operation::Write},
                                                                                   {"Sync", Operation::Sync},
                                                                                   {"Async", Operation::Async},
                                                                                   {"Discard", Operation::Discard},
                                                                                   {"Total", Operation::Total}}};
    for (const auto& [name, operation] : kWords) {
        if (name == word) return operation;
    }
    return std::nullopt;
}

std::uint64_t sum_of(const std::vector<Entry>& entries, Operation operation) {
    std::uint64_t sum = 0;
    for (const Entry& entry : entries) {
        if (entry.operation == operation) sum += entry.value;
    }
    return sum;
}

}  // namespace

std::uint64_t IoStatistics::bytes_of(Operation operation) const { return sum_of(bytes, operation); }
std::uint64_t IoStatistics::requests_of(Operation operation) const { return sum_of(requests, operation); }

void parse_io_stat(std::string_view text, IoStatistics& into) {
    into.bytes.clear();
    into.requests.clear();
    for (std::string_view line; next_line(text, line);) {
        Entry read{.operation = Operation::Read};
        if (!parse_device(next_word(line), read.major, read.minor)) continue;
        Entry write = read;
        write.operation = Operation::Write;
        Entry reads = read;
        Entry writes = write;
        for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
            const std::size_t equals = word.find('=');
            if (equals == std::string_view::npos) continue;
            const std::string_view key = word.substr(0, equals);
            const std::uint64_t value = number(word.substr(equals + 1));
            if (key == "rbytes") read.value = value;
            if (key == "wbytes") write.value = value;
            if (key == "rios") reads.value = value;
            if (key == "wios") writes.value = value;
        }
        into.bytes.push_back(read);
        into.bytes.push_back(write);
        into.requests.push_back(reads);
        into.requests.push_back(writes);
    }
}

void parse_blkio(std::string_view text, std::vector<Entry>& into) {
    into.clear();
    for (std::string_view line; next_line(text, line);) {
        Entry entry;
        if (!parse_device(next_word(line), entry.major, entry.minor)) continue;
        const auto operation = parse_operation(next_word(line));
        if (!operation) continue;
        entry.operation = *operation;
        entry.value = number(next_word(line));
        into.push_back(entry);
    }
}

}  // namespace nodeagent::cgroups
