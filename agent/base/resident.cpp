#include "agent/base/resident.hpp"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>
#include <vector>

namespace nodeagent {

namespace {

struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

struct Mapping {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    bool droppable = false;  ///< a read-only file mapping, none of whose pages was ever written (relocations are)
};

// Read-only mappings of files whose pages all equal the file's: dropping those loses nothing.
std::vector<Mapping> clean_file_mappings() {
    std::vector<Mapping> found;
    const File smaps(std::fopen("/proc/self/smaps", "re"));
    if (!smaps) return found;
    char line[512];
    while (std::fgets(line, sizeof line, smaps.get()) != nullptr) {
        const bool heading = line[0] < 'A' || line[0] > 'Z';  // an address range; figures begin with a capital
        std::uintptr_t begin = 0;
        std::uintptr_t end = 0;
        char access[5] = {};
        if (heading) {
            if (std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &begin, &end, access) != 3) continue;
            const bool read_only = access[0] == 'r' && access[1] == '-' && access[3] == 'p';
            found.push_back({begin, end, read_only && std::strchr(line, '/') != nullptr});
        } else if (!found.empty() && found.back().droppable) {
            for (const std::string_view name : {"Private_Dirty:", "Anonymous:", "Shared_Dirty:", "Swap:"}) {
                if (!std::string_view(line).starts_with(name)) continue;
                if (std::strtoul(line + name.size(), nullptr, 10) > 0) found.back().droppable = false;
            }
        }
    }
    return found;
}

}  // namespace

void configure_allocator() {
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_TRIM_THRESHOLD, 64 * 1024);
    mallopt(M_MMAP_THRESHOLD, 64 * 1024);
}

void trim_resident_set() {
    malloc_trim(0);
    for (const Mapping& mapping : clean_file_mappings()) {
        if (mapping.droppable) {
            madvise(reinterpret_cast<void*>(mapping.begin), mapping.end - mapping.begin,
                    MADV_DONTNEED);  // NOLINT: an address from /proc
        }
    }
}

std::size_t resident_bytes() {
    const File statm(std::fopen("/proc/self/statm", "re"));
    unsigned long total = 0;
    unsigned long resident = 0;
    if (!statm || std::fscanf(statm.get(), "%lu %lu", &total, &resident) != 2) return 0;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
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
