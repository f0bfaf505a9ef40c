#include "runtime/containerd/oci/user.hpp"

#include <gtest/gtest.h>

namespace nodeagent::runtime::containerd::oci {
namespace {

constexpr const char* kPasswd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "app:x:1000:1001:App:/home/app:/bin/sh\n"
    "web:x:33:33::/var/www:/bin/false\n";
constexpr const char* kGroup =
    "root:x:0:\n"
    "staff:x:50:app,web\n"
    "app:x:1001:\n"
    "docker:x:999:root,app\n";

User resolved(std::string_view word, std::vector<std::string> groups = {}) {
    const auto user = resolve_user(word, groups, kPasswd, kGroup);
    if (!user) {
        ADD_FAILURE() << user.error().what;
        return {};
    }
    return *user;
}
std::string refusal(std::string_view word, std::vector<std::string> groups = {}) {
    const auto user = resolve_user(word, groups, kPasswd, kGroup);
    return user ? "nothing" : user.error().what;
}
using Groups = std::vector<std::uint32_t>;

TEST(ContainerUser, IsRootWithoutAWord) { EXPECT_EQ(resolved(""), (User{0, 0, Groups{0, 999}})); }

TEST(ContainerUser, ANameTakesItsGroupsFromTheImage) {
    EXPECT_EQ(resolved("app"), (User{1000, 1001, Groups{1001, 50, 999}}));
}

TEST(ContainerUser, ANumberThatIsListedIsThatUser) {
    EXPECT_EQ(resolved("1000"), (User{1000, 1001, Groups{1001, 50, 999}}));
}

TEST(ContainerUser, ANumberNobodyListsIsTakenAsItIs) {
    EXPECT_EQ(resolved("4242"), (User{4242, 0, Groups{0}}));
    EXPECT_EQ(resolved("4242:77"), (User{4242, 77, Groups{77}}));
    EXPECT_EQ(resolve_user("7:8", {}, "", "").value(), (User{7, 8, Groups{8}}));
}

TEST(ContainerUser, AGroupThatIsNamedLeavesTheOthersOut) {
    EXPECT_EQ(resolved("app:staff"), (User{1000, 50, Groups{50}}));
    EXPECT_EQ(resolved("web:999"), (User{33, 999, Groups{999}}));
    EXPECT_EQ(resolved(":staff"), (User{0, 50, Groups{50}}));
}

TEST(ContainerUser, GroupAddComesOnTop) {
    EXPECT_EQ(resolved("web", {"docker", "4000", "50"}), (User{33, 33, Groups{33, 50, 999, 4000}}));
}

TEST(ContainerUser, UnknownNamesAreRefusedWithDockersWords) {
    EXPECT_EQ(refusal("nobody"), "unable to find user nobody: no matching entries in passwd file");
    EXPECT_EQ(refusal("app:wheel"), "unable to find group wheel: no matching entries in group file");
    EXPECT_EQ(refusal("app", {"wheel"}), "Unable to find group wheel");
    EXPECT_EQ(refusal("2147483648"), "uids and gids must be in range 0-2147483647");
    EXPECT_EQ(refusal("-1"), "uids and gids must be in range 0-2147483647");
}

TEST(ContainerUser, BrokenFilesBreakNothing) {
    EXPECT_EQ(resolve_user("app", {}, "app\n::::\nx:y:z\n\n", ":::,,,\n").value(), (User{0, 0, Groups{0}}));
    EXPECT_FALSE(resolve_user("app", {}, std::string(100, '\xff'), ""));
}

TEST(ContainerUser, TheTasksWordComesBeforeTheImages) {
    ImageConfig image;
    image.user = "web";
    EXPECT_EQ(user_word(Json::parse(R"({"User":"app"})"), image), "app");
    EXPECT_EQ(user_word(Json::parse(R"({"User":""})"), image), "web");
}

}  // namespace
}  // namespace nodeagent::runtime::containerd::oci
