#include "agent/base/resident.hpp"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>

namespace nodeagent {

namespace {

struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

/// Segments that the loader mapped read-only hold nothing but the file's own bytes: relocations and RELRO are in
/// writable ones. The loader calls this under its lock, so no library is half mapped or about to go.
int drop_read_only_segments(dl_phdr_info* object, std::size_t, void*) {
    if (std::string_view(object->dlpi_name).starts_with("linux-vdso")) return 0;  // not of a file
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    for (ElfW(Half) i = 0; i < object->dlpi_phnum; ++i) {
        const ElfW(Phdr)& segment = object->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
        const std::uintptr_t first = object->dlpi_addr + segment.p_vaddr;
        const std::uintptr_t begin = (first + page - 1) / page * page;
        const std::uintptr_t end = (first + segment.p_memsz) / page * page;
        if (begin >= end) continue;
        madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);  // NOLINT: an address of the loader
    }
    return 0;
}

}  // namespace

void configure_allocator() {
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_TRIM_THRESHOLD, 64 * 1024);
    mallopt(M_MMAP_THRESHOLD, 64 * 1024);
}

void trim_resident_set() {
    malloc_trim(0);
    dl_iterate_phdr(drop_read_only_segments, nullptr);
}

std::size_t resident_bytes() {
    const File statm(std::fopen("/proc/self/statm", "re"));
    unsigned long total = 0;
    unsigned long resident = 0;
    if (!statm || std::fscanf(statm.get(), "%lu %lu", &total, &resident) != 2) return 0;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::size_t open_descriptors() {
    std::error_code failure;
    std::size_t count = 0;
    for (auto it = std::filesystem::directory_iterator("/proc/self/fd", failure);
         !failure && it != std::filesystem::directory_iterator(); it.increment(failure)) {
        ++count;
    }
    return count == 0 ? 0 : count - 1;  // the one that reads the directory
}

}  // namespace nodeagent
