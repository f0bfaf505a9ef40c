// Any bytes as the reference's database: as they are, and with checksums made right, which random input never has.
#include <cstring>

#include "agent/takeover/bolt_file.hpp"
#include "tests/fakes/bolt_writer.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace nodeagent;
using fuzz::require;

namespace {

std::size_t content_of(const takeover::BoltBucket& bucket) {
    std::size_t size = 0;
    for (const auto& [key, value] : bucket.values) size += key.size() + value.size();
    for (const auto& [key, inner] : bucket.buckets) size += key.size() + content_of(inner);
    return size;
}

void seal(std::string& file, std::size_t head) {
    if (file.size() < head + 80) return;
    const std::uint64_t sum = fakes::BoltWriter::checksum(file.data() + head + 16, 56);
    std::memcpy(file.data() + head + 72, &sum, sizeof sum);
}

void read(const std::string& file) {
    const auto root = takeover::read_bolt(file);
    if (!root) {
        require(root.error().what.starts_with("is "), "an error says what the file is", root.error().what);
        return;
    }
    require(content_of(*root) <= file.size(), "a file does not hold more than it is large");
    const auto again = takeover::read_bolt(fakes::BoltWriter(1024).write(*root));
    require(again.has_value() && *again == *root, "what was read can be written and read again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    std::string file(fuzz::text_of(bytes, size));
    read(file);
    seal(file, 0);
    for (const std::size_t page : {512U, 1024U, 4096U}) seal(file, page);
    read(file);
    return 0;
}
