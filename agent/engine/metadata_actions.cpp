// WriteMetadataFile, and the file's first version before create. endpoints.md 7.

#include <utility>

#include "agent/base/backoff.hpp"
#include "agent/base/log.hpp"
#include "agent/core/internal_containers.hpp"
#include "agent/engine/actions.hpp"
#include "agent/engine/resources/metadata_files.hpp"

namespace nodeagent::engine {

namespace {

constexpr BackoffPolicy kWriteBackoff{std::chrono::seconds(5), std::chrono::minutes(5), 0.2, 2};

/// nullptr when this run of the container is over.
const core::ContainerState* running(const LiveTask& task, const core::WriteMetadataFile& action) {
    const core::ContainerState* container = task.state().find(action.container);
    const bool over = container == nullptr || container->known == core::ContainerStatus::Stopped ||
                      container->restarts.count != action.run;
    return over ? nullptr : container;
}

}  // namespace

asio::awaitable<std::string> Actions::first_metadata_file(LiveTask& task, std::string container) {
    const core::ContainerState* state = task.state().find(container);
    if (!tools_.config.container_metadata.enabled() || state == nullptr || core::is_internal(*state)) co_return "";
    const std::string arn = task.state().arn;
    const auto failed = [&](const std::string& cause) {
        log::warn("no metadata file for a container", {{"task", arn}, {"container", container}, {"cause", cause}});
    };
    const Result<std::string> directory = metadata_file_directory(tools_.config.data_dir, arn, container);
    if (!directory) {
        failed(directory.error().what);
        co_return "";
    }
    std::string source = path_on_host(tools_.config, *directory);
    if (source.find(':') != std::string::npos) {
        failed("the runtime cannot mount " + source + ", because of its colon");
        co_return "";
    }
    auto work = [directory = *directory, document = initial_metadata_document(task.state(), *state, tools_.machine)] {
        return create_metadata_file(directory, document);
    };
    const Result<void> written = co_await tools_.pool.run(std::move(work));
    if (!written) {
        failed(written.error().what);
        co_return "";
    }
    co_return source;
}

asio::awaitable<void> Actions::run(LiveTask& task, core::WriteMetadataFile action) {
    const std::string arn = task.state().arn;
    const Result<std::string> directory = metadata_file_directory(tools_.config.data_dir, arn, action.container);
    core::MetadataFileWritten outcome{.container = action.container, .run = action.run, .written = false};
    if (!directory) outcome.written = true;  // it never can be
    Backoff backoff(kWriteBackoff);
    for (int attempt = 1; !outcome.written; ++attempt) {
        const core::ContainerState* container = running(task, action);
        if (container == nullptr) break;
        auto work = [directory = *directory, document = metadata_document(task.state(), *container, tools_.machine)] {
            return update_metadata_file(directory, document);
        };
        const Result<void> written = co_await tools_.pool.run(std::move(work));
        // what is mounted into the container is a directory that has gone: no other would be seen
        outcome.written = written || written.error().kind == ErrorKind::NotFound;
        if (!written && attempt == 1) {
            log::warn("metadata file not brought up to date",
                      {{"task", arn}, {"container", action.container}, {"cause", written.error().what}});
        }
        if (!outcome.written) co_await tools_.clock.sleep_for(backoff.next());
    }
    task.tell(std::move(outcome));
}

}  // namespace nodeagent::engine
