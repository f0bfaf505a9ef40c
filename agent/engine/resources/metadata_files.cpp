#include "agent/engine/resources/metadata_files.hpp"

#include <filesystem>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"
#include "agent/config/config.hpp"
#include "agent/core/metadata_file.hpp"

namespace nodeagent::engine {

namespace {

namespace fs = std::filesystem;

bool names_a_directory(std::string_view name) {
    constexpr std::string_view kNotInAMount("/:\0", 3);
    return !name.empty() && name != "." && name != ".." && name.find_first_of(kNotInAMount) == name.npos;
}

Error leads_out(std::string_view name) {
    return {.kind = ErrorKind::Malformed,
            .what = "metadata file: no directory can be called after " + std::string(name)};
}

fs::path absolute(const std::string& path) {
    std::error_code failed;
    const fs::path whole = fs::absolute(path, failed);
    return (failed ? fs::path(path) : whole).lexically_normal();
}

bool lies_in(const fs::path& path, const fs::path& directory) {
    const fs::path way = path.lexically_relative(directory);
    return !way.empty() && *way.begin() != "..";
}

}  // namespace

std::string metadata_files_root(const std::string& data_directory) {
    return (absolute(data_directory) / "metadata").string();
}

Result<std::string> metadata_files_directory(const std::string& data_directory, const std::string& task_arn) {
    const std::string_view resource = split(task_arn, ':').back();  // "task/<cluster>/<id>", of old "task/<id>"
    fs::path directory = metadata_files_root(data_directory);
    const auto parts = split(resource, '/');
    if (parts.size() < 2) return leads_out(task_arn);
    for (auto part = parts.begin() + 1; part != parts.end(); ++part) {
        if (!names_a_directory(*part)) return leads_out(task_arn);
        directory /= *part;
    }
    return directory.string();
}

Result<std::string> metadata_file_directory(const std::string& data_directory, const std::string& task_arn,
                                            const std::string& container) {
    const Result<std::string> task = metadata_files_directory(data_directory, task_arn);
    if (!task) return task.error();
    if (!names_a_directory(container)) return leads_out(container);
    return *task + "/" + container;
}

std::string path_on_host(const config::Config& config, const std::string& path) {
    const fs::path own = absolute(path);
    if (config.host_data_dir.empty()) return own.string();
    const fs::path host = absolute(config.host_data_dir);
    if (lies_in(absolute(config.data_dir), host)) return own.string();
    return (host / own.relative_path()).string();
}

Result<void> create_metadata_file(const std::string& directory, std::string_view document) {
    if (auto made = make_directories(directory); !made) return made.error();
    return update_metadata_file(directory, document);
}

Result<void> update_metadata_file(const std::string& directory, std::string_view document) {
    return replace_file(directory + "/" + std::string(core::kMetadataFileName), document, 0644);
}

}  // namespace nodeagent::engine
