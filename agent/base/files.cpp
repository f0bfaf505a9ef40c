#include "agent/base/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "agent/base/fd.hpp"

namespace nodeagent {

Result<std::string> read_file(const std::string& path, std::size_t limit) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return from_errno("read " + path);
    std::string content;
    std::array<char, 16384> buffer{};
    for (;;) {
        const ssize_t n = ::read(file.get(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return from_errno("read " + path);
        if (n == 0) return content;
        content.append(buffer.data(), static_cast<std::size_t>(n));
        if (content.size() > limit) {
            return Error{.kind = ErrorKind::Malformed,
                         .what = "read " + path + ": larger than " + std::to_string(limit) + " bytes"};
        }
    }
}

Result<void> replace_file(const std::string& path, std::string_view content, mode_t mode) {
    const std::string temporary = path + ".tmp";
    // What has this name is what a crash left behind, or what somebody else who may write here put in our way: O_EXCL
    // follows no link.
    ::unlink(temporary.c_str());
    Fd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (!file) return from_errno("write " + temporary);
    const auto fail = [&](std::string_view doing) {
        Error error = from_errno(std::string(doing) + " " + temporary);
        ::unlink(temporary.c_str());
        return error;
    };
    if (::fchmod(file.get(), mode) != 0) return fail("set the mode of");
    while (!content.empty()) {
        const ssize_t n = ::write(file.get(), content.data(), content.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail("write");
        content.remove_prefix(static_cast<std::size_t>(n));
    }
    if (::fsync(file.get()) != 0) return fail("sync");
    file.reset();
    if (::rename(temporary.c_str(), path.c_str()) != 0) return fail("rename");
    const std::size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const Fd parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (parent) ::fsync(parent.get());
    return {};
}

Result<void> make_directories(const std::string& path, mode_t mode) {
    for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
        const std::string prefix = path.substr(0, at);
        if (!prefix.empty() && ::mkdir(prefix.c_str(), mode) != 0 && errno != EEXIST)
            return from_errno("create directory " + prefix);
        if (at == std::string::npos) break;
    }
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return from_errno("create directory " + path);
    if (!S_ISDIR(status.st_mode)) {
        return Error{.kind = ErrorKind::Conflict, .what = "create directory " + path + ": a file of that name exists"};
    }
    return {};
}

}  // namespace nodeagent
