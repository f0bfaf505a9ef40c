#include "agent/engine/spec/env_file.hpp"

namespace nodeagent::engine {

void add_env_file(std::map<std::string, std::string>& variables, std::string_view content) {
    std::map<std::string, std::string> own;
    while (!content.empty()) {
        const std::size_t end = content.find('\n');
        std::string_view line = content.substr(0, end);
        content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        const std::size_t equals = line.find('=');
        if (line.starts_with('#') || equals == 0 || equals == std::string_view::npos) continue;
        if (line.find('\0') != std::string_view::npos) continue;
        own.insert_or_assign(std::string(line.substr(0, equals)), std::string(line.substr(equals + 1)));
    }
    variables.merge(own);  // names that are there already stay
}

}  // namespace nodeagent::engine
