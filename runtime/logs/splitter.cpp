#include "runtime/logs/splitter.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "agent/base/random.hpp"

namespace nodeagent::runtime::logs {

Splitter::Splitter(InputState& state, Stream stream, std::size_t longest, PutLine put, CommitLines commit)
    : state_(state),
      stream_(stream),
      longest_(std::min(longest, kMaxEvent)),
      put_(std::move(put)),
      commit_(std::move(commit)) {}

bool Splitter::put(std::string_view text, bool newline, std::int64_t now) {
    Message message;
    message.text = text;
    message.stream = stream_;
    message.time = now;
    const bool first = state_.partial_id == 0;
    if (!first) {
        message.time = state_.partial_time;
        message.partial_id = state_.partial_id;
        message.ordinal = state_.ordinal;
        message.last = newline;
    } else if (!newline) {
        message.partial_id = thread_random()() | 1U;
        message.ordinal = 1;
    }
    if (!put_(message)) return false;
    if (newline) {
        state_.partial_id = 0;
        return true;
    }
    state_.partial_time = message.time;
    state_.partial_id = message.partial_id;
    state_.ordinal = message.ordinal + 1;
    return true;
}

bool Splitter::run(std::int64_t now) {
    std::uint32_t begin = state_.begin.load();
    const std::uint32_t end = state_.end.load();
    std::uint32_t filled = state_.filled.load();
    const auto commit = [&] {
        commit_();
        state_.filled = filled;
        state_.begin = begin;
    };
    while (begin < end) {
        const char* from = state_.input.data() + begin;
        const std::size_t room = longest_ - filled;
        const std::size_t look = std::min<std::size_t>(end - begin, room);
        const auto* newline = static_cast<const char*>(std::memchr(from, '\n', look));
        const std::size_t length = newline == nullptr ? look : static_cast<std::size_t>(newline - from);
        if (newline == nullptr && length < room) {  // the line goes on in what is not read yet
            // lines before it first: their text may be where this one goes
            commit();
            std::memcpy(state_.line.data() + filled, from, length);
            filled += static_cast<std::uint32_t>(length);
            begin = end;
            break;
        }
        std::string_view text(from, length);
        if (filled > 0) {
            std::memcpy(state_.line.data() + filled, from, length);
            text = {state_.line.data(), filled + length};
        }
        if (!put(text, newline != nullptr, now)) {
            commit();
            return false;
        }
        filled = 0;
        begin += static_cast<std::uint32_t>(length + (newline != nullptr ? 1 : 0));
    }
    commit();
    return true;
}

bool Splitter::end(std::int64_t now) {
    const std::uint32_t filled = state_.filled.load();
    if (filled > 0) {
        if (!put({state_.line.data(), filled}, false, now)) return false;
        commit_();
        state_.filled = 0;
    }
    state_.ended = 1;
    return true;
}

}  // namespace nodeagent::runtime::logs
