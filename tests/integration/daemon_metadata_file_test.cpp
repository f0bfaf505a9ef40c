// The metadata file as a container reads it (ECS_ENABLE_CONTAINER_METADATA).
#include <filesystem>
#include <fstream>

#include "daemon_fixture.hpp"
#include "tests/harness/await_file.hpp"

namespace nodeagent::daemon_tests {
namespace {

TEST_F(Daemon, AContainerReadsItsMetadataFile) {
    const std::string out = directory_ + "/out";
    std::filesystem::create_directories(out);
    json one = container("main", {"sh", "-c",
                                  "until grep -q READY $ECS_CONTAINER_METADATA_FILE; do usleep 20000; done;"
                                  "cp $ECS_CONTAINER_METADATA_FILE /out/copy && mv /out/copy /out/file;"
                                  "while [ ! -e /out/end ]; do usleep 20000; done"});
    one["dockerConfig"]["hostConfig"] = json{{"NetworkMode", "bridge"}, {"Binds", {out + ":/out"}}}.dump();
    one["portMappings"] = {{{"containerPort", 80}, {"hostPort", 0}, {"protocol", "tcp"}}};
    start({"ECS_ENABLE_CONTAINER_METADATA=true"});
    send({task("reads", {one})});
    ASSERT_TRUE(runs("reads"));
    ASSERT_TRUE(harness::await_file(out + "/file", 20s)) << "the file did not become READY";

    std::ifstream file(out + "/file");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    EXPECT_THAT(text, testing::StartsWith("{\n\t\"Cluster\": \"bench\",\n\t\"ContainerInstanceARN\": \"arn:aws:ecs:"));
    const json document = json::parse(text);
    const std::string id = containers_of("reads").at(0);
    const json inspected = DockerClient(docker_socket()).call("GET", "/containers/" + id + "/json");
    EXPECT_EQ(document.at("TaskARN"), task_arn("reads"));
    EXPECT_EQ(document.at("ContainerID"), id);
    EXPECT_EQ(document.at("DockerContainerName"), inspected.at("Name"));
    EXPECT_EQ(document.at("ImageID"), inspected.at("Image"));
    const json& network = inspected.at("NetworkSettings");
    EXPECT_EQ(document.at("Networks").at(0).at("IPv4Addresses").at(0), network.at("IPAddress"));
    EXPECT_EQ(std::to_string(document.at("PortMappings").at(0).at("HostPort").get<int>()),
              network.at("Ports").at("80/tcp").at(0).at("HostPort"));
    std::ofstream(out + "/end").close();
    EXPECT_FALSE(control_plane_.report_of(task_arn("reads"), "STOPPED", 60s).is_null());
}

}  // namespace
}  // namespace nodeagent::daemon_tests
