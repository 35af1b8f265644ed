/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What containers may call when no profile is installed: the policy that podman, Docker and the others have by
 * default, written down once more as names by what they need. Calls that are not known fail as if the kernel did not
 * have them, so that a libc falls back; those that only a capability opens fail with EPERM without it.
 */
#include "engine/seccomp_default.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/str.h"
#include "kernel/caps.h"

#define ACTION_ALLOW "SCMP_ACT_ALLOW"
#define ACTION_ERRNO "SCMP_ACT_ERRNO"

static const char always[] =
	"_llseek _newselect accept accept4 access adjtimex alarm bind brk cachestat capget "
	"capset chdir chmod chown chown32 clock_adjtime clock_adjtime64 clock_getres "
	"clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep "
	"clock_nanosleep_time64 clone clone3 close close_range connect copy_file_range creat "
	"dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait "
	"epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit "
	"exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark "
	"fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync "
	"fgetxattr flistxattr flock fork fremovexattr fsconfig fsetxattr fsmount fsopen "
	"fspick fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex "
	"futex_requeue futex_time64 futex_wait futex_waitv futex_wake futimesat get_mempolicy "
	"get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid getegid32 "
	"geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername "
	"getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 getresuid "
	"getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday "
	"getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init inotify_init1 "
	"inotify_rm_watch io_cancel io_destroy io_getevents io_setup io_submit ioctl "
	"ioprio_get ioprio_set ipc keyctl kill landlock_add_rule landlock_create_ruleset "
	"landlock_restrict_self lchown lchown32 lgetxattr link linkat listen listxattr "
	"listxattrat llistxattr lremovexattr lseek lsetxattr lstat lstat64 madvise "
	"map_shadow_stack mbind membarrier memfd_create memfd_secret mincore mkdir mkdirat "
	"mknod mknodat mlock mlock2 mlockall mmap mmap2 mount mount_setattr move_mount "
	"mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 "
	"mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd "
	"msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat open "
	"open_tree openat openat2 pause pidfd_getfd pidfd_open pidfd_send_signal pipe pipe2 "
	"pivot_root pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 "
	"preadv preadv2 prlimit64 process_mrelease process_vm_readv process_vm_writev "
	"pselect6 pselect6_time64 ptrace pwrite64 pwritev pwritev2 read readahead readdir "
	"readlink readlinkat readv reboot recv recvfrom recvmmsg recvmmsg_time64 recvmsg "
	"remap_file_pages removexattr removexattrat rename renameat renameat2 restart_syscall "
	"rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn "
	"rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo "
	"sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr "
	"sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 "
	"sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield "
	"seccomp select semctl semget semop semtimedop semtimedop_time64 send sendfile "
	"sendfile64 sendmmsg sendmsg sendto set_mempolicy set_robust_list set_thread_area "
	"set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups "
	"setgroups32 setitimer setns setpgid setpriority setregid setregid32 setresgid "
	"setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid setsockopt "
	"setuid setuid32 setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaction "
	"sigaltstack signal signalfd signalfd4 sigpending sigprocmask sigreturn sigsuspend "
	"socketcall socketpair splice stat stat64 statfs statfs64 statx symlink symlinkat "
	"sync sync_file_range syncfs syscall sysinfo syslog tee tgkill time timer_create "
	"timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime "
	"timer_settime64 timerfd timerfd_create timerfd_gettime timerfd_gettime64 "
	"timerfd_settime timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask "
	"umount umount2 uname unlink unlinkat unshare utime utimensat utimensat_time64 utimes "
	"vfork wait4 waitid waitpid write writev";

/* Of the whole machine, or superseded. */
static const char never[] =
	"bdflush io_pgetevents kexec_file_load kexec_load migrate_pages move_pages nfsservctl "
	"nice oldfstat oldlstat oldolduname oldstat olduname pciconfig_iobase pciconfig_read "
	"pciconfig_write sgetmask ssetmask swapcontext swapoff swapon sysfs uselib "
	"userfaultfd ustat vm86 vm86old vmsplice";

struct gated {
	const char *cap;
	const char *names;
};

static const struct gated by_capability[] = {
	{ "CAP_DAC_READ_SEARCH", "open_by_handle_at" },
	{ "CAP_SYS_ADMIN", "bpf fanotify_init lookup_dcookie perf_event_open quotactl "
			   "setdomainname sethostname setns" },
	{ "CAP_SYS_CHROOT", "chroot" },
	{ "CAP_SYS_MODULE", "delete_module finit_module init_module query_module" },
	{ "CAP_SYS_PACCT", "acct" },
	{ "CAP_SYS_PTRACE", "kcmp process_madvise" },
	{ "CAP_SYS_RAWIO", "ioperm iopl" },
	{ "CAP_SYS_TIME", "clock_settime clock_settime64 settimeofday stime" },
	{ "CAP_SYS_TTY_CONFIG", "vhangup" },
};

#if defined(__x86_64__)
static const char of_machine[] = "arch_prctl modify_ldt";
static const char *const architectures[] = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32" };
#elif defined(__aarch64__)
static const char of_machine[] =
	"arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2";
static const char *const architectures[] = { "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM" };
#elif defined(__s390x__)
static const char of_machine[] = "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr";
static const char *const architectures[] = { "SCMP_ARCH_S390X", "SCMP_ARCH_S390" };
#elif defined(__powerpc64__)
static const char of_machine[] = "sync_file_range2";
static const char *const architectures[] = { "SCMP_ARCH_PPC64LE" };
#else
/* The machine's own, which is what no architecture at all means. */
static const char of_machine[] = "";
static const char *const architectures[] = { NULL };
#endif

/* PER_LINUX, PER_LINUX32, both with UNAME26, and the question what it is. */
static const uint64_t personalities[] = { 0x0, 0x8, 0x20000, 0x20008, 0xffffffff };

static struct oci_seccomp_syscall *add(struct oci_seccomp *to, const char *names,
				       const char *action, uint32_t error)
{
	struct oci_seccomp_syscall *s = array_push(to->syscalls, to->n_syscalls);
	auto_free char *copy = xstrdup(names);
	char *rest = copy;
	char *name;

	while ((name = strsep(&rest, " ")))
		if (*name)
			json_strings_add(&s->names, &s->n_names, name);
	s->action = xstrdup(action);
	if (error)
		s->errno_ret = (struct opt_u32){ true, error };
	return s;
}

static void add_arg(struct oci_seccomp_syscall *s, uint32_t index, uint64_t value, const char *op)
{
	*array_push(s->args, s->n_args) =
		(struct oci_seccomp_arg){ .index = index, .value = value, .op = xstrdup(op) };
}

static bool has(uint64_t caps, const char *name)
{
	int cap = caps_from_name(name);

	return cap >= 0 && (caps & CAPS_BIT(cap));
}

/* Only who may write to the audit log gets a socket to it; others are told that there is no such protocol. */
static void add_socket(struct oci_seccomp *to, uint64_t caps)
{
	struct oci_seccomp_syscall *s;

	if (has(caps, "CAP_AUDIT_WRITE")) {
		(void)add(to, "socket", ACTION_ALLOW, 0);
		return;
	}
	s = add(to, "socket", ACTION_ERRNO, EINVAL);
	add_arg(s, 0, AF_NETLINK, "SCMP_CMP_EQ");
	add_arg(s, 2, NETLINK_AUDIT, "SCMP_CMP_EQ");
	add_arg(add(to, "socket", ACTION_ALLOW, 0), 0, AF_NETLINK, "SCMP_CMP_NE");
	add_arg(add(to, "socket", ACTION_ALLOW, 0), 2, NETLINK_AUDIT, "SCMP_CMP_NE");
}

struct oci_seccomp *seccomp_default(uint64_t caps)
{
	struct oci_seccomp *to = xcalloc(1, sizeof(*to));

	to->default_action = xstrdup(ACTION_ERRNO);
	to->default_errno_ret = (struct opt_u32){ true, ENOSYS };
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
		if (architectures[i])
			json_strings_add(&to->architectures, &to->n_architectures,
					 architectures[i]);
	(void)add(to, never, ACTION_ERRNO, EPERM);
	(void)add(to, always, ACTION_ALLOW, 0);
	if (*of_machine)
		(void)add(to, of_machine, ACTION_ALLOW, 0);
	for (size_t i = 0; i < ARRAY_SIZE(personalities); i++)
		add_arg(add(to, "personality", ACTION_ALLOW, 0), 0, personalities[i],
			"SCMP_CMP_EQ");
	for (size_t i = 0; i < ARRAY_SIZE(by_capability); i++) {
		const struct gated *g = &by_capability[i];
		bool open = has(caps, g->cap);

		(void)add(to, g->names, open ? ACTION_ALLOW : ACTION_ERRNO, open ? 0 : EPERM);
	}
	add_socket(to, caps);
	return to;
}
