#pragma once
// The format of environment files: NAME=value lines, nothing else. task-engine.md 3.8.

#include <map>
#include <string>
#include <string_view>

namespace nodeagent::engine {

/// Adds what `content` defines to `variables`; a name that is there already stays as it is, so that among several files
/// the first one wins. Within one file the last definition of a name counts. Lines that begin with '#', have no '=' or
/// no name before it are skipped; the value is kept verbatim: no trimming, no quotes, no "export". A line ends with LF
/// or CR LF; one with a NUL, which no environment can hold, is skipped.
void add_env_file(std::map<std::string, std::string>& variables, std::string_view content);

}  // namespace nodeagent::engine
