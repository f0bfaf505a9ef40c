#pragma once
// Makes a gzip stream (RFC 1952) of what is appended, by zlib: the plain text need never be whole in memory.

#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace nodeagent {

class GzipWriter {
  public:
    GzipWriter();
    ~GzipWriter();
    GzipWriter(const GzipWriter&) = delete;
    GzipWriter& operator=(const GzipWriter&) = delete;

    void append(std::string_view plain);
    /// The whole stream; then the writer begins another.
    [[nodiscard]] std::string finish();

  private:
    void compress(std::string_view plain, int flush);
    std::unique_ptr<z_stream_s> stream_;
    std::string out_;
};

}  // namespace nodeagent
