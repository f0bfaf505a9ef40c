#include <gmock/gmock.h>

#include "agent/engine/spec/metadata_document.hpp"
#include "tests/unit/agent/engine/spec/spec_task.hpp"

namespace nodeagent::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

MachineIdentity machine() {
    return {.cluster = "default",
            .container_instance_arn = "arn:aws:ecs:us-west-2:111122223333:container-instance/default/1f73",
            .availability_zone = "us-west-2b",
            .private_ipv4 = "192.0.2.0",
            .public_ipv4 = "203.0.113.0",
            .ipv6 = ""};
}

core::TaskState running_task() {
    model::Container web;
    web.image = "httpd:2.4";
    core::TaskState task = one_container_task(web);
    core::ContainerState& container = task.containers[0];
    container.runtime_id = "98e4";
    container.image_id = "sha256:c24f";
    container.port_bindings = {{80, 49153, "0.0.0.0", "tcp"}};
    container.networks = {{"bridge", "172.17.0.2", ""}};
    return task;
}

TEST(MetadataDocument, IsThePublishedExample) {
    const core::TaskState task = running_task();
    EXPECT_EQ(metadata_document(task, task.containers[0], machine()), R"({
	"Cluster": "default",
	"ContainerInstanceARN": "arn:aws:ecs:us-west-2:111122223333:container-instance/default/1f73",
	"TaskARN": "arn:aws:ecs:us-west-2:111122223333:task/c/0123456789abcdef0123456789abcdef",
	"TaskDefinitionFamily": "fam",
	"TaskDefinitionRevision": "7",
	"ContainerID": "98e4",
	"ContainerName": "web",
	"DockerContainerName": "/ecs-fam-7-web-\u003crand\u003e",
	"ImageID": "sha256:c24f",
	"ImageName": "httpd:2.4",
	"PortMappings": [
		{
			"ContainerPort": 80,
			"ContainerPortRange": "",
			"HostPort": 49153,
			"BindIp": "0.0.0.0",
			"Protocol": "tcp"
		}
	],
	"Networks": [
		{
			"NetworkMode": "bridge",
			"IPv4Addresses": [
				"172.17.0.2"
			]
		}
	],
	"MetadataFileStatus": "READY",
	"AvailabilityZone": "us-west-2b",
	"HostPrivateIPv4Address": "192.0.2.0",
	"HostPublicIPv4Address": "203.0.113.0"
})");
}

TEST(MetadataDocument, SaysBeforeTheContainerIsCreatedWhatIsKnownThen) {
    const core::TaskState task = running_task();
    EXPECT_EQ(initial_metadata_document(task, task.containers[0], machine()), R"({
	"Cluster": "default",
	"ContainerInstanceARN": "arn:aws:ecs:us-west-2:111122223333:container-instance/default/1f73",
	"TaskARN": "arn:aws:ecs:us-west-2:111122223333:task/c/0123456789abcdef0123456789abcdef",
	"TaskDefinitionFamily": "fam",
	"TaskDefinitionRevision": "7",
	"ContainerName": "web",
	"AvailabilityZone": "us-west-2b",
	"HostPrivateIPv4Address": "192.0.2.0",
	"HostPublicIPv4Address": "203.0.113.0"
})");
}

TEST(MetadataDocument, LeavesOutWhatIsEmptyButTheAddressOfANetwork) {
    core::TaskState task = running_task();
    task.containers[0].port_bindings.clear();
    task.containers[0].networks = {{"host", "", ""}};
    const std::string text = metadata_document(task, task.containers[0], {.cluster = "default"});
    EXPECT_THAT(text,
                HasSubstr("\t\t\t\"NetworkMode\": \"host\",\n\t\t\t\"IPv4Addresses\": [\n\t\t\t\t\"\"\n\t\t\t]\n"));
    EXPECT_THAT(text, Not(HasSubstr("PortMappings")));
    EXPECT_THAT(text, Not(HasSubstr("ContainerInstanceARN")));
    EXPECT_THAT(text, Not(HasSubstr("IPv6")));
}

TEST(MetadataDocument, NamesIPv6AddressesWhereThereAreSome) {
    core::TaskState task = running_task();
    task.containers[0].networks = {{"bridge", "172.17.0.2", "2001:db8::2"}};
    MachineIdentity only_ipv6 = {.cluster = "default"};
    only_ipv6.ipv6 = "2001:db8::1";
    const std::string text = metadata_document(task, task.containers[0], only_ipv6);
    EXPECT_THAT(text, HasSubstr("\"IPv6Addresses\": [\n\t\t\t\t\"2001:db8::2\"\n"));
    EXPECT_THAT(text, HasSubstr("\"MetadataFileStatus\": \"READY\",\n\t\"HostIPv6Address\": \"2001:db8::1\"\n}"));
}

TEST(MetadataDocument, IsEscapedAsTheReferenceEscapes) {
    core::TaskState task = running_task();
    task.containers[0].image_id = "a<b>&\"c\n\xFF\xE2\x80\xA8";
    EXPECT_THAT(metadata_document(task, task.containers[0], machine()),
                HasSubstr("\"a\\u003cb\\u003e\\u0026\\\"c\\n\xEF\xBF\xBD\\u2028\""));
}

}  // namespace
}  // namespace nodeagent::engine
