#pragma once
// A line as Docker's copier hands it to a log driver: without its newline, or a part of one that is longer than the
// driver takes. Also the form in which lines wait, in the ring and in the spool: a header and the text.

#include <cstdint>
#include <string_view>

namespace nodeagent::runtime::logs {

enum class Stream : std::uint8_t { Stdout = 0, Stderr = 1 };

struct Message {
    std::string_view text;
    std::int64_t time = 0;         ///< ns since the epoch
    std::uint64_t sequence = 0;    ///< order among all lines of the container
    std::uint64_t partial_id = 0;  ///< the same for all parts of a line; 0: the line is whole
    std::uint32_t ordinal = 0;     ///< of the part, from 1
    bool last = false;             ///< the part that ended with the newline
    Stream stream = Stream::Stdout;

    [[nodiscard]] bool partial() const { return partial_id != 0; }
};

struct RecordHeader {
    std::uint32_t length = 0;  ///< of the text
    std::uint32_t check = 0;   ///< of header and text, in the spool
    std::uint64_t sequence = 0;
    std::int64_t time = 0;
    std::uint64_t partial_id = 0;
    std::uint32_t ordinal = 0;
    std::uint8_t last = 0;
    std::uint8_t stream = 0;
    std::uint16_t unused = 0;
};
static_assert(sizeof(RecordHeader) == 40);

/// What docker's awslogs driver takes as one event, and as one line; what drivers without a limit take as a line.
inline constexpr std::size_t kMaxEvent = 262'118;
inline constexpr std::size_t kDefaultLine = 16'384;

[[nodiscard]] inline RecordHeader header_of(const Message& message) {
    RecordHeader header;
    header.length = static_cast<std::uint32_t>(message.text.size());
    header.sequence = message.sequence;
    header.time = message.time;
    header.partial_id = message.partial_id;
    header.ordinal = message.ordinal;
    header.last = message.last ? 1 : 0;
    header.stream = static_cast<std::uint8_t>(message.stream);
    return header;
}

[[nodiscard]] inline Message message_of(const RecordHeader& header, std::string_view text) {
    Message message;
    message.text = text;
    message.time = header.time;
    message.sequence = header.sequence;
    message.partial_id = header.partial_id;
    message.ordinal = header.ordinal;
    message.last = header.last != 0;
    message.stream = header.stream == 1 ? Stream::Stderr : Stream::Stdout;
    return message;
}

}  // namespace nodeagent::runtime::logs
