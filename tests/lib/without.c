/* SPDX-License-Identifier: Apache-2.0 */
/*
 * without ERROR FEATURE[,FEATURE...] COMMAND [ARGUMENT...]
 *
 * Run a command on a kernel that lacks something, by a seccomp filter that answers ENOSYS, as an old
 * kernel does, or EPERM, as the filters of container engines do. The names of the features are those
 * of FLOE_TEST_DISABLE.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALLS_MAX 16

static const struct {
	const char *name;
	long calls[7];
} features[] = {
	{ "openat2", { SYS_openat2 } },
	{ "mount_api",
	  { SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick } },
	{ "mount_setattr", { SYS_mount_setattr } },
	{ "clone3", { SYS_clone3 } },
	{ "pidfd", { SYS_pidfd_open, SYS_pidfd_send_signal } },
	{ "close_range", { SYS_close_range } },
};

static size_t add_feature(struct sock_filter *f, size_t n, const char *name, unsigned int error)
{
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		if (strcmp(features[i].name, name) != 0)
			continue;
		for (const long *call = features[i].calls; *call; call++) {
			f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							      (unsigned int)*call, 0, 1);
			f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
							      SECCOMP_RET_ERRNO | error);
		}
		return n;
	}
	(void)fprintf(stderr, "without: unknown feature '%s'\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	struct sock_filter filter[2 + 2 * CALLS_MAX] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog program = { .filter = filter };
	unsigned int error;
	size_t n = 1;
	char *name;

	if (argc < 4)
		return 2;
	error = strcmp(argv[1], "EPERM") == 0 ? EPERM : ENOSYS;
	while ((name = strsep(&argv[2], ",")))
		n = add_feature(filter, n, name, error);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = (unsigned short)n;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		perror("without: seccomp");
		return 1;
	}
	(void)execvp(argv[3], argv + 3);
	perror(argv[3]);
	return 127;
}
