#include "runtime/logs/shared.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <new>

namespace nodeagent::runtime::logs {
namespace {

constexpr std::size_t kPage = 4096;

std::size_t in_pages(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

char* map(std::size_t bytes) {
    void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? nullptr : static_cast<char*>(at);
}

}  // namespace

Result<std::unique_ptr<SharedMemory>> SharedMemory::make(std::size_t ring_bytes) {
    ring_bytes = in_pages(ring_bytes);
    char* state = map(in_pages(sizeof(SharedState)));
    char* ring = state == nullptr ? nullptr : map(ring_bytes);
    if (ring == nullptr) {
        const Error failed = from_errno("map the buffer");
        if (state != nullptr) ::munmap(state, in_pages(sizeof(SharedState)));
        return failed;
    }
    // default-initialised: the arrays are not touched, the kernel's zeros are their content
    return std::unique_ptr<SharedMemory>(new SharedMemory(new (state) SharedState, ring, ring_bytes));
}

SharedMemory::~SharedMemory() {
    ::munmap(ring_, ring_bytes_);
    ::munmap(state_, in_pages(sizeof(SharedState)));
}

}  // namespace nodeagent::runtime::logs
