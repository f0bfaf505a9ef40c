#pragma once
// What the session tests share: a scripted AcsHandler, static credentials, a server on a loop with a manual clock.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/scope.hpp"
#include "agent/credentials/provider.hpp"
#include "agent/ecs/acs_conversation.hpp"
#include "agent/ecs/acs_handler.hpp"
#include "agent/ecs/acs_session.hpp"
#include "agent/net/ws_connection.hpp"
#include "tests/fakes/fake_acs.hpp"
#include "tests/fakes/manual_clock.hpp"

namespace nodeagent::ecs {

struct ScriptedHandler final : AcsHandler {
    asio::awaitable<std::vector<model::Acceptance>> accept(
        std::vector<std::shared_ptr<const model::Task>> tasks) override {
        for (const auto& task : tasks) accepted.push_back(task->arn + " " + task->desired_status);
        ++batches;
        co_return std::vector<model::Acceptance>(tasks.size(), verdict);
    }
    void report_invalid(std::string task_arn, std::string reason) override {
        invalid.push_back(task_arn + ": " + reason);
    }
    bool use_credentials(const std::string& task_arn, credentials::RoleType role, const std::string& id) override {
        used.push_back(task_arn + (role == credentials::RoleType::TaskExecution ? " execution " : " application ") +
                       id);
        for (const LocalTask& task : local) {
            if (task.arn == task_arn) return true;
        }
        return false;
    }
    [[nodiscard]] std::vector<LocalTask> tasks() const override { return local; }
    asio::awaitable<void> stop(std::string task_arn) override {
        stopped.push_back(std::move(task_arn));
        co_return;
    }
    asio::awaitable<Result<void>> save_sequence_number(std::int64_t number) override {
        if (cannot_save) co_return Error{.kind = ErrorKind::Unavailable, .what = "disk full"};
        saved_number = number;
        co_return Result<void>{};
    }
    asio::awaitable<Result<void>> save_attachment(Attachment attachment) override {
        attachments.push_back(std::move(attachment));
        co_return Result<void>{};
    }
    asio::awaitable<void> erase_attachment(std::string key) override {
        erased.push_back(std::move(key));
        co_return;
    }
    void heartbeat() override { ++heartbeats; }

    std::vector<LocalTask> local;
    model::Acceptance verdict = model::Acceptance::Held;
    int batches = 0;
    bool cannot_save = false;
    std::vector<std::string> accepted, invalid, used, stopped, erased;
    std::vector<Attachment> attachments;
    std::optional<std::int64_t> saved_number;
    int heartbeats = 0;
};

struct StaticCredentials final : credentials::Provider {
    asio::awaitable<Result<credentials::AwsCredentials>> get() override {
        if (missing) co_return Error{.kind = ErrorKind::Denied, .what = "no credentials"};
        credentials::AwsCredentials out;
        out.access_key_id = "AKIDEXAMPLE";
        out.secret_access_key = Secret("secret");
        out.session_token = Secret(token);
        co_return out;
    }
    void invalidate() override {}
    bool missing = false;
    std::string token;
};

inline SessionIdentity test_identity() {
    SessionIdentity out;
    out.cluster = "prod";
    out.container_instance_arn = "arn:aws:ecs:us-west-2:123456789012:container-instance/prod/0123";
    out.region = "us-west-2";
    out.runtime_version = "25.0.8";
    return out;
}

/// Runs `work` to its end on a loop of its own.
template <class T>
T run_alone(asio::awaitable<T> work) {
    asio::io_context io;
    std::optional<T> out;
    asio::co_spawn(io, std::move(work), [&out](std::exception_ptr failed, T value) {
        if (failed) std::rethrow_exception(failed);
        out = std::move(value);
    });
    io.run();
    return std::move(*out);
}

/// A service that sessions connect to. They are spawned in `scope`, which is empty before they are destroyed.
class SessionTest : public testing::Test {
  protected:
    void TearDown() override {
        scope.cancel();
        EXPECT_TRUE(wait([this] { return scope.size() == 0; })) << "the session does not stop";
        server.reset();
        io.restart();
        io.poll();
    }
    bool wait(std::function<bool()> done) { return fakes::run_until(io, std::move(done)); }

    asio::io_context io;
    fakes::ManualClock clock;
    std::unique_ptr<fakes::FakeAcs> server = std::make_unique<fakes::FakeAcs>(io);
    StaticCredentials credentials;
    Scope scope{io.get_executor()};
};

}  // namespace nodeagent::ecs
