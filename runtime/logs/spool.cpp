#include "runtime/logs/spool.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include "agent/base/files.hpp"

namespace nodeagent::runtime::logs {
namespace {

constexpr std::size_t kFlushBytes = 256U << 10U;
constexpr std::size_t kWindowBytes = 64U << 10U;
constexpr std::uint32_t kMaxText = 1U << 20U;

std::uint32_t check_of(RecordHeader header, std::string_view text) {
    header.check = 0;
    uLong sum = ::crc32(0, reinterpret_cast<const Bytef*>(&header), sizeof header);
    sum = ::crc32(sum, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
    return static_cast<std::uint32_t>(sum);
}

bool write_whole(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t done = ::write(fd, bytes.data(), bytes.size());
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(done));
    }
    return true;
}

/// Another program's, or that of somebody who only takes a look, which is over soon.
bool take(const Fd& lock) {
    constexpr std::chrono::milliseconds kPatience{500};
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        if (std::chrono::steady_clock::now() >= until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

}  // namespace

Result<Fd> open_spool(const SpoolPlace& place, SharedState& state) {
    SpoolState& spool = state.spool;
    spool.write_segment = 1;
    spool.done_segment = 1;
    if (!place.usable()) return Fd();
    if (auto made = make_directories(place.directory, 0700); !made) return std::move(made).error();
    Fd lock(::open(lock_path(place.directory).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock) return from_errno("open the lock of spool " + place.directory);
    if (!take(lock)) {
        return Error{.kind = ErrorKind::Unavailable, .what = "spool " + place.directory + " is another program's"};
    }
    const std::vector<SpoolSegment> found = segments_of(place.directory);
    if (found.empty()) {
        ::unlink(position_path(place.directory).c_str());
        return lock;
    }
    SpoolPosition done = saved_position(place.directory);
    if (done.segment < found.front().number || done.segment > found.back().number) done = {found.front().number, 0};
    for (const SpoolSegment& segment : found) spool.bytes += segment.bytes;
    spool.done_segment = done.segment;
    spool.done_offset = done.offset;
    spool.write_segment = found.back().number + 1;
    // the order of the new lines begins after the old ones'
    SpoolReader old(place, state);
    std::uint64_t newest = 0;
    while (const auto message = old.peek()) {
        newest = std::max(newest, message->sequence);
        old.advance();
    }
    state.next_sequence = newest + 1;
    state.counts.damaged_records = 0;  // they are met again
    return lock;
}

SpoolWriter::SpoolWriter(SpoolPlace place, SharedState& state) : place_(std::move(place)), state_(state.spool) {}

bool SpoolWriter::holds(std::uint64_t more) const {
    return place_.usable() && state_.bytes.load() + pending_.size() + more <= place_.max_bytes;
}

bool SpoolWriter::push(const Message& message) {
    if (!holds(sizeof(RecordHeader) + message.text.size())) return false;
    RecordHeader header = header_of(message);
    header.check = check_of(header, message.text);
    pending_.append(reinterpret_cast<const char*>(&header), sizeof header);
    pending_ += message.text;
    return pending_.size() < kFlushBytes || commit();
}

bool SpoolWriter::open_segment() {
    const std::uint64_t wanted = state_.write_segment.load();
    if (file_ && open_segment_ == wanted) return true;
    file_ = Fd(::open(segment_path(place_.directory, wanted).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    open_segment_ = wanted;
    // what a writer that was killed had not told of yet is written again
    return file_ && ::ftruncate(file_.get(), static_cast<off_t>(state_.write_offset.load())) == 0;
}

bool SpoolWriter::commit() {
    if (pending_.empty()) return true;
    if (state_.write_offset.load() >= kSegmentBytes) {
        file_.reset();
        state_.write_offset = 0;
        state_.write_segment += 1;
    }
    const std::uint64_t offset = state_.write_offset.load();
    const bool written = open_segment() && write_whole(file_.get(), pending_);
    if (written) {
        state_.bytes += pending_.size();
        state_.write_offset.store(offset + pending_.size(), std::memory_order_release);
    } else {
        file_.reset();  // opening it again cuts off what was written in part
    }
    pending_.clear();
    if (pending_.capacity() > kFlushBytes * 2) pending_.shrink_to_fit();
    return written;
}

SpoolReader::SpoolReader(SpoolPlace place, SharedState& state)
    : place_(std::move(place)),
      shared_(state),
      state_(state.spool),
      cursor_{state_.done_segment.load(), state_.done_offset.load()} {}

void SpoolReader::next_segment() {
    cursor_ = {cursor_.segment + 1, 0};
    file_.reset();
    window_.clear();
}

// At least one whole record in the window, or false: nothing there, or nothing more in this segment.
bool SpoolReader::load() {
    if (!file_ || open_segment_ != cursor_.segment) {
        file_ = Fd(::open(segment_path(place_.directory, cursor_.segment).c_str(), O_RDONLY | O_CLOEXEC));
        open_segment_ = cursor_.segment;
        window_.clear();
        if (!file_) return false;
    }
    const bool writing = cursor_.segment == state_.write_segment.load();
    const std::uint64_t end = writing ? state_.write_offset.load(std::memory_order_acquire) : ~std::uint64_t{0};
    std::size_t wanted = kWindowBytes;
    while (true) {
        if (cursor_.offset < window_begin_ || window_.empty() || cursor_.offset - window_begin_ > window_.size()) {
            window_.clear();
            window_begin_ = cursor_.offset;
        }
        std::string_view left = std::string_view(window_).substr(cursor_.offset - window_begin_);
        if (cursor_.offset + sizeof(RecordHeader) > end) return false;
        if (left.size() >= sizeof(RecordHeader)) {
            RecordHeader header;
            std::memcpy(&header, left.data(), sizeof header);
            if (header.length > kMaxText) return false;
            record_ = sizeof header + header.length;
            if (cursor_.offset + record_ > end) {
                record_ = 0;
                return false;
            }
            if (left.size() >= record_) return true;
            wanted = std::max(wanted, record_);
            record_ = 0;
        }
        window_.erase(0, cursor_.offset - window_begin_);
        window_begin_ = cursor_.offset;
        const std::size_t have = window_.size();
        window_.resize(std::max(wanted, have + 1));
        const ssize_t got = ::pread(file_.get(), window_.data() + have, window_.size() - have,
                                    static_cast<off_t>(window_begin_ + have));
        window_.resize(have + (got > 0 ? static_cast<std::size_t>(got) : 0));
        if (got <= 0) return false;
    }
}

std::optional<Message> SpoolReader::peek() {
    while (place_.usable()) {
        const std::uint64_t writing = state_.write_segment.load(std::memory_order_acquire);
        if (cursor_.segment > writing) return std::nullopt;
        if (record_ == 0 && !load()) {
            if (cursor_.segment >= writing) return std::nullopt;
            struct ::stat about {};
            if (file_ && ::fstat(file_.get(), &about) == 0 &&
                cursor_.offset < static_cast<std::uint64_t>(about.st_size)) {
                ++shared_.counts.damaged_records;
            }
            next_segment();
            continue;
        }
        RecordHeader header;
        const char* begin = window_.data() + (cursor_.offset - window_begin_);
        std::memcpy(&header, begin, sizeof header);
        const std::string_view text(begin + sizeof header, header.length);
        if (header.check == check_of(header, text)) return message_of(header, text);
        ++shared_.counts.damaged_records;
        record_ = 0;
        if (cursor_.segment >= writing) {
            cursor_.offset = state_.write_offset.load();
            return std::nullopt;
        }
        next_segment();
    }
    return std::nullopt;
}

void SpoolReader::advance() {
    cursor_.offset += record_;
    record_ = 0;
    if (window_.capacity() > kWindowBytes * 2 && cursor_.offset - window_begin_ >= window_.size()) {
        window_.clear();
        window_.shrink_to_fit();
    }
}

void SpoolReader::remove(std::uint64_t segment) {
    const std::string path = segment_path(place_.directory, segment);
    struct ::stat about {};
    if (::stat(path.c_str(), &about) == 0 && ::unlink(path.c_str()) == 0) {
        state_.bytes -= static_cast<std::uint64_t>(about.st_size);
    }
}

void SpoolReader::remove_all() {
    if (!place_.usable()) return;
    for (std::uint64_t segment = state_.done_segment; segment <= state_.write_segment; ++segment) remove(segment);
    ::unlink(position_path(place_.directory).c_str());
}

void SpoolReader::release(SpoolPosition position) {
    const SpoolPosition done{state_.done_segment.load(), state_.done_offset.load()};
    if (!place_.usable() || position <= done) return;
    if (!position_file_) {
        position_file_ = Fd(::open(position_path(place_.directory).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    }
    if (position_file_) {
        // if the disk is full, some lines are sent twice after a crash
        [[maybe_unused]] const ssize_t told = ::pwrite(position_file_.get(), &position, sizeof position, 0);
    }
    state_.done_offset = position.offset;
    state_.done_segment = position.segment;
    for (std::uint64_t segment = done.segment; segment < position.segment; ++segment) remove(segment);
}

}  // namespace nodeagent::runtime::logs
