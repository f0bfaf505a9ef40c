#include "runtime/logs/line_splitter.hpp"

#include <algorithm>

namespace nodeagent::runtime::logs {

void LineSplitter::feed(std::string_view bytes, Nanos now, const Sink& sink) {
    while (!bytes.empty()) {
        const std::size_t newline = bytes.find('\n');
        const std::size_t room = limit_ - begun_.size();
        if (newline != std::string_view::npos && newline <= room) {
            if (begun_.empty()) {
                end_line(bytes.substr(0, newline), now, sink);
            } else {
                begun_.append(bytes.substr(0, newline));
                end_line(begun_, now, sink);
                begun_.clear();
            }
            bytes.remove_prefix(newline + 1);
            continue;
        }
        if (begun_.empty() && parts_ == 0) began_ = now;
        const std::size_t taken = std::min(room, bytes.size());
        begun_.append(bytes.substr(0, taken));
        bytes.remove_prefix(taken);
        if (begun_.size() < limit_) return;
        // the newline may be the very next byte: then this is the whole line
        if (!bytes.empty() && bytes.front() == '\n') continue;
        if (bytes.empty()) return;
        part(begun_, now, false, sink);
        begun_.clear();
    }
}

void LineSplitter::finish(Nanos now, const Sink& sink) {
    if (begun_.empty() && parts_ == 0) return;
    end_line(begun_, now, sink);
    begun_.clear();
}

void LineSplitter::end_line(std::string_view text, Nanos now, const Sink& sink) {
    if (parts_ > 0) {
        part(text, now, true, sink);
        parts_ = 0;
        return;
    }
    sink({.source = source_, .time = begun_.empty() ? now : began_, .text = text});
}

void LineSplitter::part(std::string_view text, Nanos /*now*/, bool last, const Sink& sink) {
    if (parts_ == 0) ++line_;
    ++parts_;
    sink({.source = source_, .time = began_, .text = text, .partial = true, .line = line_, .part = parts_, .last = last});
}

}  // namespace nodeagent::runtime::logs
