#pragma once
// What a gzip stream holds, by zlib.

#include <string>

#include <zlib.h>

namespace nodeagent::fakes {

/// "" when it is not one whole stream.
inline std::string gunzipped(std::string stream) {
    z_stream inflater{};
    if (inflateInit2(&inflater, 16 + MAX_WBITS) != Z_OK) return {};
    inflater.next_in = reinterpret_cast<Bytef*>(stream.data());
    inflater.avail_in = static_cast<uInt>(stream.size());
    std::string plain;
    char part[4096];
    int outcome = Z_OK;
    while (outcome == Z_OK) {
        inflater.next_out = reinterpret_cast<Bytef*>(part);
        inflater.avail_out = sizeof part;
        outcome = inflate(&inflater, Z_NO_FLUSH);
        plain.append(part, sizeof part - inflater.avail_out);
    }
    const bool whole = outcome == Z_STREAM_END && inflater.avail_in == 0;
    inflateEnd(&inflater);
    return whole ? plain : std::string();
}

}  // namespace nodeagent::fakes
