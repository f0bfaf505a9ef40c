#include "agent/base/random.hpp"

#include <sys/random.h>

#include <ctime>

namespace nodeagent {

Random& thread_random() {
    thread_local Random random{[] {
        std::uint64_t seed = 0;
        // A kernel without entropy this early still has a clock; nothing here guards a secret.
        if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
            seed = static_cast<std::uint64_t>(std::time(nullptr));
        return seed;
    }()};
    return random;
}

}  // namespace nodeagent
