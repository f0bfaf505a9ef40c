#pragma once
// How the few settings are read and shown whose text is not simply a value of the member's type. Bad input warns
// through the Reading and leaves the setting unset, where nothing else is said.

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "agent/config/settings.hpp"

namespace nodeagent::config {

Found read_ebs(const Reading&, Config& config, std::string_view text);
Found read_checkpoint(const Reading& reading, Config& config, std::string_view text);
Found read_checkpoint_json(const Reading& reading, Config& config, const nlohmann::json& value);
Found read_ipv6_exclusion(const Reading& reading, Config& config, std::string_view text);
Found read_ipv6_exclusion_json(const Reading& reading, Config& config, const nlohmann::json& value);
Found read_port_range(const Reading& reading, Config& config, std::string_view text);
Found read_port_range_json(const Reading& reading, Config& config, const nlohmann::json& value);
[[nodiscard]] std::string show_port_range(const Config& config);
[[nodiscard]] std::string show_rate(const Config& config);
Found read_image_exclusions(const Reading&, Config& config, std::string_view text);
[[nodiscard]] std::string show_image_exclusions(const Config& config);
Found read_routes(const Reading& reading, Config& config, std::string_view text);
Found read_routes_json(const Reading& reading, Config& config, const nlohmann::json& value);
Found read_local_address_json(const Reading& reading, Config& config, const nlohmann::json& value);
Found read_overtaking(const Reading& reading, Config& config, std::string_view text);
Found read_overtaking_json(const Reading& reading, Config& config, const nlohmann::json& value);
[[nodiscard]] std::string show_overtaking(const Config& config);
[[nodiscard]] std::string show_parallel_pulls(const Config& config);
Found read_prometheus_address(const Reading& reading, Config& config, std::string_view text);
Found read_prometheus_address_json(const Reading& reading, Config& config, const nlohmann::json& value);
/// 1 to 99, or "off", which is 0.
Found read_watermark(const Reading& reading, int& out, std::string_view text);

}  // namespace nodeagent::config
