#pragma once
// Keeps the resident set small. Start-up code, registration and TLS set-up are run once and then only occupy memory;
// the kernel would keep their pages mapped for ever on a host with memory to spare.

#include <cstddef>

namespace nodeagent {

/// Before threads start: few malloc arenas, early return of freed memory to the kernel.
void configure_allocator();

/// Returns freed heap to the kernel and unmaps clean pages of program and library files; a page that is needed again
/// comes back from the page cache with a minor fault. A few milliseconds; thread-safe.
void trim_resident_set();

/// Of this process, in bytes; 0 when /proc cannot be read.
[[nodiscard]] std::size_t resident_bytes();
/// As many open files as the hard limit allows: statistics of a thousand containers want thousands, and a service manager
/// starts programs with 1024.
void raise_descriptor_limit();
/// Open descriptors of this process.
[[nodiscard]] std::size_t open_descriptors();

}  // namespace nodeagent
