/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor under every runtime: clone into five new namespaces, join a new cgroup in each v1 hierarchy
 * (and the v2 tree), make the default mounts, pivot_root, execute; then remove the cgroups. No
 * configuration, no checks, no state, no security: not a runtime, only what the kernel takes.
 *
 * floor ROOTFS PROGRAM
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CGROUPS_MAX 24

static char cgroups[CGROUPS_MAX][256];
static int n_cgroups;

static void make_cgroups(void)
{
	DIR *dir = opendir("/sys/fs/cgroup");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) && n_cgroups < CGROUPS_MAX) {
		char *path = cgroups[n_cgroups];

		if (entry->d_name[0] == '.' || entry->d_type != DT_DIR)
			continue;
		snprintf(path, sizeof(cgroups[0]), "/sys/fs/cgroup/%s/floe-floor-%d", entry->d_name,
			 getpid());
		if (mkdir(path, 0755) == 0)
			n_cgroups++;
	}
	if (dir)
		closedir(dir);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		(void)0;
	if (fd >= 0)
		close(fd);
}

static void copy_line(const char *from, const char *to)
{
	char text[256];
	int fd = open(from, O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	if (n > 0) {
		text[n] = '\0';
		write_text(to, text);
	}
	if (fd >= 0)
		close(fd);
}

static void enter_cgroups(void)
{
	char path[300];
	char parent[300];

	for (int i = 0; i < n_cgroups; i++) {
		if (strstr(cgroups[i], "/cpuset/")) {
			snprintf(parent, sizeof(parent), "/sys/fs/cgroup/cpuset/cpuset.cpus");
			snprintf(path, sizeof(path), "%s/cpuset.cpus", cgroups[i]);
			copy_line(parent, path);
			snprintf(parent, sizeof(parent), "/sys/fs/cgroup/cpuset/cpuset.mems");
			snprintf(path, sizeof(path), "%s/cpuset.mems", cgroups[i]);
			copy_line(parent, path);
		}
		snprintf(path, sizeof(path), "%s/tasks", cgroups[i]);
		write_text(path, "0");
	}
}

static void mount_or_die(const char *source, const char *target, const char *type,
			 unsigned long flags, const char *data)
{
	if (mount(source, target, type, flags, data) < 0)
		err(1, "mount %s", target);
}

static void make_mounts(const char *rootfs)
{
	static const char *const nodes[] = { "null", "zero", "full", "random", "urandom", "tty" };
	static const int minors[] = { 3, 5, 7, 8, 9, 0 };
	char path[128];

	mount_or_die(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL);
	mount_or_die(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL);
	if (chdir(rootfs) < 0)
		err(1, "chdir");
	mount_or_die("proc", "proc", "proc", 0, NULL);
	mount_or_die("tmpfs", "dev", "tmpfs", MS_NOSUID, "mode=755,size=65536k");
	mkdir("dev/pts", 0755);
	mkdir("dev/shm", 0755);
	mkdir("dev/mqueue", 0755);
	mount_or_die("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		     "newinstance,ptmxmode=0666,mode=0620,gid=5");
	mount_or_die("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NOEXEC | MS_NODEV,
		     "mode=1777,size=65536k");
	mount_or_die("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL);
	mount_or_die("sysfs", "sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL);
	mount_or_die("tmpfs", "sys/fs/cgroup", "tmpfs", MS_NOSUID | MS_NOEXEC | MS_NODEV,
		     "mode=755");
	for (int i = 0; i < n_cgroups; i++) {
		snprintf(path, sizeof(path), "sys/fs/cgroup/%d", i);
		mkdir(path, 0755);
		mount_or_die(cgroups[i], path, NULL, MS_BIND | MS_REC, NULL);
	}
	for (int i = 0; i < 6; i++) {
		snprintf(path, sizeof(path), "dev/%s", nodes[i]);
		mknod(path, S_IFCHR | 0666, (dev_t)((i == 5 ? 5 : 1) << 8 | minors[i]));
	}
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		err(1, "pivot_root");
}

int main(int argc, char **argv)
{
	int status;
	long pid;

	if (argc != 3)
		errx(1, "usage: floor ROOTFS PROGRAM");
	make_cgroups();
	pid = syscall(SYS_clone,
		      CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET |
			      SIGCHLD,
		      NULL, NULL, NULL, 0);
	if (pid < 0)
		err(1, "clone");
	if (pid == 0) {
		enter_cgroups();
		make_mounts(argv[1]);
		execl(argv[2], argv[2], NULL);
		err(1, "exec %s", argv[2]);
	}
	if (waitpid((pid_t)pid, &status, 0) < 0)
		err(1, "waitpid");
	for (int i = 0; i < n_cgroups; i++)
		rmdir(cgroups[i]);
	return status ? 1 : 0;
}
