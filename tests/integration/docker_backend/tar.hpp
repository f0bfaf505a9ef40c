#pragma once
// Just enough of ustar to give Docker a file system.

#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

namespace nodeagent::runtime::docker {

class Tar {
  public:
    void file(const std::string& path, std::string_view content) {
        header(path, '0', {}, content.size());
        bytes_.append(content);
        pad();
    }
    void link(const std::string& path, const std::string& target) { header(path, '2', target, 0); }
    std::string finish() {
        bytes_.append(1024, '\0');
        return std::move(bytes_);
    }

  private:
    void header(const std::string& path, char type, const std::string& target, std::size_t size) {
        std::array<char, 512> block{};
        const auto octal = [&block](std::size_t at, int width, std::size_t value) {
            std::snprintf(&block[at], static_cast<std::size_t>(width), "%0*zo", width - 1, value);
        };
        path.copy(&block[0], 99);
        octal(100, 8, 0755);
        octal(108, 8, 0);
        octal(116, 8, 0);
        octal(124, 12, size);
        octal(136, 12, 0);
        block[156] = type;
        target.copy(&block[157], 99);
        std::memcpy(&block[257], "ustar\00000", 8);
        std::memset(&block[148], ' ', 8);  // the checksum counts itself as spaces
        std::size_t sum = 0;
        for (const char c : block) sum += static_cast<unsigned char>(c);
        std::snprintf(&block[148], 8, "%06zo", sum);
        bytes_.append(block.data(), block.size());
    }
    void pad() { bytes_.append((512 - bytes_.size() % 512) % 512, '\0'); }

    std::string bytes_;
};

}  // namespace nodeagent::runtime::docker
