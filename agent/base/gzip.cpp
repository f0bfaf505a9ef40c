#include "agent/base/gzip.hpp"

#define ZLIB_CONST  // next_in is only read
#include <zlib.h>

#include <array>
#include <limits>

namespace nodeagent {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;  // zlib's way to say that the header must be gzip's

struct Inflater {
    Inflater() : ready(inflateInit2(&stream, kGzipOnly) == Z_OK) {}
    ~Inflater() {
        if (ready) inflateEnd(&stream);
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    z_stream stream{};
    bool ready;
};

Error broken_gzip() { return {.kind = ErrorKind::Malformed, .what = "not a whole gzip stream"}; }

}  // namespace

Result<std::string> gunzip(std::string_view bytes, std::size_t limit) {
    if (bytes.size() > std::numeric_limits<uInt>::max()) return broken_gzip();
    Inflater inflater;
    if (!inflater.ready) return Error{.kind = ErrorKind::Internal, .what = "zlib has no memory"};
    z_stream& stream = inflater.stream;
    stream.next_in = reinterpret_cast<const Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    std::string plain;
    std::array<char, 16384> part{};
    while (true) {
        stream.next_out = reinterpret_cast<Bytef*>(part.data());
        stream.avail_out = static_cast<uInt>(part.size());
        const int outcome = inflate(&stream, Z_NO_FLUSH);
        if (outcome != Z_OK && outcome != Z_STREAM_END) return broken_gzip();
        plain.append(part.data(), part.size() - stream.avail_out);
        if (plain.size() > limit) {
            return Error{.kind = ErrorKind::Denied, .what = "more than " + std::to_string(limit) + " bytes"};
        }
        if (outcome != Z_STREAM_END) continue;
        if (stream.avail_in == 0) return plain;
        if (inflateReset(&stream) != Z_OK) return broken_gzip();  // streams may follow each other
    }
}

}  // namespace nodeagent
