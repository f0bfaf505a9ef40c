#include "runtime/logs/ring.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace nodeagent::runtime::logs {

namespace {

constexpr std::size_t kPage = 4096;
/// An emptied ring that has grown beyond this gives its memory back.
constexpr std::size_t kKept = 256U << 10U;

}  // namespace

// A killed writer may leave a record half written beyond `end`: it was never there.
struct Ring::Header {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t reached = 0;  ///< highest offset used since memory was given back
};

Ring::Ring(std::size_t capacity) : capacity_(std::max(capacity, kPage)) {
    mapped_ = kPage + (capacity_ + kPage - 1) / kPage * kPage;
    void* memory = ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    header_ = new (memory) Header;
    bytes_ = static_cast<char*>(memory) + kPage;
}

Ring::~Ring() { ::munmap(header_, mapped_); }

std::uint64_t Ring::begin() const { return header_->begin; }
std::uint64_t Ring::end() const { return header_->end; }

void Ring::copy_in(std::uint64_t position, const void* bytes, std::size_t size) {
    const std::size_t at = static_cast<std::size_t>(position % capacity_);
    const std::size_t first = std::min(size, capacity_ - at);
    std::memcpy(bytes_ + at, bytes, first);
    std::memcpy(bytes_, static_cast<const char*>(bytes) + first, size - first);
    header_->reached = std::max<std::uint64_t>(header_->reached, std::min(at + size, capacity_));
}

void Ring::copy_out(std::uint64_t position, void* bytes, std::size_t size) const {
    const std::size_t at = static_cast<std::size_t>(position % capacity_);
    const std::size_t first = std::min(size, capacity_ - at);
    std::memcpy(bytes, bytes_ + at, first);
    std::memcpy(static_cast<char*>(bytes) + first, bytes_, size - first);
}

bool Ring::push(Source source, Nanos time, std::string_view text) {
    if (kRecordHeader + text.size() > capacity_ - used()) {
        if (!empty()) return false;
        text = text.substr(0, capacity_ - kRecordHeader);
    }
    std::uint64_t at = header_->end;
    const auto length = static_cast<std::uint32_t>(text.size());
    copy_in(at, &length, 4);
    copy_in(at + 4, &time, 8);
    copy_in(at + 12, &source, 1);
    copy_in(at + kRecordHeader, text.data(), text.size());
    __atomic_store_n(&header_->end, at + kRecordHeader + text.size(), __ATOMIC_RELEASE);
    return true;
}

std::optional<Record> Ring::read(std::uint64_t& position) const {
    if (position < header_->begin) position = header_->begin;
    if (position + kRecordHeader > header_->end) return std::nullopt;
    std::uint32_t length = 0;
    Record record;
    copy_out(position, &length, 4);
    copy_out(position + 4, &record.time, 8);
    copy_out(position + 12, &record.source, 1);
    if (length > header_->end - position - kRecordHeader) return std::nullopt;
    record.text.resize(length);
    copy_out(position + kRecordHeader, record.text.data(), length);
    position += kRecordHeader + length;
    return record;
}

void Ring::release(std::uint64_t position) {
    __atomic_store_n(&header_->begin, std::min(position, header_->end), __ATOMIC_RELEASE);
    if (!empty()) return;
    // begins again where memory is resident already
    const std::uint64_t again = (header_->end + capacity_ - 1) / capacity_ * capacity_;
    header_->begin = header_->end = again;
    if (header_->reached <= kKept) return;
    ::madvise(bytes_, mapped_ - kPage, MADV_REMOVE);
    header_->reached = 0;
}

}  // namespace nodeagent::runtime::logs
