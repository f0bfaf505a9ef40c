#pragma once
// Random numbers for jitter and choice, not for secrets: SplitMix64, eight bytes of state, seeded once per thread.

#include <cstdint>

namespace nodeagent {

class Random {
  public:
    using result_type = std::uint64_t;
    explicit Random(std::uint64_t seed) : state_(seed) {}
    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return ~result_type{0}; }
    result_type operator()() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31U);
    }

  private:
    std::uint64_t state_;
};

/// This thread's generator, seeded by the kernel at its first use.
[[nodiscard]] Random& thread_random();

}  // namespace nodeagent
