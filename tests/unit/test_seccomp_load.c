/* SPDX-License-Identifier: Apache-2.0 */
/* Filters in force, and their listeners; in child processes. */
#include "runtime/seccomp/load.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "kernel/syscalls.h"
#include "runtime/seccomp/notify.h"

static void compile(struct seccomp_filter *ret, const char *action, const char *listener_path)
{
	char *names[] = { (char[]){ "mkdir" }, (char[]){ "mkdirat" } };
	struct oci_seccomp_syscall entry = {
		.names = names,
		.n_names = 2,
		.action = (char *)(uintptr_t)action,
	};
	struct oci_seccomp profile = {
		.default_action = (char[]){ "SCMP_ACT_ALLOW" },
		.listener_path = (char *)(uintptr_t)listener_path,
		.syscalls = &entry,
		.n_syscalls = 1,
	};
	struct err err = ERR_INIT;

	if (seccomp_filter_compile(ret, &profile, &err) < 0)
		fail_msg("%s", err.msg);
}

static int wait_for(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int make_directory(void)
{
	return syscall(SYS_mkdir, "/proc/floe-test", 0700) < 0 ? errno : 0;
}

static void test_load(void **state UNUSED)
{
	struct seccomp_filter filter = SECCOMP_FILTER_INIT;
	pid_t pid;

	compile(&filter, "SCMP_ACT_ERRNO", NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = 0;

		/* Root may without; others need it. */
		if (geteuid() != 0)
			(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (seccomp_filter_load(&filter, &fd, NULL) < 0 || fd != -EBADF)
			_exit(1);
		_exit(make_directory() == EPERM ? 0 : 2);
	}
	assert_int_equal(wait_for(pid), 0);
	seccomp_filter_done(&filter);
}

static void test_nothing_to_load(void **state UNUSED)
{
	struct seccomp_filter filter = SECCOMP_FILTER_INIT;
	int fd = 0;

	assert_int_equal(seccomp_filter_load(&filter, &fd, NULL), 0);
	assert_int_equal(fd, -EBADF);
	assert_int_equal(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 0);
}

static void test_without_privilege(void **state UNUSED)
{
	struct seccomp_filter filter = SECCOMP_FILTER_INIT;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	compile(&filter, "SCMP_ACT_ERRNO", NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err err = ERR_INIT;
		int fd;

		if (setuid(4711) < 0 || seccomp_filter_load(&filter, &fd, &err) != -EACCES)
			_exit(1);
		if (strcmp(err.msg, "load seccomp filter: permission denied; it needs "
				    "process.noNewPrivileges or CAP_SYS_ADMIN") != 0)
			_exit(2);
		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		_exit(seccomp_filter_load(&filter, &fd, &err) == 0 ? 0 : 3);
	}
	assert_int_equal(wait_for(pid), 0);
	seccomp_filter_done(&filter);
}

/* A flag of the default that the kernel does not know is left out; one that was asked for is not. */
static void test_unknown_flags(void **state UNUSED)
{
	struct seccomp_filter filter = SECCOMP_FILTER_INIT;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	compile(&filter, "SCMP_ACT_ERRNO", NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err err = ERR_INIT;
		int fd;

		filter.flags = 1U << 30;
		if (seccomp_filter_load(&filter, &fd, &err) != -EOPNOTSUPP ||
		    !strstr(err.msg, "linux.seccomp.flags"))
			_exit(1);
		filter.optional_flags = 1U << 30;
		if (seccomp_filter_load(&filter, &fd, &err) < 0)
			_exit(2);
		_exit(make_directory() == EPERM ? 0 : 3);
	}
	assert_int_equal(wait_for(pid), 0);
	assert_int_equal(seccomp_supported_flags() & ~0x3fU, 0);
	assert_true(seccomp_supported_flags() & SECCOMP_FILTER_FLAG_TSYNC);
	seccomp_filter_done(&filter);
}

/* ---- the listener ---- */

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, strlen(path) + 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* One connection: its text and the descriptor that came with the first byte. */
static int receive(int listen_fd, char *text, size_t size)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = text, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	int fd = accept(listen_fd, NULL, NULL);
	size_t len = 1;
	ssize_t n;
	int got;

	assert_true(fd >= 0);
	assert_int_equal(recvmsg(fd, &m, MSG_CMSG_CLOEXEC), 1);
	assert_int_equal(m.msg_controllen, sizeof(control));
	memcpy(&got, CMSG_DATA(&control.header), sizeof(got));
	while ((n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(fd);
	return got;
}

/* Answer one call with an errno. */
static void answer(int listener_fd, pid_t pid, int code)
{
	struct seccomp_notif request = { 0 };
	struct seccomp_notif_resp response = { .error = -code };
	struct pollfd p = { .fd = listener_fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_RECV, &request), 0);
	assert_int_equal(request.pid, pid);
	assert_int_equal(request.data.nr, SYS_mkdir);
	response.id = request.id;
	assert_int_equal(ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_SEND, &response), 0);
}

static void run_with_listener(const char *path)
{
	struct seccomp_filter filter = SECCOMP_FILTER_INIT;
	static const char payload[] = "{\"pid\":42}";
	struct err err = ERR_INIT;
	int listen_fd = listen_at("socket");
	int listener_fd;
	char text[512];
	int ends[2];
	int number;
	int pidfd;
	pid_t pid;

	compile(&filter, "SCMP_ACT_NOTIFY", "/unused");
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (seccomp_filter_load(&filter, &number, NULL) < 0 || number < 0)
			_exit(1);
		if (write(ends[1], &number, sizeof(number)) != (ssize_t)sizeof(number))
			_exit(2);
		_exit(make_directory() == EXDEV ? 0 : 3);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &number, sizeof(number)), sizeof(number));
	close(ends[0]);
	pidfd = sys_pidfd_open(pid);
	listener_fd = seccomp_notify_fetch(pidfd, number, &err);
	assert_true(listener_fd > 2);
	assert_int_equal(seccomp_notify_send(path, listener_fd, payload, &err), 0);
	close(listener_fd);
	close(pidfd);
	listener_fd = receive(listen_fd, text, sizeof(text));
	assert_string_equal(text, payload);
	answer(listener_fd, pid, EXDEV);
	assert_int_equal(wait_for(pid), 0);
	close(listener_fd);
	close(listen_fd);
	assert_int_equal(unlink("socket"), 0);
	seccomp_filter_done(&filter);
}

static void test_listener(void **state UNUSED)
{
	char dir[] = "/tmp/floe-test-XXXXXX";
	char long_path[256];

	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	run_with_listener("socket");
	/* Longer than a socket address takes. */
	(void)snprintf(long_path, sizeof(long_path), "%0*d", 120, 0);
	assert_int_equal(mkdir(long_path, 0700), 0);
	(void)snprintf(long_path, sizeof(long_path), "%s/%0*d/../socket", dir, 120, 0);
	run_with_listener(long_path);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(fs_remove_tree(-1, dir), 0);
}

static void test_no_agent(void **state UNUSED)
{
	struct err err = ERR_INIT;

	assert_int_equal(seccomp_notify_send("/nonexistent/agent", 0, "{}", &err), -ENOENT);
	assert_string_equal(err.msg, "failed to connect with seccomp agent '/nonexistent/agent' "
				     "(linux.seccomp.listenerPath): no such file or directory");
	assert_int_equal(seccomp_notify_fetch(-1, 0, &err), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_nothing_to_load),
		cmocka_unit_test(test_without_privilege),
		cmocka_unit_test(test_unknown_flags),
		cmocka_unit_test(test_listener),
		cmocka_unit_test(test_no_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
