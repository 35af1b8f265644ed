/* SPDX-License-Identifier: Apache-2.0 */
/* Devices, pipes, terminals and the kernel's own kinds of files. */
#include "situation.h"

#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <pty.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static int new_io_uring(void)
{
	struct io_uring_params p = { 0 };

	return (int)must(syscall(SYS_io_uring_setup, 8, &p));
}

static void io_uring(void)
{
	new_io_uring();
}
SITUATION(io_uring, io_uring, .check = "special-file")

static void io_uring_mapped(void)
{
	int fd = new_io_uring();

	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING) ==
	    MAP_FAILED)
		give_up("mmap");
	close(fd);
}
SITUATION(io_uring_mapped, io_uring_mapped, .check = "special-file")

static void perf_event(void)
{
	struct perf_event_attr a = { .type = PERF_TYPE_SOFTWARE,
				     .size = sizeof(a),
				     .config = PERF_COUNT_SW_CPU_CLOCK };

	must(syscall(SYS_perf_event_open, &a, 0, -1, -1, 0));
}
SITUATION(perf_event, perf_event, .check = "special-file")

static void bpf_map(void)
{
	union bpf_attr a = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 4
	};

	must(syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof(a)));
}
SITUATION(bpf_map, bpf_map, .check = "special-file")

static void bpf_program(void)
{
	struct bpf_insn code[] = { { .code = BPF_ALU64 | BPF_MOV },
				   { .code = BPF_JMP | BPF_EXIT } };
	union bpf_attr a = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
			     .insns = (uintptr_t)code,
			     .insn_cnt = 2,
			     .license = (uintptr_t) "GPL" };

	must(syscall(SYS_bpf, BPF_PROG_LOAD, &a, sizeof(a)));
}
SITUATION(bpf_program, bpf_program, .check = "special-file")

static void userfaultfd(void)
{
	must(syscall(SYS_userfaultfd, O_NONBLOCK));
}
SITUATION(userfaultfd, userfaultfd, .check = "special-file")

static void landlock(void)
{
	uint64_t attr = 1;

	must(syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0));
}
SITUATION(landlock, landlock, .check = "special-file")

static void file_system_context(void)
{
	must(syscall(SYS_fsopen, "tmpfs", 0));
}
SITUATION(file_system_context, file_system_context, .check = "special-file")

static int install_filter(unsigned int flags)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog program = { 1, code };

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	return (int)must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

static void seccomp_listener(void)
{
	install_filter(SECCOMP_FILTER_FLAG_NEW_LISTENER);
}
SITUATION(seccomp_listener, seccomp_listener, .check = "special-file")

static void seccomp_filter(void)
{
	install_filter(0);
}
SITUATION(seccomp_filter, seccomp_filter)

static void be_strict(void)
{
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
	for (;;)
		(void)syscall(SYS_read, -1, NULL, 0);
}

static void seccomp_strict(void)
{
	start(be_strict);
	sleep_ms(50);
}
SITUATION(seccomp_strict, seccomp_strict)

static void kept_kinds(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int counter = must(eventfd(3, 0));
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must(epoll_ctl(must(epoll_create1(0)), EPOLL_CTL_ADD, counter, &event));
	must(signalfd(-1, &set, 0));
	must(timerfd_create(CLOCK_MONOTONIC, 0));
	must(syscall(SYS_pidfd_open, getpid(), 0));
	must(open("/proc/self/ns/net", O_RDONLY));
	must(open("/proc/self/ns/mnt", O_RDONLY));
	must(inotify_add_watch(must(inotify_init1(0)), "/data", IN_ALL_EVENTS));
	must(fanotify_mark(must(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY)),
			   FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN, AT_FDCWD, "/data"));
	must(open("/dev/null", O_RDWR));
	must(open("/dev/urandom", O_RDONLY));
	must(mkfifo("/data/p", 0600));
	must(open("/data/p", O_RDWR));
}
SITUATION(kept_kinds, kept_kinds)

static void secret_memory(void)
{
	int fd = (int)must(syscall(SYS_memfd_secret, 0));

	must(ftruncate(fd, 4096));
	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
		give_up("mmap");
	close(fd);
}
SITUATION(secret_memory, secret_memory, .check = "secret-memory")

static void secret_memory_open(void)
{
	must(syscall(SYS_memfd_secret, 0));
}
SITUATION(secret_memory_open, secret_memory_open, .check = "secret-memory")

static void device_fuse(void)
{
	must(open("/dev/fuse", O_RDWR));
}
SITUATION(device_fuse, device_fuse, .check = "device")

static void device_loop_control(void)
{
	must(open("/dev/loop-control", O_RDWR));
}
SITUATION(device_loop_control, device_loop_control, .check = "device")

static void device_block(void)
{
	must(open("/dev/loop0", O_RDONLY));
}
SITUATION(device_block, device_block, .check = "device")

static void pipe_packets(void)
{
	int ends[2];

	must(pipe2(ends, O_DIRECT));
}
SITUATION(pipe_packets, pipe_packets, .check = "pipe-packet-mode")

static void pipe_ends(void)
{
	int ends[2];

	must(pipe(ends));
	must(write(ends[1], "x", 1));
	must(pipe(ends));
	close(ends[1]);
}
SITUATION(pipe_ends, pipe_ends)

static void terminals(void)
{
	int master;
	int slave;

	must(openpty(&master, &slave, NULL, NULL, NULL));
	must(write(master, "hello\n", 6));
	must(openpty(&master, &slave, NULL, NULL, NULL));
	close(master);
}
SITUATION(terminals, terminals)

static void unshare_uts(void)
{
	must(unshare(CLONE_NEWUTS));
}

static void namespace_outside(void)
{
	pid_t pid = start(unshare_uts);
	char path[32];

	sleep_ms(100);
	snprintf(path, sizeof(path), "/proc/%d/ns/uts", pid);
	must(open(path, O_RDONLY));
	must(kill(pid, SIGKILL));
	must(waitpid(pid, NULL, 0));
}
SITUATION(namespace_outside, namespace_outside, .check = "namespace-file")

static void pidfd_of_thread(void)
{
	must(syscall(SYS_pidfd_open, getpid(), O_EXCL));
}
SITUATION(pidfd_of_thread, pidfd_of_thread, .check = "pidfd")

static void watch(const char *path)
{
	must(inotify_add_watch(must(inotify_init1(0)), path, IN_ALL_EVENTS));
}

static void watch_proc(void)
{
	watch("/proc/self");
}
SITUATION(watch_proc, watch_proc, .check = "file-watch")

/* For a root on an overlay: CRIU looks below /etc by itself. */
static void watch_root_etc(void)
{
	watch("/etc");
}
SITUATION(watch_root_etc, watch_root_etc)

static void watch_root_tmp(void)
{
	watch("/tmp");
}
SITUATION(watch_root_tmp, watch_root_tmp)

/* With one below it, which is to be found without a walk through everything. */
static void watch_root_itself(void)
{
	watch("/");
	watch("/tmp");
	watch("/etc");
}
SITUATION(watch_root_itself, watch_root_itself)

static void watch_root_mark(void)
{
	must(fanotify_mark(must(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY)), FAN_MARK_ADD, FAN_OPEN,
			   AT_FDCWD, "/tmp"));
}
SITUATION(watch_root_mark, watch_root_mark)
