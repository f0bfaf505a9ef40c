#include "runtime/logs/spool.hpp"

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::runtime::logs {

namespace {

constexpr std::size_t kReadAhead = 64U << 10U;
constexpr std::uint64_t kHole = 1U << 20U;  ///< the disk gets back what was sent, this much at a time
constexpr std::uint32_t kLongest = 1U << 20U;

}  // namespace

Spool::Spool(std::string folder, std::uint64_t bound) : folder_(std::move(folder)), bound_(bound) {
    struct stat about {};
    if (::stat(file().c_str(), &about) != 0 || about.st_size == 0) return;
    file_ = Fd(::open(file().c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (!file_) return;
    end_ = static_cast<std::uint64_t>(about.st_size);
    if (const auto sent = read_file(folder_ + "/spool.sent")) {
        const auto position = parse_integer(trimmed(*sent));
        if (position && *position >= 0) begin_ = std::min(end_, static_cast<std::uint64_t>(*position));
    }
}

bool Spool::push(Source source, Nanos time, std::string_view text) {
    text = text.substr(0, kLongest);
    if (used() + kRecordHeader + text.size() > bound_) return false;
    if (!file_) {
        if (!make_directories(folder_, 0700)) return false;
        file_ = Fd(::open(file().c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!file_) return false;
    }
    std::string record(kRecordHeader, '\0');
    const auto length = static_cast<std::uint32_t>(text.size());
    std::memcpy(record.data(), &length, 4);
    std::memcpy(record.data() + 4, &time, 8);
    std::memcpy(record.data() + 12, &source, 1);
    record += text;
    const ssize_t written = ::pwrite(file_.get(), record.data(), record.size(), static_cast<off_t>(end_));
    if (written != static_cast<ssize_t>(record.size())) {
        (void)!::ftruncate(file_.get(), static_cast<off_t>(end_));  // a full disk: half a record is none
        return false;
    }
    end_ += record.size();
    return true;
}

std::optional<Record> Spool::read(std::uint64_t& position) {
    position = std::max(position, begin_);
    const auto need = [&](std::size_t size) {
        if (position >= pending_at_ && position + size <= pending_at_ + pending_.size()) return true;
        if (position + size > end_) return false;
        const std::size_t wanted =
            std::min<std::uint64_t>(std::max(size, kReadAhead), end_ - position);
        pending_.resize(wanted);
        pending_at_ = position;
        const ssize_t count = ::pread(file_.get(), pending_.data(), wanted, static_cast<off_t>(position));
        pending_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        return pending_.size() >= size;
    };
    if (!need(kRecordHeader)) {
        if (position < end_) end_ = position;
        return std::nullopt;
    }
    std::uint32_t length = 0;
    std::memcpy(&length, pending_.data() + (position - pending_at_), 4);
    if (length > kLongest || !need(kRecordHeader + length)) {
        end_ = position;
        return std::nullopt;
    }
    const char* const from = pending_.data() + (position - pending_at_);
    Record record;
    std::memcpy(&record.time, from + 4, 8);
    std::memcpy(&record.source, from + 12, 1);
    record.text.assign(from + kRecordHeader, length);
    position += kRecordHeader + length;
    return record;
}

void Spool::release(std::uint64_t position) {
    const std::uint64_t before = begin_;
    begin_ = std::min(position, end_);
    if (begin_ == before) return;
    if (empty()) {
        begin_ = end_ = 0;
        pending_.clear();
        pending_.shrink_to_fit();
        (void)!::ftruncate(file_.get(), 0);
        ::unlink((folder_ + "/spool.sent").c_str());
        return;
    }
    (void)replace_file(folder_ + "/spool.sent", std::to_string(begin_) + "\n");
    if (begin_ / kHole != before / kHole) {
        ::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                    static_cast<off_t>(begin_ / kHole * kHole));
    }
}

}  // namespace nodeagent::runtime::logs
