#include "agent/base/gzip_writer.hpp"

#define ZLIB_CONST  // next_in is only read
#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <utility>

namespace nodeagent {

GzipWriter::GzipWriter() : stream_(std::make_unique<z_stream_s>()) {
    constexpr int as_gzip = 16 + MAX_WBITS;  // zlib's way to ask for gzip's header and checksum
    constexpr int memory = 8;                // its default: 256 KiB
    if (deflateInit2(stream_.get(), Z_DEFAULT_COMPRESSION, Z_DEFLATED, as_gzip, memory, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::bad_alloc();  // the arguments are good, so nothing else can be wrong
}

GzipWriter::~GzipWriter() { deflateEnd(stream_.get()); }

void GzipWriter::append(std::string_view plain) {
    constexpr std::size_t at_once = std::numeric_limits<uInt>::max();
    while (!plain.empty()) {
        const std::size_t length = std::min(plain.size(), at_once);
        compress(plain.substr(0, length), Z_NO_FLUSH);
        plain.remove_prefix(length);
    }
}

std::string GzipWriter::finish() {
    compress({}, Z_FINISH);
    deflateReset(stream_.get());
    return std::exchange(out_, {});
}

void GzipWriter::compress(std::string_view plain, int flush) {
    stream_->next_in = reinterpret_cast<const Bytef*>(plain.data());
    stream_->avail_in = static_cast<uInt>(plain.size());
    std::array<char, 4096> part;
    do {
        stream_->next_out = reinterpret_cast<Bytef*>(part.data());
        stream_->avail_out = static_cast<uInt>(part.size());
        deflate(stream_.get(), flush);
        out_.append(part.data(), part.size() - stream_->avail_out);
    } while (stream_->avail_out == 0);  // room left: everything is taken in, and with Z_FINISH given out
}

}  // namespace nodeagent
