#include "agent/base/resident.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

namespace nodeagent {
namespace {

TEST(Resident, TrimmingLosesNothingAndTheProgramGoesOn) {
    std::vector<std::string> kept(1000, "kept");
    const std::size_t before = resident_bytes();
    ASSERT_GT(before, 0U);
    {
        const std::vector<char> touched(32U << 20U, 'x');
        EXPECT_GT(resident_bytes(), before);
    }
    trim_resident_set();
    EXPECT_EQ(kept[999], "kept");
    EXPECT_STREQ(std::strerror(ENOENT), "No such file or directory") << "libc's read-only pages are still readable";
}

TEST(Resident, CountsOpenDescriptors) {
    const std::size_t before = open_descriptors();
    const int descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    EXPECT_EQ(open_descriptors(), before + 1);
    ::close(descriptor);
}

}  // namespace
}  // namespace nodeagent
