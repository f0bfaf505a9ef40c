#include "agent/cli/logs/json_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <utility>

#include "agent/base/fd.hpp"
#include "agent/cli/logs/json_lines.hpp"

namespace nodeagent::cli {

namespace {

constexpr std::size_t kBlock = 64U << 10U;

/// One of the files, read from its begin to its end.
class LogFile {
  public:
    static std::optional<LogFile> open(const std::string& path, bool compressed) {
        LogFile file;
        file.descriptor_ = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        struct ::stat about {};
        if (!file.descriptor_ || ::fstat(file.descriptor_.get(), &about) != 0) return std::nullopt;
        file.device_ = about.st_dev;
        file.inode_ = about.st_ino;
        file.changed_ = about.st_mtim.tv_sec * 1'000'000'000LL + about.st_mtim.tv_nsec;
        file.size_ = about.st_size;
        if (compressed) {
            file.unpacked_.reset(::gzdopen(file.descriptor_.get(), "rb"));
            if (!file.unpacked_) return std::nullopt;
            (void)file.descriptor_.release();
        }
        return file;
    }
    /// Nothing at the end, or where it cannot be read.
    std::size_t read(std::array<char, kBlock>& block) {
        const long got = unpacked_ ? ::gzread(unpacked_.get(), block.data(), static_cast<unsigned>(block.size()))
                                   : static_cast<long>(::read(descriptor_.get(), block.data(), block.size()));
        return got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    [[nodiscard]] bool is(const struct ::stat& about) const {
        return device_ == about.st_dev && inode_ == about.st_ino;
    }
    [[nodiscard]] bool is(const LogFile& other) const { return device_ == other.device_ && inode_ == other.inode_; }
    [[nodiscard]] bool compressed() const { return unpacked_ != nullptr; }
    [[nodiscard]] std::int64_t changed() const { return changed_; }
    [[nodiscard]] off_t size() const { return size_; }
    void seek(off_t to) const { (void)::lseek(descriptor_.get(), to, SEEK_SET); }

    /// Where the last `count` lines of the file begin; 0 if there are no more.
    [[nodiscard]] off_t begin_of_last(std::size_t count) const {
        std::array<char, kBlock> block{};
        std::size_t seen = 0;
        for (off_t end = size_; end > 0;) {
            const off_t begin = std::max<off_t>(0, end - static_cast<off_t>(kBlock));
            const ssize_t got = ::pread(descriptor_.get(), block.data(), static_cast<std::size_t>(end - begin), begin);
            if (got <= 0) return 0;
            for (off_t at = begin + got; at > begin; --at) {
                // the newline at the end of the file ends the last line and begins none
                if (block[static_cast<std::size_t>(at - begin - 1)] != '\n' || at == size_) continue;
                if (++seen == count) return at;
            }
            end = begin;
        }
        return 0;
    }

  private:
    struct CloseGz {
        void operator()(gzFile file) const { ::gzclose(file); }
    };
    Fd descriptor_;
    std::unique_ptr<gzFile_s, CloseGz> unpacked_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
    std::int64_t changed_ = 0;
    off_t size_ = 0;
};

class JsonFileSource final : public LogSource {
  public:
    JsonFileSource(std::string path, LogWindow window) : path_(std::move(path)), window_(window) {}

    asio::awaitable<Result<std::vector<LogLine>>> read(Reading /*reading*/) override {
        if (!begun_) {
            files_ = all_files();
            if (files_.empty()) {
                co_return Error{.kind = ErrorKind::NotFound, .what = "its log file " + path_ + " is not there yet"};
            }
            begun_ = true;
            if (window_.tail) {
                co_return last_lines();
            }
        }
        std::vector<LogLine> lines;
        while (lines.size() < kLinesAtOnce) {
            const bool more = read_some(lines);
            if (more) continue;
            if (files_.size() > 1) {
                decoder_.end_of_file(lines);
                files_.pop_front();
            } else if (!look_for_newer()) {
                break;
            }
        }
        co_return lines;
    }

    std::vector<LogLine> rest() override {
        std::vector<LogLine> lines;
        decoder_.finish(lines);
        return lines;
    }

    std::string remark() override {
        if (decoder_.damaged() == told_) return {};
        const std::size_t count = decoder_.damaged() - std::exchange(told_, decoder_.damaged());
        return std::to_string(count) + " damaged line(s) of " + path_ + " are left out";
    }

  private:
    [[nodiscard]] std::optional<LogFile> rotated(int number) const {
        const std::string name = path_ + "." + std::to_string(number);
        if (auto plain = LogFile::open(name, false)) return plain;
        return LogFile::open(name + ".gz", true);
    }

    /// The oldest first. The current one is opened first: when it is rotated meanwhile it is met again under its new
    /// name.
    [[nodiscard]] std::deque<LogFile> all_files() const {
        std::deque<LogFile> files;
        if (auto current = LogFile::open(path_, false)) files.push_back(*std::move(current));
        for (int number = 1;; ++number) {
            auto older = rotated(number);
            if (!older) break;
            const bool again = std::any_of(files.begin(), files.end(), [&](const LogFile& f) { return f.is(*older); });
            // what was last written before that moment holds nothing of it
            const bool wanted = older->changed() >= window_.since;
            if (!again && wanted) files.push_front(*std::move(older));
        }
        return files;
    }

    bool read_some(std::vector<LogLine>& lines) {
        const std::size_t got = files_.front().read(block_);
        const std::size_t before = lines.size();
        decoder_.feed(std::string_view(block_.data(), got), lines);
        const auto fresh = lines.begin() + static_cast<std::ptrdiff_t>(before);
        lines.erase(std::remove_if(fresh, lines.end(), [this](const LogLine& line) { return !wanted(line); }),
                    lines.end());
        return got > 0;
    }

    /// Not known already, and not from before the window.
    bool wanted(const LogLine& line) {
        if (line.time < skip_) return false;
        if (line.time == skip_ && skip_same_ > 0) {
            --skip_same_;
            return false;
        }
        note(line);
        return line.time >= window_.since;
    }
    void note(const LogLine& line) {
        if (line.time > last_) last_same_ = 0;
        last_ = std::max(last_, line.time);
        if (line.time == last_) ++last_same_;
    }

    /// At the end of the current file: whether it is not the current one any more.
    bool look_for_newer() {
        struct ::stat about {};
        if (::stat(path_.c_str(), &about) != 0 || files_.front().is(about)) return false;
        // what was written to it between its end and its new name
        std::deque<LogFile> newer;
        auto current = LogFile::open(path_, false);
        if (!current) return false;
        newer.push_back(*std::move(current));
        bool met = false;
        for (int number = 1; !met; ++number) {
            auto older = rotated(number);
            if (!older) break;
            met = older->is(files_.front());
            if (!met) newer.push_front(*std::move(older));
        }
        // compressed since, or gone: of the others what is newer than all that was read
        if (!met) {
            skip_ = last_;
            skip_same_ = last_same_;
        }
        while (!newer.empty()) {
            files_.push_back(std::move(newer.front()));
            newer.pop_front();
        }
        return true;
    }

    std::vector<LogLine> last_lines() {
        const std::size_t wanted = *window_.tail;
        std::deque<LogLine> kept;
        for (std::size_t i = files_.size(); i-- > 0 && (kept.size() < wanted || i + 1 == files_.size());) {
            LogFile& file = files_[i];
            const bool current = i + 1 == files_.size();
            std::vector<LogLine> lines;
            const std::size_t missing = wanted - std::min(wanted, kept.size());
            for (std::size_t guess = missing + 1;; guess *= 4) {
                // long lines are several of the file's: when they are too few, further back
                const off_t begin = file.compressed() ? 0 : file.begin_of_last(guess);
                if (!file.compressed()) file.seek(begin);
                JsonLines decoder;
                lines.clear();
                while (const std::size_t got = file.read(block_)) {
                    decoder.feed(std::string_view(block_.data(), got), lines);
                    // the first of a file that is not read from its begin may be the end of a longer one
                    if (lines.size() > 2 * missing + kLinesAtOnce) {
                        lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(missing + 1));
                    }
                }
                if (current) decoder_ = decoder;
                if (!current) decoder.finish(lines);
                if (begin == 0 || lines.size() > missing) break;
            }
            if (current) {
                for (const LogLine& line : lines) note(line);
            }
            lines.erase(std::remove_if(lines.begin(), lines.end(),
                                       [this](const LogLine& line) { return line.time < window_.since; }),
                        lines.end());
            if (lines.size() > missing) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(missing));
            kept.insert(kept.begin(), std::make_move_iterator(lines.begin()), std::make_move_iterator(lines.end()));
        }
        while (files_.size() > 1) files_.pop_front();
        std::vector<LogLine> out(std::make_move_iterator(kept.begin()), std::make_move_iterator(kept.end()));
        return out;
    }

    std::string path_;
    LogWindow window_;
    bool begun_ = false;
    std::deque<LogFile> files_;  ///< those to be read, the current one last
    JsonLines decoder_;
    std::array<char, kBlock> block_{};
    // several lines may have one time: what was read in one piece
    std::int64_t last_ = 0;      ///< time of the newest line read
    std::size_t last_same_ = 0;  ///< how many were read that have it
    std::int64_t skip_ = 0;      ///< lines before it were read already
    std::size_t skip_same_ = 0;  ///< and so many that have it
    std::size_t told_ = 0;
};

}  // namespace

std::unique_ptr<LogSource> json_file_source(std::string path, LogWindow window) {
    return std::make_unique<JsonFileSource>(std::move(path), window);
}

}  // namespace nodeagent::cli
