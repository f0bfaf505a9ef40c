#include "runtime/containerd/oci/command.hpp"

#include <gtest/gtest.h>

namespace nodeagent::runtime::containerd::oci {
namespace {

using Words = std::vector<std::string>;

ImageConfig an_image() {
    ImageConfig image;
    image.entrypoint = {"/entry"};
    image.cmd = {"serve"};
    image.env = {"PATH=/image/bin", "MODE=image", "ONLY=image"};
    return image;
}

Words arguments(const char* config) { return container_arguments(Json::parse(config), an_image()).value(); }
Words environment(const char* config, EnvironmentInputs inputs = {.hostname = "h", .links = {}}) {
    return container_environment(Json::parse(config), an_image(), inputs).value();
}

TEST(ContainerCommand, AnImageRunsItsEntrypointWithItsCommand) {
    EXPECT_EQ(arguments("{}"), (Words{"/entry", "serve"}));
    EXPECT_EQ(arguments(R"({"Entrypoint":null,"Cmd":null})"), (Words{"/entry", "serve"}));
}

TEST(ContainerCommand, ACommandReplacesTheImagesCommandOnly) {
    EXPECT_EQ(arguments(R"({"Cmd":["list","-v"]})"), (Words{"/entry", "list", "-v"}));
}

TEST(ContainerCommand, AnEntrypointDiscardsTheImagesCommandToo) {
    EXPECT_EQ(arguments(R"({"Entrypoint":["/mine"]})"), (Words{"/mine"}));
    EXPECT_EQ(arguments(R"({"Entrypoint":["/mine"],"Cmd":["x"]})"), (Words{"/mine", "x"}));
}

TEST(ContainerCommand, AnEmptyEntrypointTakesTheImagesAwayAndKeepsItsCommand) {
    EXPECT_EQ(arguments(R"({"Entrypoint":[]})"), (Words{"serve"}));
    EXPECT_EQ(arguments(R"({"Entrypoint":[""],"Cmd":["x"]})"), (Words{"x"}));
}

TEST(ContainerCommand, NothingToRunIsDockersError) {
    const auto none = container_arguments(Json::object(), ImageConfig());
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().what, "No command specified");
    EXPECT_FALSE(container_arguments(Json::parse(R"({"Entrypoint":[""]})"), an_image()))
        << "an entrypoint of nothing discards the image's command as well";
}

TEST(ContainerEnvironment, ComesInDockersOrder) {
    EXPECT_EQ(
        environment(R"({"Env":["B=2","A=1","MODE=task"],"Tty":true})", {.hostname = "web", .links = {"DB_PORT=1"}}),
        (Words{"PATH=/image/bin", "HOSTNAME=web", "TERM=xterm", "DB_PORT=1", "B=2", "A=1", "MODE=task", "ONLY=image"}));
}

TEST(ContainerEnvironment, WithoutAnyTheImagesIsTaken) {
    EXPECT_EQ(environment("{}"), (Words{"PATH=/image/bin", "HOSTNAME=h", "MODE=image", "ONLY=image"}));
}

TEST(ContainerEnvironment, APathIsThereEvenIfNobodySetsOne) {
    const Words words = container_environment(Json::object(), ImageConfig(), {.hostname = "h", .links = {}}).value();
    EXPECT_EQ(words.front(), "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
}

TEST(ContainerEnvironment, ANameWithoutAValueTakesTheVariableAway) {
    EXPECT_EQ(environment(R"({"Env":["HOSTNAME","X=1","NEVER"]})"),
              (Words{"PATH=/image/bin", "X=1", "MODE=image", "ONLY=image"}));
}

TEST(ContainerEnvironment, AnEqualsSignInAValueBelongsToIt) {
    EXPECT_EQ(environment(R"({"Env":["URL=a=b=c","EMPTY="]})")[2], "URL=a=b=c");
    EXPECT_EQ(environment(R"({"Env":["URL=a=b=c","EMPTY="]})")[3], "EMPTY=");
}

TEST(ContainerEnvironment, AVariableWithoutANameIsRefused) {
    const auto words = container_environment(Json::parse(R"({"Env":["=x"]})"), an_image(), {});
    ASSERT_FALSE(words);
    EXPECT_EQ(words.error().what, "invalid environment variable: =x");
}

}  // namespace
}  // namespace nodeagent::runtime::containerd::oci
