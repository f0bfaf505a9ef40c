#include "runtime/containerd/oci/seccomp_profile.hpp"

#include <cerrno>

namespace nodeagent::runtime::containerd::oci {

namespace {

constexpr std::string_view kEqual = "SCMP_CMP_EQ";
/// clone(2) without any flag that makes a namespace.
constexpr std::uint64_t kNamespaceFlags = 0x7E020000;
constexpr std::string_view kMaskedEqual = "SCMP_CMP_MASKED_EQ";

constexpr SeccompRule kRules[] = {
    // files
    {.calls = "access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat "
              "faccessat2 fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchown fchown32 fchownat fcntl "
              "fcntl64 fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs "
              "fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 getxattr ioctl lchown "
              "lchown32 lgetxattr link linkat listxattr llistxattr _llseek lremovexattr lseek lsetxattr lstat "
              "lstat64 mkdir mkdirat mknod mknodat newfstatat open openat openat2 pipe pipe2 pread64 preadv preadv2 "
              "pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv removexattr rename renameat "
              "renameat2 rmdir sendfile sendfile64 setxattr splice stat stat64 statfs statfs64 statx symlink "
              "symlinkat sync sync_file_range syncfs tee truncate truncate64 umask unlink unlinkat utime utimensat "
              "utimensat_time64 utimes vmsplice write writev"},
    // waiting for files and events
    {.calls = "epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait "
              "epoll_wait_old eventfd eventfd2 fanotify_mark inotify_add_watch inotify_init inotify_init1 "
              "inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup "
              "io_submit io_uring_enter io_uring_register io_uring_setup _newselect poll ppoll ppoll_time64 "
              "pselect6 pselect6_time64 select signalfd signalfd4 timerfd_create timerfd_gettime timerfd_gettime64 "
              "timerfd_settime timerfd_settime64"},
    // memory
    {.calls = "brk madvise membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 mprotect "
              "mremap msync munlock munlockall munmap process_mrelease remap_file_pages"},
    // sockets
    {.calls = "accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg "
              "recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socket socketcall "
              "socketpair"},
    // messages, semaphores, shared memory
    {.calls = "futex futex_time64 futex_waitv ipc mq_getsetattr mq_notify mq_open mq_timedreceive "
              "mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd semctl "
              "semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget"},
    // time
    {.calls = "adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime "
              "clock_gettime64 clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer "
              "time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime "
              "timer_settime64 times"},
    // who the process is
    {.calls = "capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid "
              "getresgid32 getresuid getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid "
              "setgid32 setgroups setgroups32 setregid setregid32 setresgid setresgid32 setresuid setresuid32 "
              "setreuid setreuid32 setuid setuid32"},
    // processes, threads, signals and the rest
    {.calls = "execve execveat exit exit_group fork get_robust_list get_thread_area getcpu getpgid getpgrp getpid "
              "getppid getpriority getrandom getrlimit getrusage getsid gettid ioprio_get ioprio_set kill "
              "landlock_add_rule landlock_create_ruleset landlock_restrict_self pause pidfd_open pidfd_send_signal "
              "prctl prlimit64 restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo "
              "rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo "
              "sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam "
              "sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity "
              "sched_setattr sched_setparam sched_setscheduler sched_yield seccomp set_robust_list set_thread_area "
              "set_tid_address setpgid setpriority setrlimit setsid sigaltstack sigprocmask sigreturn sysinfo "
              "tgkill tkill ugetrlimit uname vfork wait4 waitid waitpid"},
    // as the machine or the kernel is
    {.calls = "ptrace", .since_major = 4, .since_minor = 8},
    {.calls = "personality", .argument = SeccompArgument{0, 0, kEqual}},
    {.calls = "personality", .argument = SeccompArgument{0, 0x8, kEqual}},
    {.calls = "personality", .argument = SeccompArgument{0, 0x20000, kEqual}},
    {.calls = "personality", .argument = SeccompArgument{0, 0x20008, kEqual}},
    {.calls = "personality", .argument = SeccompArgument{0, 0xffffffff, kEqual}},
    {.calls = "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls",
     .on_architectures = "arm arm64"},
    {.calls = "arch_prctl", .on_architectures = "amd64 x32"},
    {.calls = "modify_ldt", .on_architectures = "amd64 x32 x86"},
    {.calls = "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr", .on_architectures = "s390 s390x"},
    // with a capability
    {.calls = "open_by_handle_at", .with_capability = "CAP_DAC_READ_SEARCH"},
    {.calls = "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr "
              "move_mount name_to_handle_at open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname "
              "setns syslog umount umount2 unshare",
     .with_capability = "CAP_SYS_ADMIN"},
    {.calls = "reboot", .with_capability = "CAP_SYS_BOOT"},
    {.calls = "chroot", .with_capability = "CAP_SYS_CHROOT"},
    {.calls = "delete_module init_module finit_module", .with_capability = "CAP_SYS_MODULE"},
    {.calls = "acct", .with_capability = "CAP_SYS_PACCT"},
    {.calls = "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
     .with_capability = "CAP_SYS_PTRACE"},
    {.calls = "iopl ioperm", .with_capability = "CAP_SYS_RAWIO"},
    {.calls = "settimeofday stime clock_settime", .with_capability = "CAP_SYS_TIME"},
    {.calls = "vhangup", .with_capability = "CAP_SYS_TTY_CONFIG"},
    {.calls = "get_mempolicy mbind set_mempolicy", .with_capability = "CAP_SYS_NICE"},
    {.calls = "syslog", .with_capability = "CAP_SYSLOG"},
    // without one: no new namespaces; clone3 hides its flags from the filter, so it is said not to exist
    {.calls = "clone",
     .argument = SeccompArgument{0, kNamespaceFlags, kMaskedEqual},
     .without_capability = "CAP_SYS_ADMIN",
     .not_on_architectures = "s390 s390x"},
    {.calls = "clone",
     .argument = SeccompArgument{1, kNamespaceFlags, kMaskedEqual},
     .without_capability = "CAP_SYS_ADMIN",
     .on_architectures = "s390 s390x"},
    {.calls = "clone3", .error = ENOSYS, .without_capability = "CAP_SYS_ADMIN"},
};

}  // namespace

std::span<const SeccompRule> default_seccomp_rules() { return kRules; }

}  // namespace nodeagent::runtime::containerd::oci
