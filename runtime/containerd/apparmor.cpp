#include "runtime/containerd/apparmor.hpp"

#include <unistd.h>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"
#include "runtime/containerd/network/program.hpp"

namespace nodeagent::runtime::containerd {

namespace {

/// All but these are allowed: writing in /proc outside of a process' own folders and of sys/kernel/shm*, writing in
/// /sys outside of cgroups, mounting.
constexpr std::string_view kRules = R"(  network,
  capability,
  file,
  umount,
  signal (receive) peer=unconfined,
  signal (receive) peer=runc,
  signal (receive) peer=crun,
  signal (send, receive) peer="docker-default",
  ptrace (trace, tracedby, read, readby) peer="docker-default",
  deny mount,
  deny @{PROC}/* w,
  deny @{PROC}/{[a-rt-z],s[a-df-xz]}*/** w,
  deny @{PROC}/sysvipc/** w,
  deny @{PROC}/sys/[^k]** w,
  deny @{PROC}/sys/kernel/{[^s],s[^h],sh[^m]}** w,
  deny @{PROC}/{kcore,sysrq-trigger} rwklx,
  deny /sys/{[^f],f[^s]}** wklx,
  deny /sys/fs/{[^c],c[^g],cg[^r]}** wklx,
  deny /sys/{firmware,devices/virtual/powercap,kernel/security}/** rwklx,
)";

bool is_there(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace

std::string container_profile(bool abi, bool base) {
    std::string text;
    if (abi) text += "abi <abi/3.0>,\n";  // with later ones "network" leaves unix sockets out
    text += base ? "include <tunables/global>\n" : "@{PROC}=/proc/\n";
    text += "profile \"" + std::string(kContainerProfile) + "\" flags=(attach_disconnected,mediate_deleted) {\n";
    if (base) text += "  include <abstractions/base>\n";
    return text + std::string(kRules) + "}\n";
}

bool lists_profile(std::string_view list, std::string_view name) {
    for (const std::string_view line : split(list, '\n')) {
        if (line.starts_with(name) && line.substr(name.size()).starts_with(" (")) return true;
    }
    return false;
}

Result<bool> ensure_container_profile(const AppArmorPlaces& places) {
    const auto enabled = read_file(places.enabled, 16);
    if (!enabled || !enabled->starts_with('Y')) return false;
    const auto loaded = read_file(places.profiles);
    if (!loaded) return false;  // no securityfs: a container ourselves
    if (lists_profile(*loaded, kContainerProfile)) return true;
    const std::string parser = places.parser.empty() ? find_program("apparmor_parser") : places.parser;
    if (parser.empty()) return false;
    // the abstraction needs the variables
    const bool base =
        is_there(places.includes + "/abstractions/base") && is_there(places.includes + "/tunables/global");
    ProgramRun run{.path = parser, .arguments = {"-K", "-r"}, .environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}};
    run.input = container_profile(is_there(places.includes + "/abi/3.0"), base);
    const auto ended = run_program(run);
    if (!ended) return with_context("load the AppArmor profile of containers", ended.error());
    if (ended->status != 0) {
        return Error{.kind = ErrorKind::Internal,
                     .what = "load the AppArmor profile of containers: " + std::string(trimmed(ended->errors))};
    }
    return true;
}

}  // namespace nodeagent::runtime::containerd
