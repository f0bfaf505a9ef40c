#include "agent/host_setup/host_setup.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "agent/base/fd.hpp"
#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"
#include "agent/host_setup/filter_tables.hpp"
#include "agent/host_setup/loopback.hpp"
#include "agent/host_setup/sysctls.hpp"

namespace nodeagent::host_setup {

namespace {

constexpr int kAttempts = 3;

/// Two that see the same rule missing would both add it. Without the lock, which is the folder's matter, we go on.
Fd only_one_at_a_time() {
    const std::string folder(kOutcomeFolder);
    if (!make_directories(folder)) return Fd{};
    Fd lock(::open((folder + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    while (lock && ::flock(lock.get(), LOCK_EX) != 0 && errno == EINTR) {
    }
    return lock;
}

/// One pass over the steps.
struct Pass {
    const std::string& loopback;
    std::vector<std::string> done{}, errors{};
    bool filter_failed = false;

    void note(Result<void> outcome, std::string what) {
        if (outcome) {
            done.push_back(std::move(what));
        } else {
            errors.push_back(what + ": " + outcome.error().what);
        }
    }
    void operator()(const FilterChange& change) {
        const auto outcome = change_tables(change);
        if (!outcome && change.family == Family::Ipv4 && change.table == "filter") filter_failed = true;
        for (const std::string_view line : split(change.commands, '\n')) {
            if (!line.starts_with('-')) continue;
            const std::string command =
                std::string(program_of(change.family)) + " -t " + change.table + " " + std::string(line);
            if (outcome) done.push_back(command);
        }
        if (!outcome) {
            errors.push_back("change table " + change.table + " of " + std::string(program_of(change.family)) + ": " +
                             outcome.error().what);
        }
    }
    void operator()(const SysctlChange& change) {
        std::string what = "sysctl " + change.key + "=" + change.value;
        if (change.needs_filter && filter_failed) {
            errors.push_back(what + ": not set, because the localhost filter is not there");
            return;
        }
        note(write_sysctl(change.key, change.value), std::move(what));
    }
    void operator()(const RouteChange& change) {
        note(change.add ? add_credentials_route(loopback) : remove_credentials_route(loopback),
             std::string(change.add ? "add" : "remove") + " route 169.254.170.2/32 dev " + loopback);
    }
};

}  // namespace

Wishes completed_by_host(Wishes wishes) {
    struct stat about {};
    wishes.ipv6 = ::stat("/proc/sys/net/ipv6", &about) == 0;
    wishes.loopback = loopback_name();
    wishes.ipv4_default = ipv4_routes(wishes.loopback).has_default;
    return wishes;
}

Present look(const Wanted& wanted, bool ipv6) {
    Present present;
    look_at_tables(ipv6, present);
    for (const Sysctl& sysctl : wanted.sysctls) {
        present.sysctls[sysctl.key] = read_sysctl(sysctl.key);
        if (!sysctl.copied_from.empty()) present.sysctls[sysctl.copied_from] = read_sysctl(sysctl.copied_from);
    }
    present.loopback_route = ipv4_routes(loopback_name()).to_credentials;
    return present;
}

Applied apply(const Wishes& wishes) {
    const Fd alone = only_one_at_a_time();
    const Wanted all = wanted(wishes);
    Applied applied;
    for (int attempt = 1; attempt <= kAttempts; ++attempt) {
        const Plan now = plan(all, look(all, wishes.ipv6));
        Pass pass{.loopback = wishes.loopback};
        for (const Step& step : now.steps) std::visit(pass, step);
        applied.done.insert(applied.done.end(), pass.done.begin(), pass.done.end());
        applied.errors = std::move(pass.errors);
        if (applied.errors.empty()) break;
    }
    applied.findings = plan(all, look(all, wishes.ipv6)).findings;
    return applied;
}

}  // namespace nodeagent::host_setup
