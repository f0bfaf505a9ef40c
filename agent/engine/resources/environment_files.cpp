#include "agent/engine/resources/environment_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "agent/base/backoff.hpp"
#include "agent/base/fd.hpp"
#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/together.hpp"
#include "agent/core/task_state.hpp"
#include "agent/engine/resources/s3.hpp"
#include "agent/engine/spec/env_file.hpp"

namespace nodeagent::engine {

namespace {

constexpr std::chrono::seconds kDownloadLimit{30};
constexpr std::chrono::seconds kLocationLimit{30};
constexpr int kRenameAttempts = 5;
constexpr BackoffPolicy kRenameBackoff{std::chrono::milliseconds(500), std::chrono::seconds(5), 0, 1.5};

/// A file of the task's directory that has no name of its own yet; removed unless renamed.
class TemporaryFile final : public net::BodySink {
  public:
    explicit TemporaryFile(const std::string& directory) : path_(directory + "/tmp_envXXXXXX") {
        file_ = Fd(::mkostemp(path_.data(), O_CLOEXEC));  // mode 0600
        if (!file_) failure_ = from_errno("create a file in " + directory);
    }
    ~TemporaryFile() override {
        if (file_) ::unlink(path_.c_str());  // after a rename the name is gone already
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;

    [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
    Result<void> restart() override {
        if (::ftruncate(file_.get(), 0) != 0 || ::lseek(file_.get(), 0, SEEK_SET) != 0)
            return from_errno("write " + path_);
        return {};
    }
    Result<void> write(std::string_view bytes) override {
        while (!bytes.empty()) {
            const ssize_t n = ::write(file_.get(), bytes.data(), bytes.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return from_errno("write " + path_);
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return {};
    }
    Result<void> rename(const std::string& target) {
        if (::fsync(file_.get()) != 0) return from_errno("sync " + path_);
        if (::rename(path_.c_str(), target.c_str()) != 0) return from_errno("rename to " + target);
        return {};
    }

  private:
    std::string path_;
    Fd file_;
    std::optional<Error> failure_;
};

struct Download {
    std::string arn;
    Result<void> outcome;
};

asio::awaitable<Result<void>> rename_with_retries(const ServiceAccess& access, BlockingPool& disk,
                                                  std::shared_ptr<TemporaryFile> file, std::string target) {
    Backoff backoff(kRenameBackoff);
    for (int attempt = 1;; ++attempt) {
        auto work = [file, target] { return file->rename(target); };
        const Result<void> renamed = co_await disk.run(std::move(work));
        if (renamed || attempt == kRenameAttempts) co_return renamed;
        co_await access.clock.sleep_for(backoff.next());
    }
}

asio::awaitable<Result<void>> download_one(const ServiceAccess& access, BlockingPool& disk, std::string directory,
                                           std::string agent_region, std::string arn,
                                           credentials::AwsCredentials signer) {
    const Result<S3Object> object = parse_s3_arn(arn);
    if (!object) {
        co_return with_context(
            "unable to parse bucket and key from s3 ARN specified in environmentFile " + arn + ", error",
            object.error());
    }
    const Result<std::string> target = environment_file_path(directory, arn);
    if (!target) co_return with_context("unable to initialize envfile resource directory, error", target.error());

    const SteadyTime asked = access.clock.now().steady;
    credentials::AwsCredentials own = signer;
    const Result<std::string> region =
        co_await bucket_region(access, object->bucket, std::move(agent_region), std::move(own), asked + kLocationLimit);
    if (!region) {
        co_return with_context("unable to initialize s3 client for bucket " + object->bucket + ", error",
                               region.error());
    }
    auto prepare = [directory,
                    parent = target->substr(0, target->rfind('/'))]() -> Result<std::shared_ptr<TemporaryFile>> {
        if (auto made = make_directories(directory, 0700); !made) return made.error();
        if (auto made = make_directories(parent, 0700); !made) return made.error();
        auto file = std::make_shared<TemporaryFile>(directory);
        if (file->failure()) return *file->failure();
        return file;
    };
    Result<std::shared_ptr<TemporaryFile>> file = co_await disk.run(std::move(prepare));
    if (!file) co_return with_context("unable to initialize envfile resource directory, error", file.error());

    const SteadyTime begun = access.clock.now().steady;
    Result<void> done = co_await download(access, *object, *region, std::move(signer), *file, kLargestEnvironmentFile,
                                          begun + kDownloadLimit);
    if (done) done = co_await rename_with_retries(access, disk, *file, *target);
    if (!done) {
        co_return with_context(
            "unable to download env file with key " + object->key + " from bucket " + object->bucket + ", error",
            done.error());
    }
    co_return Result<void>{};
}

asio::awaitable<void> download_into(const ServiceAccess& access, BlockingPool& disk, std::string directory,
                                    std::string region, credentials::AwsCredentials signer, Download& one) {
    std::string arn = one.arn;
    Result<void> outcome =
        co_await download_one(access, disk, std::move(directory), std::move(region), std::move(arn), std::move(signer));
    one.outcome = std::move(outcome);
}

}  // namespace

std::string environment_files_root(const std::string& data_directory) {
    return (std::filesystem::path(data_directory) / "envfiles").string();
}

std::string environment_files_directory(const std::string& data_directory, const std::string& cluster,
                                        const std::string& task_arn) {
    const std::string name = cluster.substr(cluster.rfind('/') + 1);
    return (std::filesystem::path(environment_files_root(data_directory)) / name / core::task_id(task_arn)).string();
}

Result<std::string> environment_file_path(const std::string& directory, const std::string& arn) {
    const Result<S3Object> object = parse_s3_arn(arn);
    if (!object) return object.error();
    const std::filesystem::path key = std::filesystem::path("./" + object->key).lexically_normal();
    const bool leaves = key.empty() || key == "." || *key.begin() == ".." || object->bucket == ".." ||
                        object->bucket == "." || object->key.find('\0') != std::string::npos || !key.has_filename();
    if (leaves) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "the key " + object->key + " names no file in the directory of bucket " + object->bucket};
    }
    return (std::filesystem::path(directory) / object->bucket / key).string();
}

asio::awaitable<Result<void>> fetch_environment_files(const ServiceAccess& access, BlockingPool& disk,
                                                      EnvironmentFilesWork work, credentials::AwsCredentials signer) {
    std::vector<Download> downloads;
    for (const model::EnvironmentFile& source : work.sources) downloads.push_back({source.value, {}});
    std::vector<asio::awaitable<void>> all;
    all.reserve(downloads.size());
    for (Download& one : downloads) {
        all.push_back(download_into(access, disk, work.directory, work.region, signer, one));
    }
    co_await together(std::move(all));
    std::vector<std::string> failures;
    for (const Download& one : downloads) {
        if (!one.outcome) failures.push_back(one.outcome.error().what);
    }
    if (!failures.empty()) co_return Error{.kind = ErrorKind::Unavailable, .what = join(failures, ";")};
    co_return Result<void>{};
}

Result<std::map<std::string, std::string>> read_environment_files(const EnvironmentFilesWork& work) {
    std::map<std::string, std::string> variables;
    for (const model::EnvironmentFile& source : work.sources) {
        const Result<std::string> path = environment_file_path(work.directory, source.value);
        if (!path) return path.error();
        const Result<std::string> content = read_file(*path, kLargestEnvironmentFile);
        if (!content) return content.error();
        add_env_file(variables, *content);
    }
    return variables;
}

}  // namespace nodeagent::engine
