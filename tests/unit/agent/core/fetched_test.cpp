#include "agent/core/fetched.hpp"

#include "agent/core/reconcile.hpp"
#include "agent/core/saved_task.hpp"
#include "agent/core/waiting.hpp"
#include "task_builder.hpp"

namespace nodeagent::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

model::Container with_secret(model::Container c, std::string provider) {
    model::ContainerSecret secret;
    secret.name = "PASSWORD";
    secret.value_from = "db";
    secret.region = "us-west-2";
    secret.type = "ENVIRONMENT_VARIABLE";
    secret.provider = std::move(provider);
    c.secrets.push_back(std::move(secret));
    return c;
}
model::Container with_file(model::Container c) {
    c.environment_files.push_back({"s3", "arn:aws:s3:::b/k.env"});
    return c;
}
model::Container with_private_registry(model::Container c) {
    c.registry_authentication = model::RegistryAuthentication{"asm", {}, model::AsmAuthData{"arn", "us-west-2"}};
    return c;
}
TaskState with_role(std::vector<model::Container> containers) {
    model::Task payload = payload_of(std::move(containers));
    payload.execution_role_credentials = model::RoleCredentials{};
    payload.execution_role_credentials->credentials_id = "exec";
    return *accepted(std::move(payload));
}
std::vector<std::string> fetches_in(const std::vector<Action>& actions) {
    std::vector<std::string> names;
    for (const CreateResource& action : all_of<CreateResource>(actions)) names.push_back(action.name);
    return names;
}
ResourceSettled fetched(std::string_view name) {
    return {.name = std::string(name), .status = ResourceStatus::Created, .error = {}, .stop_reason = {}};
}

/// The task as another agent finds it in the store.
TaskState restored(const TaskState& task) {
    Result<TaskState> again = decode_saved_task(encode_saved_task(task));
    EXPECT_TRUE(again) << again.error().what;
    return *std::move(again);
}

TEST(Fetched, EveryKindIsFetchedOnceForTheTaskAndEnvironmentFilesOncePerContainer) {
    const TaskState task = with_role({with_file(with_secret(with_secret(container("a"), "ssm"), "asm")),
                                      with_file(with_secret(with_private_registry(container("b")), "ssm"))});
    std::vector<std::string> names;
    for (const ResourceState& resource : task.resources) names.push_back(resource.name);
    EXPECT_THAT(names, ElementsAre("~asm-auth", "~ssmsecret", "~asmsecret", "~envfile_a", "~envfile_b"));
}

TEST(Fetched, ImagesArePulledWhileSecretsAreFetchedButNothingIsCreatedWithoutThem) {
    Bench bench(with_role({with_secret(container("app"), "ssm")}));
    bench.hear(Resumed{}).hear(HostResourcesGranted{});
    EXPECT_THAT(fetches_in(bench.last), ElementsAre("~ssmsecret"));
    bench.run(ManifestResolved{"app", "", {}});
    EXPECT_EQ(bench["app"].known, ContainerStatus::Pulled);
    EXPECT_THAT(names_in<CreateContainer>(bench.history), IsEmpty());
    EXPECT_EQ(waiting_for(bench.task, bench.settings, bench.now), "waits for its secrets from Systems Manager");
    bench.run(fetched("~ssmsecret"));
    EXPECT_EQ(bench["app"].known, ContainerStatus::Running);
}

TEST(Fetched, OnlyTheContainerThatNeedsAFileWaitsForIt) {
    Bench bench(with_role({with_file(container("app")), sidecar("log")}));
    bench.hear(Resumed{}).hear(HostResourcesGranted{});
    bench.run(ManifestResolved{"app", "", {}}).run(ManifestResolved{"log", "", {}});
    EXPECT_EQ(bench["app"].known, ContainerStatus::Pulled);
    EXPECT_EQ(bench["log"].known, ContainerStatus::Running);
}

TEST(Fetched, RegistryCredentialsComeBeforeTheRegistryIsAskedForAnything) {
    Bench bench(with_role({with_private_registry(container("app")), sidecar("log")}));
    bench.hear(Resumed{}).hear(HostResourcesGranted{});
    EXPECT_THAT(names_in<ResolveManifest>(bench.history), ElementsAre("log"));
    bench.hear(fetched("~asm-auth"));
    EXPECT_THAT(names_in<ResolveManifest>(bench.last), ElementsAre("app"));
}

TEST(Fetched, AFailureStopsTheTaskWithItsTextAsReason) {
    Bench bench(with_role({with_secret(container("app"), "ssm")}));
    bench.hear(Resumed{}).hear(HostResourcesGranted{});
    ResourceSettled failed = fetched("~ssmsecret");
    failed.error = NamedError{"ResourceInitializationError", "x"};
    failed.stop_reason = "fetching secret data from SSM Parameter Store in us-west-2: invalid\n  parameters: a,b";
    bench.run(failed).run(ManifestResolved{"app", "", {}});
    ASSERT_FALSE(bench.task_reports().empty());
    EXPECT_EQ(bench.task_reports().back().status, TaskStatus::Stopped);
    EXPECT_EQ(bench.task_reports().back().reason,
              "Fetching secret data from SSM Parameter Store in us-west-2: invalid parameters: a,b");
    EXPECT_THAT(names_in<CreateContainer>(bench.history), IsEmpty());
}

TEST(Fetched, AfterARestartWhatIsStillNeededIsFetchedAgainOnceTheCredentialsHaveCome) {
    Bench before(with_role({with_private_registry(with_secret(container("app"), "asm"))}));
    before.create = [](const std::string&) -> ContainerCreated { return {}; };  // the answer never comes
    before.start();
    ASSERT_EQ(before["app"].known, ContainerStatus::Pulled);

    Bench after(restored(before.task));
    after.hear(Resumed{});
    EXPECT_THAT(fetches_in(after.last), IsEmpty());
    EXPECT_NE(after.task.desired, TaskStatus::Stopped);
    EXPECT_EQ(waiting_for(after.task, after.settings, after.now),
              "container app waits for the credentials of the execution role");
    after.hear(ExecutionCredentialsArrived{});
    EXPECT_THAT(fetches_in(after.last), ElementsAre("~asmsecret")) << "the image is pulled: its registry is not needed";
    after.run(fetched("~asmsecret"));
    EXPECT_EQ(after["app"].known, ContainerStatus::Running);
}

TEST(Fetched, AfterARestartNothingIsFetchedForContainersThatExist) {
    Bench before(with_role({with_file(with_secret(container("app"), "ssm"))}));
    before.start();
    ASSERT_EQ(before["app"].known, ContainerStatus::Running);
    Bench after(restored(before.task));
    after.hear(Resumed{}).hear(ExecutionCredentialsArrived{});
    EXPECT_THAT(fetches_in(after.history), IsEmpty());
}

TEST(Fetched, AContainerFoundCreatedAfterARestartNeedsNoSecondFetch) {
    Bench before(with_role({with_secret(container("app"), "ssm")}));
    before.create = [](const std::string&) -> ContainerCreated { return {}; };
    before.start();
    Bench after(restored(before.task));
    after.hear(ContainerObserved{"app", seen(Observation::Phase::Created, "app"), true});
    after.run(Resumed{});
    EXPECT_THAT(fetches_in(after.history), IsEmpty());
    EXPECT_EQ(after["app"].known, ContainerStatus::Running);
}

TEST(Fetched, ATaskThatStopsFetchesNothingAndEnds) {
    Bench bench(restored(with_role({with_secret(container("app"), "ssm")})));
    bench.hear(Resumed{});
    bench.run(DesiredChanged{TaskStatus::Stopped});
    EXPECT_THAT(fetches_in(bench.history), IsEmpty());
    EXPECT_EQ(bench.task.known, TaskStatus::Stopped);
}

TEST(Fetched, WithoutAnExecutionRoleTheFetchIsTriedAndFailsInsteadOfWaitingForEver) {
    Bench bench(task_of({with_secret(container("app"), "ssm")}));
    bench.hear(Resumed{}).hear(HostResourcesGranted{});
    EXPECT_THAT(fetches_in(bench.last), ElementsAre("~ssmsecret"));
}

}  // namespace
}  // namespace nodeagent::core::testing
