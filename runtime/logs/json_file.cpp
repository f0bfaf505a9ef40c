// The driver json-file: Docker's lines and Docker's rotation.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>

#include "agent/base/fd.hpp"
#include "agent/base/files.hpp"
#include "agent/base/gzip_writer.hpp"
#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "runtime/logs/sink.hpp"
#include "runtime/logs/tag.hpp"
#include "runtime/logs/text.hpp"

namespace nodeagent::runtime::logs {
namespace {

constexpr mode_t kLogMode = 0640;
constexpr std::size_t kWriteAt = 64U << 10U;

std::string time_of(std::int64_t nanoseconds) {
    const std::time_t seconds = nanoseconds / 1'000'000'000;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[64];
    // all nine digits: Docker writes RFC3339NanoFixed
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%09lldZ", parts.tm_year + 1900, parts.tm_mon + 1,
                  parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                  static_cast<long long>(nanoseconds % 1'000'000'000));
    return text;
}

class JsonFile final : public Sink {
  public:
    JsonFile(const LoggerConfig& config, SinkTools tools, std::string attributes)
        : tools_(std::move(tools)), path_(config.log_file), attributes_(std::move(attributes)) {
        const auto set = [&](const char* key) {
            const auto found = config.options.find(key);
            return found == config.options.end() ? std::string() : found->second;
        };
        max_size_ = human_bytes(set("max-size")).value_or(0);
        max_files_ = static_cast<int>(parse_integer(set("max-file")).value_or(1));
        compress_ = go_bool(set("compress")).value_or(false);
    }

    void add(const Message& line) override {
        // as Docker: looked at before each line, so that a file ends with the line that filled it
        if (max_size_ != 0 && size_ + pending_.size() >= max_size_) {
            write();
            rotate();
        }
        pending_ += "{\"log\":";
        text_.assign(line.text);
        if (!line.partial() || line.last) text_ += '\n';
        append_json(pending_, text_, true);
        pending_ += line.stream == Stream::Stderr ? ",\"stream\":\"stderr\"" : ",\"stream\":\"stdout\"";
        pending_ += attributes_;
        pending_ += ",\"time\":\"" + time_of(line.time) + "\"}\n";
        ++lines_;
        if (pending_.size() >= kWriteAt) write();
    }

    void flush(bool) override {
        write();
        tools_.sent();
        if (text_.capacity() > kWriteAt) text_.shrink_to_fit();
    }
    [[nodiscard]] bool waiting() const override { return !pending_.empty(); }
    [[nodiscard]] std::chrono::milliseconds interval() const override { return std::chrono::milliseconds(0); }

  private:
    bool open(int more) {
        file_ = Fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | more, kLogMode));
        struct ::stat about {};
        size_ = file_ && ::fstat(file_.get(), &about) == 0 ? static_cast<std::uint64_t>(about.st_size) : 0;
        return static_cast<bool>(file_);
    }

    void write() {
        while (!pending_.empty() && !tools_.pair.over()) {
            if (file_ || open(0)) {
                const ssize_t done = ::write(file_.get(), pending_.data(), pending_.size());
                if (done > 0) {
                    size_ += static_cast<std::uint64_t>(done);
                    tools_.state.counts.event_bytes += static_cast<std::uint64_t>(done);
                    pending_.erase(0, static_cast<std::size_t>(done));
                    continue;
                }
                if (done < 0 && errno == EINTR) continue;
            }
            // a full disk: lines wait in the buffer
            tools_.status.failed("write " + path_ + ": " + from_errno("log").what);
            tools_.pair.wait(-1, 0, std::chrono::steady_clock::now() + std::chrono::seconds(1));
        }
        tools_.state.counts.events += std::exchange(lines_, 0);
        tools_.status.worked();
        if (pending_.capacity() > kWriteAt * 2) pending_.shrink_to_fit();
    }

    void rotate() {
        const std::string extension = compress_ ? ".gz" : "";
        file_.reset();
        if (max_files_ < 2) {
            ::unlink(path_.c_str());
        } else {
            const auto rolled = [&](int number) { return path_ + "." + std::to_string(number) + extension; };
            ::unlink(rolled(max_files_ - 1).c_str());
            for (int number = max_files_ - 1; number > 1; --number) {
                ::rename(rolled(number - 1).c_str(), rolled(number).c_str());
            }
            const std::string newest = path_ + ".1";
            ::rename(path_.c_str(), newest.c_str());
            if (compress_) compress(newest);
        }
        open(O_TRUNC);
    }

    static void compress(const std::string& path) {
        const Fd plain(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!plain) return;
        GzipWriter writer;
        std::string chunk(kWriteAt, '\0');
        ssize_t got = 0;
        while ((got = ::read(plain.get(), chunk.data(), chunk.size())) > 0) {
            writer.append(std::string_view(chunk).substr(0, static_cast<std::size_t>(got)));
        }
        if (got == 0 && replace_file(path + ".gz", writer.finish(), kLogMode)) ::unlink(path.c_str());
    }

    SinkTools tools_;
    std::string path_;
    std::string attributes_;
    std::uint64_t max_size_ = 0;
    int max_files_ = 1;
    bool compress_ = false;
    Fd file_;
    std::uint64_t size_ = 0;
    std::uint64_t lines_ = 0;
    std::string pending_;
    std::string text_;
};

}  // namespace

Result<std::unique_ptr<Sink>> make_json_file(const LoggerConfig& config, SinkTools tools) {
    if (config.log_file.empty()) return Error{.kind = ErrorKind::Malformed, .what = "json-file: log_file is not set"};
    std::map<std::string, std::string> extra = extra_attributes(config);
    auto tag = log_tag(config, "");
    if (!tag) return std::move(tag).error();
    if (!tag->empty()) extra["tag"] = *tag;
    std::string attributes;
    for (const auto& [name, value] : extra) {
        attributes += attributes.empty() ? ",\"attrs\":{" : ",";
        append_json(attributes, name, true);
        attributes += ':';
        append_json(attributes, value, true);
    }
    if (!attributes.empty()) attributes += '}';
    return std::unique_ptr<Sink>(std::make_unique<JsonFile>(config, std::move(tools), std::move(attributes)));
}

}  // namespace nodeagent::runtime::logs
