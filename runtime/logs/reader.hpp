#pragma once
// The reader's work: pipes -> lines -> the queue, until both pipes have ended and the sender is done.

#include <chrono>

#include "runtime/logs/pair.hpp"
#include "runtime/logs/queue.hpp"

namespace nodeagent::runtime::logs {

struct ReaderSetup {
    int pipes[2] = {-1, -1};  ///< stdout, stderr; -1: there is none
    std::size_t longest_line = kDefaultLine;
    bool blocking = true;            ///< when nothing has room: wait, or drop
    bool discard = false;            ///< driver none
    std::chrono::seconds grace{10};  ///< after SIGTERM; the shim kills after twelve
    RingLimits limits;
    SpoolPlace spool;
};

int run_reader(Pair& pair, SharedMemory& memory, const ReaderSetup& setup);

}  // namespace nodeagent::runtime::logs
