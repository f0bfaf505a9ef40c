#pragma once
// The sender's work: the queue -> the driver, until there is no more or the time is up.

#include "runtime/logs/sink.hpp"

namespace nodeagent::runtime::logs {

struct SenderSetup {
    LoggerConfig config;
    RingLimits limits;
    SpoolPlace spool;
};

int run_sender(Pair& pair, SharedMemory& memory, const SenderSetup& setup);

}  // namespace nodeagent::runtime::logs
