#pragma once
// How each type of setting is read from environment text and from JSON, and shown (config.md 2). A reader leaves the
// value alone unless it returns Set.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "agent/config/settings.hpp"

namespace nodeagent::config::values {

using Json = nlohmann::json;
using Ports = std::vector<std::uint16_t>;
using Words = std::vector<std::string>;
using Labels = std::map<std::string, std::string>;
using Ulimits = std::vector<DefaultUlimit>;
using Lists = std::map<std::string, std::vector<std::string>>;

Found read_text(const Reading&, std::string& out, std::string_view text);
Found read_text(const Reading&, Secret& out, std::string_view text);
Found read_text(const Reading&, Toggle& out, std::string_view text);
Found read_text(const Reading&, bool& out, std::string_view text);
Found read_text(const Reading&, int& out, std::string_view text);
Found read_text(const Reading&, std::uint16_t& out, std::string_view text);
Found read_text(const Reading&, double& out, std::string_view text);
Found read_text(const Reading&, std::chrono::nanoseconds& out, std::string_view text);
Found read_text(const Reading&, Ports& out, std::string_view text);
Found read_text(const Reading&, Words& out, std::string_view text);
Found read_text(const Reading&, Labels& out, std::string_view text);
Found read_text(const Reading&, Ulimits& out, std::string_view text);  ///< "nofile=32768:65536,core=0"
Found read_text(const Reading&, Lists& out, std::string_view text);
Found read_text(const Reading&, ImagePullBehavior& out, std::string_view text);
Found read_text(const Reading&, PropagateTags& out, std::string_view text);
Found read_text(const Reading&, IpCompatibility& out, std::string_view text);
Found read_text(const Reading&, CloudWatchMetrics& out, std::string_view text);
Found read_text(const Reading&, ContainerRuntime& out, std::string_view text);
Found read_text(const Reading&, log::Level& out, std::string_view text);
Found read_text(const Reading&, log::Format& out, std::string_view text);
Found read_text(const Reading&, Rollover& out, std::string_view text);

Found read_json(const Reading&, std::string& out, const Json& value);
Found read_json(const Reading&, Secret& out, const Json& value);  ///< any JSON, kept as text
Found read_json(const Reading&, Toggle& out, const Json& value);
Found read_json(const Reading&, bool& out, const Json& value);
Found read_json(const Reading&, int& out, const Json& value);
Found read_json(const Reading&, std::uint16_t& out, const Json& value);
Found read_json(const Reading&, std::chrono::nanoseconds& out, const Json& value);
Found read_json(const Reading&, Ports& out, const Json& value);
Found read_json(const Reading&, Words& out, const Json& value);
Found read_json(const Reading&, Labels& out, const Json& value);
Found read_json(const Reading&, Ulimits& out, const Json& value);  ///< that text
Found read_json(const Reading&, Lists& out, const Json& value);
Found read_json(const Reading&, ImagePullBehavior& out, const Json& value);
Found read_json(const Reading&, PropagateTags& out, const Json& value);
Found read_json(const Reading&, IpCompatibility& out, const Json& value);
Found read_json(const Reading&, CloudWatchMetrics& out, const Json& value);
Found read_json(const Reading&, ContainerRuntime& out, const Json& value);

std::string show(const std::string& value);
std::string show(const Secret& value);
std::string show(const Toggle& value);
std::string show(bool value);
std::string show(int value);
std::string show(std::uint16_t value);
std::string show(double value);
std::string show(std::chrono::nanoseconds value);
std::string show(const Ports& value);
std::string show(const Words& value);
std::string show(const Labels& value);
std::string show(const Ulimits& value);
std::string show(const Lists& value);
std::string show(ImagePullBehavior value);
std::string show(PropagateTags value);
std::string show(IpCompatibility value);
std::string show(CloudWatchMetrics value);
std::string show(ContainerRuntime value);
std::string show(log::Level value);
std::string show(log::Format value);
std::string show(Rollover value);

/// Go's spellings of a boolean, after trimming: 1 t T TRUE true True 0 f F FALSE false False.
[[nodiscard]] std::optional<bool> parse_bool(std::string_view text);
/// a.b.c.d/n or an IPv6 network.
[[nodiscard]] bool is_cidr(std::string_view text);

}  // namespace nodeagent::config::values
