// ecs-pause: the only program in the image of pause containers. It holds the namespaces that the containers of a task
// share and does nothing else: reaps the orphans that a pid namespace leaves to its first process, and ends on SIGTERM
// or SIGINT. No libc, so that it is a few hundred bytes and needs nothing in its image.

namespace {

#if defined(__x86_64__)
constexpr long kSigprocmask = 14, kSigtimedwait = 128, kWait4 = 61, kExitGroup = 231;

long system_call(long number, long a, long b, long c, long d) {
    long result = 0;
    register long fourth __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
constexpr long kSigprocmask = 135, kSigtimedwait = 137, kWait4 = 260, kExitGroup = 94;

long system_call(long number, long a, long b, long c, long d) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
}
#else
#error "ecs-pause knows the system calls of x86_64 and aarch64 only"
#endif

constexpr long kInterrupt = 2, kTerminate = 15, kChild = 17;  // SIGINT, SIGTERM, SIGCHLD
constexpr long kBlock = 0;                                    // SIG_BLOCK
constexpr long kNoHang = 1;                                   // WNOHANG

constexpr unsigned long bit(long signal) { return 1UL << static_cast<unsigned long>(signal - 1); }

}  // namespace

extern "C" [[noreturn]] void _start() {
    // The first process of a pid namespace gets no signal that it does not handle; blocked ones stay pending, and are
    // taken here one by one.
    static constexpr unsigned long kSignals = bit(kInterrupt) | bit(kTerminate) | bit(kChild);
    const long signals = reinterpret_cast<long>(&kSignals);
    system_call(kSigprocmask, kBlock, signals, 0, sizeof kSignals);
    for (;;) {
        const long signal = system_call(kSigtimedwait, signals, 0, 0, sizeof kSignals);
        if (signal == kInterrupt || signal == kTerminate) system_call(kExitGroup, 0, 0, 0, 0);
        while (system_call(kWait4, -1, 0, kNoHang, 0) > 0) {
        }
    }
}
