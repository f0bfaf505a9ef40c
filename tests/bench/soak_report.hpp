#pragma once
// What a soak prints: a line every ten seconds, a verdict at the end, and the same as JSON for machines.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/soak_ledger.hpp"

namespace nodeagent::soak {

struct SoakOptions {
    double rate = 5;  ///< tasks per second
    std::chrono::seconds duration{3600};
    std::uint64_t tasks = 0;  ///< ends after so many, if not 0
    std::uint64_t seed = 1;
    std::string out;                     ///< file for the JSON; "": none
    std::string agent;                   ///< the program; "": the engine in this process on the scripted runtime
    std::string docker;                  ///< Docker's socket, with `agent`
    double growth_limit_mib = 2;         ///< of anonymous memory, from before the first task to after the last
    std::chrono::seconds patience{150};  ///< a task that is not over by then is stuck
    std::chrono::seconds line_every{10}; /**< between progress lines */
    bool log = false;                    ///< the agent's log goes to stderr
    bool trouble = true;                 ///< the runtime goes away now and then
};

/// What can be measured at one moment; -1: not in this mode.
struct Gauges {
    double resident_mib = 0;   ///< with the pages of program and libraries, which work brings in and idling lets go
    double anonymous_mib = 0;  ///< heap, stacks, written data: what can leak
    std::int64_t descriptors = 0;
    std::int64_t store_rows = -1;
    std::int64_t store_bytes = -1;
    std::int64_t containers = -1;
    std::int64_t volumes = -1;
    std::int64_t threads = -1;
};

class SoakReport {
  public:
    SoakReport(SoakOptions options, std::string mode);
    void line(const Tally& tally, const Gauges& gauges, const Ledger& ledger);
    /// A row of the verdict; a soak with a failed row fails.
    void check(const std::string& what, bool good, const std::string& seen);
    /// Prints the verdict, writes the JSON; the exit code.
    int finish(const Ledger& ledger, const Gauges& start, const Gauges& end);

  private:
    struct Row {
        std::string what, seen;
        bool good = false;
    };
    SoakOptions options_;
    std::string mode_;
    SteadyTime began_ = std::chrono::steady_clock::now();
    std::vector<Row> rows_;
    std::int64_t busy_descriptors_ = 0;  ///< at the first line: connections and threads that are then kept
    nlohmann::json lines_ = nlohmann::json::array();
};

[[nodiscard]] Gauges process_gauges(long pid);

int soak_engine(const SoakOptions& options);
int soak_agent(const SoakOptions& options);

}  // namespace nodeagent::soak
