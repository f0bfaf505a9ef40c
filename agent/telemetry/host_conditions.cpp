#include "agent/telemetry/host_conditions.hpp"

#include <cstdio>
#include <utility>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"
#include "agent/engine/disk.hpp"
#include "cgroups/pressure.hpp"

namespace nodeagent::telemetry {

namespace {

constexpr unsigned kFullDisk = 95;  ///< percent, where the operator has turned the watermarks off

void add_disk(std::string use, const std::string& folder, model::HostConditions& host) {
    if (folder.empty()) return;
    const auto disk = engine::disk_use(folder);
    if (!disk) return;
    host.disks.push_back({.use = std::move(use),
                          .path = folder,
                          .bytes_total = disk->bytes_total,
                          .bytes_free = disk->bytes_free,
                          .inodes_total = disk->inodes_total,
                          .inodes_free = disk->inodes_free,
                          .bytes_percent = disk->bytes_percent(),
                          .inodes_percent = disk->inodes_percent()});
}

// "MemAvailable:   23236000 kB"
void read_memory(const std::string& proc, model::HostConditions& host) {
    const auto text = read_file(proc + "/meminfo");
    if (!text) return;
    for (const std::string_view line : split(*text, '\n')) {
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        const std::string_view name = line.substr(0, colon);
        if (name != "MemTotal" && name != "MemAvailable") continue;
        const std::string_view amount = trimmed(line.substr(colon + 1));
        const auto kib = parse_integer(amount.substr(0, amount.find(' ')));
        if (!kib || *kib < 0) continue;
        (name == "MemTotal" ? host.memory_total : host.memory_available) = static_cast<std::uint64_t>(*kib) * 1024;
    }
}

void read_load(const std::string& proc, model::HostConditions& host) {
    const auto text = read_file(proc + "/loadavg");
    std::array<double, 3> load{};
    if (text && std::sscanf(text->c_str(), "%lf %lf %lf", &load[0], &load[1], &load[2]) == 3) host.load = load;
}

void read_pressure(const std::string& proc, model::HostConditions& host) {
    constexpr double microseconds = 1e-6;
    for (const char* resource : {"cpu", "memory", "io"}) {
        const auto text = read_file(proc + "/pressure/" + resource);
        const auto pressure = text ? cgroups::parse_pressure(*text) : std::nullopt;
        if (!pressure) continue;
        host.pressures.push_back({.resource = resource,
                                  .some_percent = pressure->some.average60,
                                  .full_percent = pressure->full.average60,
                                  .some_seconds = static_cast<double>(pressure->some.total_us) * microseconds,
                                  .full_seconds = static_cast<double>(pressure->full.total_us) * microseconds});
    }
}

std::string rounded(double percent) { return std::to_string(static_cast<int>(percent + 0.5)) + "%"; }

}  // namespace

model::HostConditions look_at_host(const HostPlaces& places, const HostMarks& marks) {
    model::HostConditions host;
    add_disk("data", places.data_dir, host);
    add_disk("docker", places.docker_root, host);
    read_memory(places.proc, host);
    read_load(places.proc, host);
    read_pressure(places.proc, host);
    find_shortages(host, marks);
    return host;
}

void find_shortages(model::HostConditions& host, const HostMarks& marks) {
    const unsigned high = marks.disk.off() ? kFullDisk : marks.disk.high;
    const std::string mark = ", which is at or above " + std::to_string(high) + "%";
    host.short_of.clear();
    for (const model::DiskCondition& disk : host.disks) {
        if (disk.bytes_percent >= high) {
            host.short_of.push_back(
                {"disk", "disk of " + disk.path + ": " + std::to_string(disk.bytes_percent) + "% in use" + mark});
        }
        if (disk.inodes_percent >= high) {
            host.short_of.push_back({"inodes", "inodes of the disk of " + disk.path + ": " +
                                                   std::to_string(disk.inodes_percent) + "% in use" + mark});
        }
    }
    if (host.memory_total > 0 && host.memory_available < host.memory_total / 100 * marks.memory_available_percent) {
        host.short_of.push_back({"memory", "memory: " + std::to_string(host.memory_available >> 20U) + " MiB of " +
                                               std::to_string(host.memory_total >> 20U) +
                                               " MiB available, which is below " +
                                               std::to_string(marks.memory_available_percent) + "%"});
    }
    for (const model::PressureCondition& pressure : host.pressures) {
        if (pressure.resource == "cpu" || pressure.full_percent < marks.stalled_percent) continue;
        host.short_of.push_back({pressure.resource + "_pressure", pressure.resource + ": work stood still for " +
                                                                      rounded(pressure.full_percent) +
                                                                      " of the last minute, waiting for it"});
    }
}

}  // namespace nodeagent::telemetry
