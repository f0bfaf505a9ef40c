// Any bytes as an environment file: what comes out can be an environment, and reads back the same.
#include <map>

#include "agent/engine/spec/env_file.hpp"
#include "tests/fuzz/fuzz.hpp"

using nodeagent::engine::add_env_file;
using nodeagent::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view content = nodeagent::fuzz::text_of(bytes, size);
    using Variables = std::map<std::string, std::string>;
    Variables variables;
    add_env_file(variables, content);
    std::string written;
    for (const auto& [name, value] : variables) {
        require(!name.empty() && name.find('=') == std::string::npos, "a name is a name", name);
        require((name + value).find_first_of(std::string_view("\n\0", 2)) == std::string::npos,
                "a variable is of one line and without NUL", name);
        written += name + "=" + value + "\r\n";
    }
    Variables again;
    add_env_file(again, written);
    require(again == variables, "what was read reads back the same", written);
    Variables taken{{"PATH", "/bin"}};
    add_env_file(taken, "PATH=/usr/bin\n");
    add_env_file(taken, content);
    require(taken.at("PATH") == "/bin", "the first file wins");
    return 0;
}
