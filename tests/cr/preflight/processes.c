/* SPDX-License-Identifier: Apache-2.0 */
/* Processes and their memory, namespaces and mounts. */
#include "situation.h"

#include <linux/aio_abi.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/ipc.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <time.h>

static void nothing(void)
{
}

static void traced(void)
{
	must(ptrace(PTRACE_SEIZE, start(nothing), NULL, NULL));
}
SITUATION(traced, traced, .check = "process-traced")

static void stop(void)
{
	(void)raise(SIGSTOP);
}

static void stopped(void)
{
	start(stop);
	sleep_ms(50);
}
SITUATION(stopped, stopped)

static void wait_for_ever(void)
{
	/* The parent of a vfork waits uninterruptibly; here in a child, so that the rest goes on. */
	if (must(vfork()) == 0)
		stay();
}

static void vfork_parent(void)
{
	start(wait_for_ever);
	sleep_ms(50);
}
SITUATION(vfork_parent, vfork_parent, .check = "process-stuck")

static void *thread_stays(void *arg)
{
	stay();
	return arg;
}

static void end_leader(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, thread_stays, NULL);
	sleep_ms(50);
	(void)syscall(SYS_exit, 0);
}

static void dead_leader(void)
{
	start(end_leader);
	sleep_ms(200);
}
SITUATION(dead_leader, dead_leader, .check = "process-without-leader")

static void end(void)
{
	_exit(3);
}

static void begin_session(void)
{
	must(setsid());
	if (must(fork()) > 0)
		_exit(0);
}

static void kept_processes(void)
{
	pthread_t thread;

	start(end);
	pthread_create(&thread, NULL, thread_stays, NULL);
	must(waitpid(start(begin_session), NULL, 0));
	sleep_ms(50);
}
SITUATION(kept_processes, kept_processes)

static void unshare_pid(void)
{
	must(unshare(CLONE_NEWPID));
	start(nothing);
}

static void unshare_user(void)
{
	must(unshare(CLONE_NEWUSER));
}

static void unshare_net(void)
{
	must(unshare(CLONE_NEWNET));
}

static void unshare_ipc(void)
{
	must(unshare(CLONE_NEWIPC));
}

static void unshare_uts(void)
{
	must(unshare(CLONE_NEWUTS));
}

static void unshare_cgroup(void)
{
	must(unshare(CLONE_NEWCGROUP));
}

static void unshare_time(void)
{
	must(unshare(0x80 /* CLONE_NEWTIME */));
}

static void unshare_mount(void)
{
	must(unshare(CLONE_NEWNS));
}

#define NESTED(kind, ...)                                                                          \
	static void nested_##kind(void)                                                            \
	{                                                                                          \
		start(unshare_##kind);                                                             \
		sleep_ms(150);                                                                     \
	}                                                                                          \
	SITUATION(nested_##kind, nested_##kind, __VA_ARGS__)

NESTED(pid, .check = "nested-namespace")
NESTED(user, .check = "nested-namespace")
NESTED(net, .check = "nested-namespace")
NESTED(ipc, .check = "nested-namespace")
NESTED(uts, .check = "nested-namespace")
NESTED(cgroup, .check = "nested-namespace")
NESTED(time, .check = "nested-namespace")
NESTED(mount, )

static char stack[65536];

static int clone_stays(void *arg)
{
	(void)arg;
	stay();
}

static void shared_memory(void)
{
	must(clone(clone_stays, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL));
}
SITUATION(shared_memory, shared_memory, .check = "process-shares")

static void shared_directory(void)
{
	must(clone(clone_stays, stack + sizeof(stack), CLONE_FS | SIGCHLD, NULL));
}
SITUATION(shared_directory, shared_directory, .check = "process-shares")

static void shared_descriptors(void)
{
	must(clone(clone_stays, stack + sizeof(stack), CLONE_FILES | SIGCHLD, NULL));
}
SITUATION(shared_descriptors, shared_descriptors)

static void changed_root(void)
{
	must(chroot("/data"));
}
SITUATION(changed_root, changed_root, .check = "changed-root")

static void change_root(void)
{
	must(chroot("/data"));
	must(chdir("/"));
}

static void changed_root_of_child(void)
{
	start(change_root);
	sleep_ms(50);
}
SITUATION(changed_root_of_child, changed_root_of_child)

static void leader_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGURG };
	timer_t timer;

	event._sigev_un._tid = getpid();
	must(timer_create(CLOCK_MONOTONIC, &event, &timer));
}
SITUATION(leader_timer, leader_timer, .check = "thread-timer", .really = "restore")

static void process_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG };
	timer_t timer;

	must(timer_create(CLOCK_MONOTONIC, &event, &timer));
}
SITUATION(process_timer, process_timer)

static void kept_memory(void)
{
	int id = must(shmget(IPC_PRIVATE, 8192, 0600 | IPC_CREAT));
	char *p = shmat(id, NULL, 0);
	size_t size = 16 << 20;
	aio_context_t context = 0;

	if (p == (void *)-1)
		give_up("shmat");
	*p = 1;
	must(syscall(SYS_io_setup, 8, &context));
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		give_up("mmap");
	for (size_t i = 0; i < size; i += 512)
		p[i] = (char)(i >> 9 | 1);
}
SITUATION(kept_memory, kept_memory)

static void mount_at(const char *name, const char *type, const char *data)
{
	char path[64];

	snprintf(path, sizeof(path), "/data/%s", name);
	must(mkdir(path, 0755));
	must(mount("source", path, type, 0, data));
}

static void mounts_kept(void)
{
	mount_at("tmpfs", "tmpfs", NULL);
	must(close(make_file("tmpfs/f", 100000)));
	mount_at("proc", "proc", NULL);
	mount_at("sysfs", "sysfs", NULL);
	must(mkdir("/data/bin", 0755));
	must(mount("/bin", "/data/bin", NULL, MS_BIND, NULL));
	must(mkdir("/data/outside", 0755));
	must(mount("/outside", "/data/outside", NULL, MS_BIND, NULL));
}
SITUATION(mounts_kept, mounts_kept)

static void mount_ramfs(void)
{
	mount_at("ramfs", "ramfs", NULL);
}
SITUATION(mount_ramfs, mount_ramfs, .check = "mount-type")

static void mount_bpf(void)
{
	mount_at("bpf", "bpf", NULL);
}
SITUATION(mount_bpf, mount_bpf, .check = "mount-type")

static void mount_fuse(void)
{
	char data[64];
	int fd = must(open("/dev/fuse", O_RDWR));

	snprintf(data, sizeof(data), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	mount_at("fuse", "fuse", data);
	close(fd);
}
SITUATION(mount_fuse, mount_fuse, .check = "mount-type")

static void mount_overlay(void)
{
	mount_at("t", "tmpfs", NULL);
	must(mkdir("/data/t/lower", 0755));
	must(mkdir("/data/t/upper", 0755));
	must(mkdir("/data/t/work", 0755));
	mount_at("overlay", "overlay",
		 "lowerdir=/data/t/lower,upperdir=/data/t/upper,workdir=/data/t/work");
}
SITUATION(mount_overlay, mount_overlay, .check = "mount-type", .really = "restore")

/* In a user namespace only the first checkpoint works: access.bats. */
static void process_undumpable(void)
{
	must(prctl(PR_SET_DUMPABLE, 0));
}
SITUATION(process_undumpable, process_undumpable, .really = "works")
