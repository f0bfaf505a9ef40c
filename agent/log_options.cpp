#include "agent/log_options.hpp"

namespace nodeagent {

log::SinkOptions sink_options(const config::Config& config) {
    log::SinkOptions options;
    options.stream_level = config.log_level;
    options.file_level = config.log_level_on_instance;
    options.format = config.log_format;
    if (!config.log_file.empty()) options.file = log_file_options(config, config.log_file);
    return options;
}

RotatingFileOptions log_file_options(const config::Config& config, const std::string& path) {
    RotatingFileOptions options;
    options.path = path;
    options.rollover = config.log_rollover == config::LogRollover::Hourly ? Rollover::Hourly : Rollover::Size;
    options.max_bytes = static_cast<std::uint64_t>(config.log_max_file_size_mb * 1e6);
    options.keep = config.log_max_roll_count;
    return options;
}

}  // namespace nodeagent
