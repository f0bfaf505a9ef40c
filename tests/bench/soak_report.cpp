#include "tests/bench/soak_report.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace nodeagent::soak {

namespace {

double seconds_since(SteadyTime when) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - when).count();
}

std::string count_or_dash(std::int64_t value) { return value < 0 ? "-" : std::to_string(value); }

nlohmann::json to_json(const Gauges& gauges) {
    nlohmann::json json{{"residentMiB", gauges.resident_mib},
                        {"anonymousMiB", gauges.anonymous_mib},
                        {"descriptors", gauges.descriptors}};
    const auto put = [&json](const char* name, std::int64_t value) {
        if (value >= 0) json[name] = value;
    };
    put("storeRows", gauges.store_rows);
    put("storeBytes", gauges.store_bytes);
    put("containers", gauges.containers);
    put("volumes", gauges.volumes);
    put("threads", gauges.threads);
    return json;
}

long status_number(long pid, const std::string& key) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(key)) return std::stol(line.substr(key.size()));
    }
    return 0;
}

}  // namespace

Gauges process_gauges(long pid) {
    Gauges gauges;
    gauges.resident_mib = static_cast<double>(status_number(pid, "VmRSS:")) / 1024.0;
    gauges.anonymous_mib = static_cast<double>(status_number(pid, "RssAnon:")) / 1024.0;
    gauges.threads = status_number(pid, "Threads:");
    std::error_code failure;
    const std::filesystem::path descriptors = "/proc/" + std::to_string(pid) + "/fd";
    for (auto it = std::filesystem::directory_iterator(descriptors, failure);
         !failure && it != std::filesystem::directory_iterator(); it.increment(failure)) {
        ++gauges.descriptors;
    }
    return gauges;
}

SoakReport::SoakReport(SoakOptions options, std::string mode) : options_(std::move(options)), mode_(std::move(mode)) {
    std::printf("soak, %s: %.1f tasks/s for %ld s%s, seed %llu\n", mode_.c_str(), options_.rate,
                static_cast<long>(options_.duration.count()),
                options_.tasks == 0 ? "" : (" or " + std::to_string(options_.tasks) + " tasks").c_str(),
                static_cast<unsigned long long>(options_.seed));
    std::printf("%8s %8s %8s %6s %9s %5s %4s %9s %5s %7s %6s %9s\n", "seconds", "begun", "finished", "alive", "changes",
                "again", "bad", "RSS MiB", "fds", "threads", "rows", "p99 ms");
}

void SoakReport::line(const Tally& tally, const Gauges& gauges, const Ledger& ledger) {
    const auto p99 = ledger.accept_to_running(0.99);
    std::printf("%8.0f %8llu %8llu %6llu %9llu %5llu %4llu %9.2f %5lld %7s %6s %9lld\n", seconds_since(began_),
                static_cast<unsigned long long>(tally.begun), static_cast<unsigned long long>(tally.finished),
                static_cast<unsigned long long>(tally.alive()), static_cast<unsigned long long>(tally.changes),
                static_cast<unsigned long long>(tally.repeats), static_cast<unsigned long long>(tally.violations),
                gauges.resident_mib, static_cast<long long>(gauges.descriptors), count_or_dash(gauges.threads).c_str(),
                count_or_dash(gauges.store_rows).c_str(), static_cast<long long>(p99 ? p99->count() : 0));
    std::fflush(stdout);
    if (busy_descriptors_ == 0) busy_descriptors_ = gauges.descriptors;
    if (options_.out.empty()) return;
    nlohmann::json entry = to_json(gauges);
    entry["seconds"] = seconds_since(began_);
    entry["begun"] = tally.begun;
    entry["finished"] = tally.finished;
    entry["changes"] = tally.changes;
    entry["violations"] = tally.violations;
    lines_.push_back(std::move(entry));
}

void SoakReport::check(const std::string& what, bool good, const std::string& seen) {
    rows_.push_back({what, seen, good});
}

int SoakReport::finish(const Ledger& ledger, const Gauges& start, const Gauges& end) {
    const Tally tally = ledger.tally();
    check("every task begun is over", tally.alive() == 0,
          std::to_string(tally.begun) + " begun, " + std::to_string(tally.finished) + " finished");
    check("every state change legal and once", tally.violations == 0,
          std::to_string(tally.changes) + " changes, " + std::to_string(tally.repeats) +
              " told again after lost answers, " + std::to_string(tally.violations) + " wrong");
    char text[160];
    const double growth = end.anonymous_mib - start.anonymous_mib;
    std::snprintf(text, sizeof text, "%.2f MiB before, %.2f after: %+.2f (limit %.1f); with file pages %.2f and %.2f",
                  start.anonymous_mib, end.anonymous_mib, growth, options_.growth_limit_mib, start.resident_mib,
                  end.resident_mib);
    check("anonymous memory", growth <= options_.growth_limit_mib, text);
    // the agent keeps up to 16 idle connections to the daemon
    check("open descriptors", end.descriptors <= std::max(start.descriptors, busy_descriptors_) + 16,
          std::to_string(start.descriptors) + " before, " + std::to_string(busy_descriptors_) + " at work, " +
              std::to_string(end.descriptors) + " after");
    const auto p50 = ledger.accept_to_running(0.5);
    const auto p99 = ledger.accept_to_running(0.99);
    std::printf("\nhanded over to RUNNING heard by ECS: p50 %lld ms, p99 %lld ms\n",
                static_cast<long long>(p50 ? p50->count() : 0), static_cast<long long>(p99 ? p99->count() : 0));
    for (const auto& [kind, count] : tally.by_kind)
        std::printf("  %-24s %8llu\n", kind.c_str(), static_cast<unsigned long long>(count));
    bool good = true;
    nlohmann::json verdict = nlohmann::json::array();
    for (const Row& row : rows_) {
        std::printf("%-4s %-36s %s\n", row.good ? "ok" : "BAD", row.what.c_str(), row.seen.c_str());
        verdict.push_back({{"what", row.what}, {"good", row.good}, {"seen", row.seen}});
        good = good && row.good;
    }
    for (const std::string& one : ledger.first_violations()) std::printf("  wrong: %s\n", one.c_str());
    for (const std::string& one : ledger.unfinished()) std::printf("  not over: %s\n", one.c_str());
    std::fflush(stdout);
    if (!options_.out.empty()) {
        const nlohmann::json all{{"mode", mode_},
                                 {"rate", options_.rate},
                                 {"seed", options_.seed},
                                 {"seconds", seconds_since(began_)},
                                 {"tasks", tally.finished},
                                 {"changes", tally.changes},
                                 {"repeats", tally.repeats},
                                 {"violations", tally.violations},
                                 {"byKind", tally.by_kind},
                                 {"runningP50Ms", p50 ? p50->count() : 0},
                                 {"runningP99Ms", p99 ? p99->count() : 0},
                                 {"start", to_json(start)},
                                 {"end", to_json(end)},
                                 {"verdict", verdict},
                                 {"good", good},
                                 {"lines", lines_}};
        std::ofstream(options_.out) << all.dump(1) << "\n";
    }
    return good ? 0 : 1;
}

}  // namespace nodeagent::soak
