/* SPDX-License-Identifier: Apache-2.0 */
/* Open files that have names, and their locks. */
#include "situation.h"

#include <mqueue.h>
#include <sys/file.h>

static void nothing(void)
{
}
SITUATION(nothing, nothing)

static void deleted_small(void)
{
	make_file("f", 1000);
	must(unlink("/data/f"));
}
SITUATION(deleted_small, deleted_small)

static void deleted_big(void)
{
	make_file("f", 3 << 20);
	must(unlink("/data/f"));
}
SITUATION(deleted_big, deleted_big, .check = "file-deleted")

static void deleted_sparse(void)
{
	must(ftruncate(make_file("f", 1000), 64 << 20));
	must(unlink("/data/f"));
}
SITUATION(deleted_sparse, deleted_sparse)

static void deleted_big_tmpfs(void)
{
	int fd = must(open("/dev/shm/f", O_RDWR | O_CREAT, 0600));

	must(fallocate(fd, 0, 0, 3 << 20));
	must(unlink("/dev/shm/f"));
}
SITUATION(deleted_big_tmpfs, deleted_big_tmpfs, .check = "file-deleted")

static void deleted_mapped(void)
{
	int fd = make_file("f", 3 << 20);

	if (mmap(NULL, 3 << 20, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		give_up("mmap");
	close(fd);
	must(unlink("/data/f"));
}
SITUATION(deleted_mapped, deleted_mapped, .check = "file-deleted")

static void deleted_directories(void)
{
	must(mkdir("/data/open", 0755));
	must(open("/data/open", O_RDONLY | O_DIRECTORY));
	must(rmdir("/data/open"));
	must(mkdir("/data/current", 0755));
	must(chdir("/data/current"));
	must(rmdir("/data/current"));
}
SITUATION(deleted_directories, deleted_directories)

static void unnamed_file(void)
{
	must(write(must(open("/data", O_TMPFILE | O_RDWR, 0600)), "x", 1));
}
SITUATION(unnamed_file, unnamed_file)

static void renamed(void)
{
	make_file("f", 10);
	must(rename("/data/f", "/data/g"));
}
SITUATION(renamed, renamed)

static void deleted_name(void)
{
	make_file("f", 1000);
	must(link("/data/f", "/data/g"));
	must(unlink("/data/f"));
}
SITUATION(deleted_name, deleted_name, .check = "file-name-deleted", .option = "--link-remap")

static void name_used_again(void)
{
	deleted_name();
	make_file("f", 10);
}
SITUATION(name_used_again, name_used_again, .check = "file-name-deleted", .option = "--link-remap")

static void mount_at(const char *path, const char *type)
{
	must(mkdir(path, 0755) < 0 && errno != EEXIST ? -1 : 0);
	must(mount(type, path, type, 0, NULL));
}

static void covered(void)
{
	must(mkdir("/data/d", 0755));
	make_file("d/f", 10);
	mount_at("/data/d", "tmpfs");
}
SITUATION(covered, covered, .check = "file-covered")

static void overmounted(void)
{
	mount_at("/data/d", "tmpfs");
	make_file("d/f", 10);
	mount_at("/data/d", "tmpfs");
}
SITUATION(overmounted, overmounted, .check = "file-overmounted")

static void overmounted_unused(void)
{
	mount_at("/data/d", "tmpfs");
	mount_at("/data/d", "tmpfs");
}
SITUATION(overmounted_unused, overmounted_unused)

static void locked_flock(void)
{
	must(flock(make_file("f", 10), LOCK_EX));
}
SITUATION(locked_flock, locked_flock, .check = "file-lock", .option = "--file-locks")

static void lock(int command)
{
	struct flock l = { .l_type = F_WRLCK, .l_len = 5 };

	must(fcntl(make_file("f", 10), command, &l));
}

static void locked_posix(void)
{
	lock(F_SETLK);
}
SITUATION(locked_posix, locked_posix, .check = "file-lock", .option = "--file-locks")

static void locked_ofd(void)
{
	lock(F_OFD_SETLK);
}
SITUATION(locked_ofd, locked_ofd, .check = "file-lock", .option = "--file-locks")

static void leased(void)
{
	close(make_file("f", 10));
	must(fcntl(must(open("/data/f", O_RDONLY)), F_SETLEASE, F_RDLCK));
}
SITUATION(leased, leased, .check = "file-lock", .option = "--file-locks")

/* Held by a process that has ended, through a descriptor that its child has. */
static void lock_then_end(void)
{
	int fd = make_file("f", 10);

	must(flock(fd, LOCK_EX));
	if (must(fork()) == 0)
		stay();
	_exit(0);
}

static void locked_by_dead(void)
{
	must(waitpid(start(lock_then_end), NULL, 0));
}
SITUATION(locked_by_dead, locked_by_dead, .check = "file-lock", .option = "--file-locks")

static void message_queue_open(void)
{
	must(mq_open("/q", O_RDWR | O_CREAT, 0600, NULL));
	must(mq_unlink("/q"));
}
SITUATION(message_queue_open, message_queue_open, .check = "file-outside")

static void message_queue_named(void)
{
	mqd_t q = must(mq_open("/q", O_RDWR | O_CREAT, 0600, NULL));

	close(q);
}
SITUATION(message_queue_named, message_queue_named, .check = "mount-content")

static void detached_mount(void)
{
	must(syscall(SYS_open_tree, AT_FDCWD, "/data", 1 /* OPEN_TREE_CLONE */));
}
SITUATION(detached_mount, detached_mount, .check = "file-outside")

static void path_descriptors(void)
{
	make_file("f", 10);
	must(symlink("f", "/data/l"));
	must(open("/data/l", O_PATH | O_NOFOLLOW));
	must(open("/data/f", O_PATH));
}
SITUATION(path_descriptors, path_descriptors)

static void proc_files(void)
{
	pid_t pid = start(nothing);
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	must(open(path, O_RDONLY));
	must(kill(pid, SIGKILL));
	must(waitpid(pid, NULL, 0));
	must(open("/proc/self/status", O_RDONLY));
	must(open("/proc/1/ns", O_RDONLY));
	must(open("/proc", O_RDONLY));
	must(open("/sys/kernel", O_RDONLY));
}
SITUATION(proc_files, proc_files)

static void process_directory(void)
{
	must(open("/proc/self", O_RDONLY | O_DIRECTORY));
}
SITUATION(process_directory, process_directory, .check = "process-directory", .really = "restore")

static void memory_files(void)
{
	char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = must(memfd_create("x", 0));

	if (p == MAP_FAILED)
		give_up("mmap");
	memset(p, 1, 1 << 20);
	must(write(fd, p, 1 << 20));
	fd = must(open("/dev/zero", O_RDWR));
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		give_up("mmap");
	*p = 1;
}
SITUATION(memory_files, memory_files)

static void become_memory(void)
{
	int source = must(open("/proc/self/exe", O_RDONLY));
	int fd = must(memfd_create("program", 0));
	char *const argv[] = { (char[]){ "situations" }, (char[]){ "nothing" }, NULL };
	char block[65536];
	ssize_t n;

	while ((n = read(source, block, sizeof(block))) > 0)
		must(write(fd, block, (size_t)n));
	/* Or it would say a second time that it is ready. */
	close(1);
	must(open("/dev/null", O_WRONLY));
	must(fexecve(fd, argv, environ));
}

static void program_in_memory(void)
{
	start(become_memory);
	sleep_ms(100);
}
SITUATION(program_in_memory, program_in_memory, .check = "program-in-memory", .really = "restore")
