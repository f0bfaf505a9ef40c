#include "agent/cli/logs/journal.hpp"

#include <dlfcn.h>
#include <systemd/sd-journal.h>

#include <array>
#include <utility>

#include "agent/base/shared_library.hpp"

namespace nodeagent::cli {

namespace {

// The functions of libsystemd that we use, by their own names.
struct SdJournal {
    decltype(&::sd_journal_open) open = nullptr;
    decltype(&::sd_journal_open_directory) open_directory = nullptr;
    decltype(&::sd_journal_close) close = nullptr;
    decltype(&::sd_journal_add_match) add_match = nullptr;
    decltype(&::sd_journal_seek_head) seek_head = nullptr;
    decltype(&::sd_journal_seek_tail) seek_tail = nullptr;
    decltype(&::sd_journal_seek_realtime_usec) seek_realtime = nullptr;
    decltype(&::sd_journal_next) next = nullptr;
    decltype(&::sd_journal_previous_skip) previous_skip = nullptr;
    decltype(&::sd_journal_get_data) get_data = nullptr;
    decltype(&::sd_journal_get_realtime_usec) get_realtime = nullptr;
    decltype(&::sd_journal_set_data_threshold) set_data_threshold = nullptr;
    decltype(&::sd_journal_get_fd) get_fd = nullptr;
    decltype(&::sd_journal_process) process = nullptr;
    bool loaded = false;
};

const SdJournal& sd_journal_library() {
    static const SdJournal functions = [] {
        SdJournal f;
        void* library = ::dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr) return f;
        f.loaded = find_function(library, f.open, "sd_journal_open") &&
                   find_function(library, f.open_directory, "sd_journal_open_directory") &&
                   find_function(library, f.close, "sd_journal_close") &&
                   find_function(library, f.add_match, "sd_journal_add_match") &&
                   find_function(library, f.seek_head, "sd_journal_seek_head") &&
                   find_function(library, f.seek_tail, "sd_journal_seek_tail") &&
                   find_function(library, f.seek_realtime, "sd_journal_seek_realtime_usec") &&
                   find_function(library, f.next, "sd_journal_next") &&
                   find_function(library, f.previous_skip, "sd_journal_previous_skip") &&
                   find_function(library, f.get_data, "sd_journal_get_data") &&
                   find_function(library, f.get_realtime, "sd_journal_get_realtime_usec") &&
                   find_function(library, f.set_data_threshold, "sd_journal_set_data_threshold") &&
                   find_function(library, f.get_fd, "sd_journal_get_fd") &&
                   find_function(library, f.process, "sd_journal_process");
        return f;
    }();
    return functions;
}

Error journal_failure(const std::string& doing, int result) {
    return from_error_code(doing, std::error_code(-result, std::generic_category()));
}

class JournalSource final : public LogSource {
  public:
    JournalSource(std::string container_id, LogWindow window, std::string folder)
        : container_id_(std::move(container_id)), window_(window), folder_(std::move(folder)) {}
    ~JournalSource() override {
        if (journal_ != nullptr) sd_.close(journal_);
    }
    JournalSource(const JournalSource&) = delete;
    JournalSource& operator=(const JournalSource&) = delete;

    asio::awaitable<Result<std::vector<LogLine>>> read(Reading /*reading*/) override {
        if (journal_ == nullptr) {
            if (auto begun = begin(); !begun) co_return std::move(begun).error();
        } else {
            sd_.process(journal_);  // new files, new entries
        }
        std::vector<LogLine> lines;
        while (lines.size() < kLinesAtOnce) {
            const int moved = at_one_ ? 1 : sd_.next(journal_);
            at_one_ = false;
            if (moved < 0) co_return journal_failure("read the journal", moved);
            if (moved == 0) break;
            take(lines);
        }
        co_return lines;
    }

    std::vector<LogLine> rest() override {
        std::vector<LogLine> lines;
        for (LogLine& part : parts_) {
            if (part.time != 0) lines.push_back(std::exchange(part, {}));
        }
        return lines;
    }

  private:
    Result<void> begin() {
        if (!sd_.loaded) {
            return Error{.kind = ErrorKind::Denied,
                         .what = "the journal cannot be read: libsystemd.so.0 is missing (apt install libsystemd0)"};
        }
        const int opened = folder_.empty() ? sd_.open(&journal_, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM)
                                           : sd_.open_directory(&journal_, folder_.c_str(), 0);
        if (opened < 0) {
            journal_ = nullptr;
            return journal_failure("open the journal", opened);
        }
        sd_.set_data_threshold(journal_, 0);
        const std::string match = "CONTAINER_ID_FULL=" + container_id_;
        if (const int added = sd_.add_match(journal_, match.data(), match.size()); added < 0) {
            return journal_failure("search the journal", added);
        }
        (void)sd_.get_fd(journal_);  // from here on it is watched for what comes
        if (window_.since > 0) {
            sd_.seek_realtime(journal_, static_cast<std::uint64_t>(window_.since / 1000));
        } else {
            sd_.seek_head(journal_);
        }
        if (!window_.tail) return {};
        sd_.seek_tail(journal_);
        // one at least, which is then passed, so that reading goes on from the end
        const int back = sd_.previous_skip(journal_, std::max<std::uint64_t>(1, *window_.tail));
        at_one_ = back > 0 && *window_.tail > 0;
        if (back == 0) sd_.seek_head(journal_);
        return {};
    }

    [[nodiscard]] std::string_view field(const std::string& name) const {
        const void* data = nullptr;
        std::size_t size = 0;
        if (sd_.get_data(journal_, name.c_str(), &data, &size) < 0) return {};
        return std::string_view(static_cast<const char*>(data), size).substr(name.size() + 1);
    }

    void take(std::vector<LogLine>& lines) {
        std::uint64_t microseconds = 0;
        if (sd_.get_realtime(journal_, &microseconds) < 0) return;
        const auto time = static_cast<std::int64_t>(microseconds) * 1000;
        if (time < window_.since) return;
        const bool is_error = field("PRIORITY") == "3";
        LogLine& part = parts_[is_error ? 1 : 0];
        if (part.time == 0) part.time = time;
        part.stream = is_error ? PrintedTo::Stderr : PrintedTo::Stdout;
        part.text += field("MESSAGE");
        const bool goes_on = field("CONTAINER_PARTIAL_MESSAGE") == "true";
        if (!goes_on || part.text.size() >= kLongestLine) lines.push_back(std::exchange(part, {}));
    }

    std::string container_id_;
    LogWindow window_;
    std::string folder_;
    const SdJournal& sd_ = sd_journal_library();
    ::sd_journal* journal_ = nullptr;
    bool at_one_ = false;  ///< on an entry that was not given yet
    std::array<LogLine, 2> parts_;
};

}  // namespace

std::unique_ptr<LogSource> journal_source(std::string container_id, LogWindow window, std::string folder) {
    return std::make_unique<JournalSource>(std::move(container_id), window, std::move(folder));
}

}  // namespace nodeagent::cli
