#include "agent/takeover/import.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/core/saved_task.hpp"
#include "agent/engine/image_ledger.hpp"
#include "agent/takeover/report.hpp"
#include "agent/takeover/source.hpp"
#include "tests/fakes/bolt_writer.hpp"
#include "tests/fakes/reference_records.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::takeover {
namespace {

using fakes::reference_container;
using fakes::reference_docker_container;
using fakes::reference_task;
using model::ContainerStatus;
using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kInstance = "arn:aws:ecs:us-west-2:123456789012:container-instance/bench/1";

std::string arn(const std::string& id) { return "arn:aws:ecs:us-west-2:123456789012:task/bench/" + id; }

core::Identity some_names() {
    core::Identity identity;
    identity.uuid = [] { return std::string("uuid"); };
    identity.container_name = [](const model::Task&, const std::string& container) { return "ecs-" + container; };
    identity.volume_name = identity.container_name;
    return identity;
}

class TakeoverImport : public testing::Test {
  protected:
    void add(const std::string& id, const std::string& status) {
        const json one = reference_container(arn(id), "main", status);
        fakes::add_task(root, reference_task(arn(id), status, {one}),
                        {reference_docker_container("id-" + id, "name-" + id, one)});
    }
    Import imported() { return import_database(root, some_names()); }
    void write(const std::string& name = "agent.db") { fakes::BoltWriter().write_to(directory + "/" + name, root); }
    Result<std::optional<Source>> found() { return find_source(directory, some_names()); }

    BoltBucket root = fakes::reference_database("bench", kInstance, "i-1");
    fakes::TempDirectory directory;
};

TEST_F(TakeoverImport, TheIdentityOfTheContainerInstanceIsKept) {
    const Import import = imported();
    EXPECT_EQ(import.agent_version, "1.105.1");
    const engine::StoredState state = to_stored_state(import);
    EXPECT_EQ(state.metadata, (std::map<std::string, std::string>{{"availability-zone", "us-west-2a"},
                                                                  {"cluster-name", "bench"},
                                                                  {"container-instance-arn", kInstance},
                                                                  {"ec2-instance-id", "i-1"},
                                                                  {"task-manifest-seq-num", "7"}}));
    EXPECT_THAT(import.notes, IsEmpty());
}

TEST_F(TakeoverImport, TasksComeInTheOrderOfTheirPulls) {
    add("a", "RUNNING");
    add("b", "STOPPED");
    json late = json::parse(root.buckets["tasks"].values["a"]);
    late["PullStartedAt"] = "2026-01-02T03:05:00Z";
    root.buckets["tasks"].values["a"] = late.dump();
    const Import import = imported();
    ASSERT_EQ(import.tasks.size(), 2U);
    EXPECT_EQ(import.tasks[0].task.arn, arn("b"));
    EXPECT_LT(import.tasks[0].task.arrival, import.tasks[1].task.arrival);
    EXPECT_EQ(import.live(), 1U);
    const engine::StoredState state = to_stored_state(import);
    const auto task = core::decode_saved_task(state.tasks.at(arn("a")));
    ASSERT_TRUE(task) << task.error().what;
    EXPECT_EQ(task->containers[0].runtime_id, "id-a");
}

TEST_F(TakeoverImport, ARecordThatCannotBeReadCostsThatRecord) {
    add("a", "RUNNING");
    add("b", "RUNNING");
    root.buckets["tasks"].values["a"] = "{\"Arn\":";
    root.buckets["images"].values["sha256:1"] = "[]";
    root.buckets["metadata"].values["cluster-name"] = "{}";
    const Import import = imported();
    ASSERT_EQ(import.tasks.size(), 1U);
    EXPECT_THAT(import.notes, ElementsAre(HasSubstr("metadata cluster-name cannot be read"),
                                          AllOf(HasSubstr("task a: its record cannot be read"),
                                                HasSubstr("made again from its containers")),
                                          HasSubstr("image sha256:1")));
}

TEST_F(TakeoverImport, WhatIsMissingHereIsNamedForTasksThatRun) {
    add("a", "RUNNING");
    json task = json::parse(root.buckets["tasks"].values["a"]);
    task["ServiceConnectConfig"] = {{"containerName", "envoy"}};
    root.buckets["tasks"].values["a"] = task.dump();
    root.buckets["eniattachments"].values["att-1"] =
        json{{"taskArn", arn("a")}, {"status", 1}, {"attachmentType", "task-eni"}}.dump();
    root.buckets["eniattachments"].values["att-2"] = json{{"taskArn", arn("z")}, {"status", 2}}.dump();
    root.buckets["resattachments"].values["vol"] =
        json{{"taskArn", arn("a")}, {"status", 1}, {"AttachmentType", "amazonebs"}}.dump();
    EXPECT_THAT(imported().notes,
                ElementsAre(HasSubstr("task a uses what this agent does not have: Service Connect"),
                            HasSubstr("network interface attachment att-1 of task a is not supported"),
                            HasSubstr("volume attachment vol of task a")));
}

TEST_F(TakeoverImport, TheReferencesOwnDaemonsAreNotReported) {
    add("a", "RUNNING");
    json task = json::parse(root.buckets["tasks"].values["a"]);
    task["IsInternal"] = true;
    root.buckets["tasks"].values["a"] = task.dump();
    const engine::StoredState state = to_stored_state(imported());
    EXPECT_THAT(state.tasks, IsEmpty());
    EXPECT_TRUE(state.metadata.contains("given-up:" + arn("a")));
}

TEST_F(TakeoverImport, ImagesKeepTheirAges) {
    root.buckets["images"].values["sha256:1"] = json{
        {"Image", {{"ImageID", "sha256:1"}, {"Names", {"busybox:latest"}}, {"Size", 5}}},
        {"PulledAt", "2026-01-02T03:04:05Z"},
        {"LastUsedAt", "2026-01-02T03:04:06Z"},
        {"PullSucceeded", true},
        {"ManagedEnvKeys", {{"AWS_REGION", true}}}}.dump();
    engine::ImageLedger ledger;
    EXPECT_THAT(ledger.restore(to_stored_state(imported()).images), IsEmpty());
    ASSERT_EQ(ledger.records().size(), 1U);
    EXPECT_TRUE(ledger.pulled_before("busybox:latest"));
    EXPECT_EQ(ledger.records().at("sha256:1").size, 5);
    EXPECT_THAT(ledger.records().at("sha256:1").region_keys, ElementsAre("AWS_REGION"));
}

TEST_F(TakeoverImport, AContainerWithoutAnIdIsFoundByItsLabelsOrHasVanished) {
    for (const char* id : {"a", "b"}) {
        const json one = reference_container(arn(id), "main", "RUNNING");
        fakes::add_task(root, reference_task(arn(id), "RUNNING", {one}), {});
    }
    Import import = imported();
    const core::Listed listed{.runtime_id = "beef",
                              .name = "ecs-it-1-main-ff",
                              .phase = core::Observation::Phase::Running,
                              .task_arn = arn("a"),
                              .container_name = "main"};
    match_containers(import, {listed});
    for (const ImportedTask& one : import.tasks) {
        const core::ContainerState& container = one.task.containers[0];
        if (one.task.arn == arn("a")) {
            EXPECT_EQ(container.runtime_id, "beef");
            EXPECT_EQ(container.docker_name, "ecs-it-1-main-ff");
            EXPECT_EQ(container.known, ContainerStatus::Running);
        } else {
            EXPECT_EQ(container.known, ContainerStatus::Stopped);
            EXPECT_EQ(container.error->name, "ContainerVanishedError");
        }
    }
}

TEST_F(TakeoverImport, TheOldFileCountsWhenTheDatabaseHasNothing) {
    json one = reference_container(arn("a"), "main", "RUNNING");
    const json image{{"Image", {{"ImageID", "sha256:1"}, {"Names", {"busybox"}}}}, {"PullSucceeded", true}};
    std::ofstream(directory + "/ecs_agent_data.json")
        << json{{"Data",
                 {{"Cluster", "bench"},
                  {"ContainerInstanceArn", kInstance},
                  {"EC2InstanceID", "i-1"},
                  {"latestSeqNumberTaskManifest", 9},
                  {"TaskEngine",
                   {{"Tasks", {reference_task(arn("a"), "RUNNING", {one})}},
                    {"IdToContainer", {{"c0ffee", reference_docker_container("c0ffee", "ecs-old", one)}}},
                    {"IdToTask", {{"c0ffee", arn("a")}}},
                    {"ImageStates", {image}},
                    {"ENIAttachments", nullptr}}}}},
                {"Version", 31}};
    const auto old = found();
    ASSERT_TRUE(old && *old);
    const Import& import = (*old)->import;
    EXPECT_EQ((*old)->path, directory + "/ecs_agent_data.json");
    EXPECT_EQ(import.value("container-instance-arn"), kInstance);
    EXPECT_EQ(import.value("task-manifest-seq-num"), "9");
    ASSERT_EQ(import.tasks.size(), 1U);
    EXPECT_EQ(import.tasks[0].task.containers[0].runtime_id, "c0ffee");
    EXPECT_EQ(import.tasks[0].task.containers[0].docker_name, "ecs-old");
    EXPECT_TRUE(import.images.contains("sha256:1"));
    EXPECT_THAT(import.notes, IsEmpty());
    write();
    EXPECT_EQ((*found())->path, directory + "/agent.db") << "a newer agent has taken it over already";
    BoltBucket unused;
    unused.buckets["metadata"];
    fakes::BoltWriter().write_to(directory + "/agent.db", unused);
    EXPECT_EQ((*found())->path, directory + "/ecs_agent_data.json");
}

TEST_F(TakeoverImport, AnythingElseUnderThoseNamesIsAnError) {
    EXPECT_FALSE(*found()) << "nothing is there";
    std::ofstream(directory + "/ecs_agent_data.json") << "[]";
    EXPECT_THAT(found().error().what, HasSubstr("ecs_agent_data.json is no state of amazon-ecs-agent"));
    std::ofstream(directory + "/agent.db") << "SQLite format 3";
    EXPECT_EQ(found().error().what, directory + "/agent.db is no bbolt file");
    EXPECT_THAT(remedy(found().error().kind, directory), HasSubstr("mv " + directory.path() + "/agent.db "));
}

TEST_F(TakeoverImport, TheFileIsPutAwayUntouchedAndAnOlderOneIsKept) {
    write();
    std::ofstream(directory + "/agent.db.migrated") << "older";
    const auto kept = put_away(directory);
    ASSERT_TRUE(kept) << kept.error().what;
    EXPECT_EQ(*kept, directory + "/agent.db.migrated");
    EXPECT_FALSE(is_there(directory + "/agent.db"));
    EXPECT_EQ(open_bolt(*kept)->root, root);
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) files += entry.exists() ? 1 : 0;
    EXPECT_EQ(files, 2U);
    EXPECT_EQ(*put_away(directory), "") << "twice is no error";
}

TEST_F(TakeoverImport, TheReportSaysWhatWillChange) {
    add("a", "RUNNING");
    add("b", "STOPPED");
    write();
    const Report good = report(directory, "bench", false, some_names());
    EXPECT_TRUE(good.good);
    EXPECT_THAT(good.text, AllOf(HasSubstr(kInstance + ", kept"), HasSubstr("2, of which 1 have not stopped"),
                                 HasSubstr("it:1  RUNNING  " + arn("a")),
                                 HasSubstr("kept as " + directory.path() + "/agent.db.migrated")));
    const Report other = report(directory, "prod", false, some_names());
    EXPECT_FALSE(other.good);
    EXPECT_THAT(other.text, HasSubstr("bench, but ECS_CLUSTER is prod: the agent would end with 5"));
    EXPECT_THAT(report(directory, "bench", true, some_names()).text, HasSubstr("is not looked at"));
    std::ofstream(directory + "/agent.db") << "x";
    EXPECT_FALSE(report(directory, "bench", false, some_names()).good);
    EXPECT_EQ(report(directory + "/none", "bench", false, some_names()).text, "");
}

}  // namespace
}  // namespace nodeagent::takeover
