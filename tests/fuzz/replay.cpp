// Runs a fuzz target over files instead of libFuzzer's mutations: what was once found stays found with any compiler.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

int main(int argc, char** argv) {
    std::size_t files = 0;
    for (int i = 1; i < argc; ++i) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
            if (!entry.is_regular_file()) continue;
            std::ifstream in(entry.path(), std::ios::binary);
            const std::vector<char> text((std::istreambuf_iterator<char>(in)), {});
            // and prefixes: truncation is what happens to real input
            const std::size_t step = text.size() / 64 + 1;
            for (std::size_t size = 0; size < text.size(); size += step) {
                LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), size);
            }
            LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
            ++files;
        }
    }
    std::printf("%zu files\n", files);
    return files == 0 ? 1 : 0;  // a corpus that went missing is no success
}
