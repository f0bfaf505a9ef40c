#include "runtime/image_archive.hpp"

#include <array>
#include <cstdio>

#include <openssl/evp.h>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::runtime {

namespace {

constexpr std::size_t kBlock = 512;

#if defined(__aarch64__)
constexpr const char* kArchitecture = "arm64";
#else
constexpr const char* kArchitecture = "amd64";
#endif

/// A number field: octal digits that fill it but for the closing zero byte.
void octal(std::string& header, std::size_t at, std::size_t width, std::size_t value) {
    for (std::size_t i = width - 1; i-- > 0; value >>= 3U) header[at + i] = static_cast<char>('0' + (value & 7U));
    header[at + width - 1] = '\0';
}

/// One file in ustar form: a header block, then the content in whole blocks.
std::string entry(std::string_view name, std::string_view content, std::size_t mode) {
    std::string block(kBlock, '\0');
    block.replace(0, name.size(), name);
    octal(block, 100, 8, mode);
    octal(block, 108, 8, 0);  // owner
    octal(block, 116, 8, 0);  // group
    octal(block, 124, 12, content.size());
    octal(block, 136, 12, 0);  // no time: the image is the same whenever it is made
    block[156] = '0';          // a plain file
    block.replace(257, 8, std::string_view("ustar\00000", 8));
    block.replace(148, 8, 8, ' ');
    std::size_t sum = 0;
    for (const char c : block) sum += static_cast<unsigned char>(c);
    octal(block, 148, 7, sum);
    block += content;
    block.resize((block.size() + kBlock - 1) / kBlock * kBlock, '\0');
    return block;
}

std::string sha256(std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
    return hex(std::string_view(reinterpret_cast<const char*>(digest.data()), length));
}

}  // namespace

std::string image_archive(std::string_view name, std::string_view file, std::string_view program) {
    const std::string end(2 * kBlock, '\0');
    const std::string layer = entry(file, program, 0755) + end;
    Json config = Json::object();
    config["architecture"] = kArchitecture;
    config["os"] = "linux";
    config["created"] = "1970-01-01T00:00:00Z";
    config["config"]["Entrypoint"] = Json::array({"/" + std::string(file)});
    config["rootfs"]["type"] = "layers";
    config["rootfs"]["diff_ids"] = Json::array({"sha256:" + sha256(layer)});
    const std::string config_text = dump_json(config);
    const std::string config_name = sha256(config_text) + ".json";
    const std::string layer_name = sha256(layer) + ".tar";
    Json manifest = Json::object();
    manifest["Config"] = config_name;
    manifest["RepoTags"] = Json::array({std::string(name)});
    manifest["Layers"] = Json::array({layer_name});
    return entry(config_name, config_text, 0644) + entry(layer_name, layer, 0644) +
           entry("manifest.json", dump_json(Json::array({std::move(manifest)})), 0644) + end;
}

}  // namespace nodeagent::runtime
