#include "agent/credentials/registry.hpp"

#include <gtest/gtest.h>

#include <bitset>

namespace nodeagent::credentials {
namespace {

using Standing = Registry::Standing;

TaskRoleCredentials granted(std::string id) {
    TaskRoleCredentials one{.task_arn = "arn:task", .role_type = RoleType::TaskApplication, .role = {}};
    one.role.credentials_id = std::move(id);
    one.role.access_key_id = "ASIAEXAMPLE";
    return one;
}

TEST(Registry, KnowsWhatItWasGivenUntilItForgets) {
    Registry registry;
    EXPECT_FALSE(registry.put(granted("")));
    ASSERT_TRUE(registry.put(granted("id-1")));
    registry.announce("id-2");
    registry.announce("id-1");
    EXPECT_EQ(registry.find("id-1").standing, Standing::Granted);
    EXPECT_EQ(registry.get("id-1")->role.access_key_id, "ASIAEXAMPLE");
    EXPECT_EQ(registry.find("id-2").standing, Standing::Awaited);
    EXPECT_TRUE(registry.known("id-2"));
    EXPECT_EQ(registry.get("id-2"), nullptr);
    EXPECT_EQ(registry.find("id-3").standing, Standing::Unknown);
    registry.forget("id-1");
    EXPECT_FALSE(registry.known("id-1"));
}

TEST(Registry, HasCredentialsOfNobodyForIdsThatAreNotGranted) {
    Registry registry;
    ASSERT_TRUE(registry.put(granted("id-1")));
    registry.announce("id-2");
    for (const std::string id : {"id-2", "id-3", "id-", "id-11", ""}) {
        const Registry::Found found = registry.find(id);
        ASSERT_NE(found.role, nullptr) << id;
        EXPECT_NE(found.role, registry.get("id-1")) << id;
        EXPECT_GT(found.role->role.session_token.reveal().size(), 500U) << "as much work as a real one";
    }
}

// What is compared in a look-up are digests, and how far two of them agree says nothing of the ids.
TEST(IdDigests, OfIdsThatNearlyAgreeHaveNothingInCommon) {
    const IdDigests digests;
    const std::string id = "2b88376d-aba3-4950-9ddf-bcb0f388a40c";
    const IdDigests::Digest whole = digests.of(id);
    EXPECT_EQ(digests.of(id), whole);
    for (std::size_t right = 0; right < id.size(); ++right) {
        std::string guess = id;
        guess[right] = guess[right] == 'x' ? 'y' : 'x';
        const IdDigests::Digest other = digests.of(guess);
        std::size_t different = 0;
        for (std::size_t i = 0; i < whole.size(); ++i) {
            different += std::bitset<8>(static_cast<unsigned long long>(whole[i] ^ other[i])).count();
        }
        EXPECT_GT(different, 64U) << "of 256 bits, with " << right << " characters right";
        EXPECT_LT(different, 192U);
    }
}

TEST(IdDigests, CannotBeForeseenFromAnotherProcess) { EXPECT_NE(IdDigests().of("id-1"), IdDigests().of("id-1")); }

}  // namespace
}  // namespace nodeagent::credentials
