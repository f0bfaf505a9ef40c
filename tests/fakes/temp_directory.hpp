#pragma once
// A directory of a test's own, removed with everything in it.

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace nodeagent::fakes {

class TempDirectory {
  public:
    TempDirectory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "nodeagent-test.XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no directory " + pattern + " for a test");
        path_ = std::move(pattern);
    }
    ~TempDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempDirectory(const TempDirectory&) = delete;
    TempDirectory& operator=(const TempDirectory&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }
    operator const std::string&() const { return path_; }
    /// The path of something in it: directory + "/name".
    friend std::string operator+(const TempDirectory& directory, std::string_view tail) {
        return directory.path_ + std::string(tail);
    }

  private:
    std::string path_;
};

}  // namespace nodeagent::fakes
