/* SPDX-License-Identifier: Apache-2.0 */
#include "core/proc.h"

#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "core/clock.h"
#include "core/fault.h"
#include "core/fd.h"
#include "core/io.h"

/* As the kernel takes it: the C library's functions refuse the two signals that it uses itself, which a
 * caller may have ignored all the same. */
struct kernel_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

void proc_default_signals(void)
{
	struct kernel_sigaction action = { .handler = SIG_DFL };

	for (int sig = 1; sig <= 64; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void)syscall(SYS_rt_sigaction, sig, &action, NULL, sizeof(action.mask));
}

static void reset_signals(void)
{
	sigset_t none;

	proc_default_signals();
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Put the wanted descriptors on 0..2 and 3.., through copies high enough not to be overwritten. */
static int arrange_descriptors(const struct proc_spawn_opts *opts, int *report_fd)
{
	int want = 3 + (int)opts->n_pass_fds;
	int first_copy = want + 1;
	int copies[3 + 64];

	if (opts->n_pass_fds > 64)
		return -E2BIG;
	*report_fd = fcntl(*report_fd, F_DUPFD_CLOEXEC, first_copy);
	if (*report_fd < 0)
		return -errno;
	for (int i = 0; i < want; i++) {
		int from = i < 3 ? opts->stdio[i] : opts->pass_fds[i - 3];

		copies[i] = from < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) :
				       fcntl(from, F_DUPFD_CLOEXEC, first_copy);
		if (copies[i] < 0)
			return -errno;
		if (from < 0) {
			copies[i] = fcntl(copies[i], F_DUPFD_CLOEXEC, first_copy);
			if (copies[i] < 0)
				return -errno;
		}
	}
	for (int i = 0; i < want; i++)
		if (dup2(copies[i], i) < 0)
			return -errno;
	return fd_cloexec_from(want);
}

static int prepare_child(const struct proc_spawn_opts *opts, pid_t parent, int *report_fd)
{
	int r;

	if (opts->die_with_parent) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
			return -errno;
		/* The parent may have died before the call; then nobody would tell us. */
		if (getppid() != parent)
			return -ESRCH;
	}
	reset_signals();
	if (opts->new_session && setsid() < 0)
		return -errno;
	r = arrange_descriptors(opts, report_fd);
	if (r < 0)
		return r;
	if (opts->cwd && chdir(opts->cwd) < 0)
		return -errno;
	return 0;
}

NORETURN static void run_child(const struct proc_spawn_opts *opts, pid_t parent, int report_fd)
{
	const char *path = opts->path ? opts->path : opts->argv[0];
	int r = opts->setup ? opts->setup(opts->setup_context) : 0;

	if (r == 0)
		r = prepare_child(opts, parent, &report_fd);
	if (r == 0) {
		(void)execve(path, opts->argv, opts->envp ? opts->envp : environ);
		r = -errno;
	}
	(void)!write(report_fd, &r, sizeof(r));
	_exit(127);
}

static pid_t fork_child(const struct proc_spawn_opts *opts)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	pid_t pid;

	if (opts->cgroup_fd) {
		args.flags = CLONE_INTO_CGROUP;
		args.cgroup = (unsigned int)*opts->cgroup_fd;
		errno = ENOSYS;
		pid = fault_feature_is_disabled("clone3") ?
			      -1 :
			      (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	} else {
		pid = fork();
	}
	return pid < 0 ? -errno : pid;
}

int proc_spawn(struct proc *ret, const struct proc_spawn_opts *opts)
{
	int ends[2];
	auto_close int read_fd = -EBADF;
	auto_close int write_fd = -EBADF;
	pid_t parent = getpid();
	int failure = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	read_fd = ends[0];
	write_fd = ends[1];
	pid = fork_child(opts);
	if (pid < 0)
		return pid;
	if (pid == 0)
		run_child(opts, parent, write_fd);
	close_fd(&write_fd);
	/* End of file means that exec closed the pipe: the program runs. */
	if (io_read_exact(read_fd, &failure, sizeof(failure)) > 0) {
		(void)RETRY_EINTR(waitpid(pid, NULL, 0));
		return failure < 0 ? failure : -EIO;
	}
	ret->pid = pid;
	return 0;
}

static int wait_until_exit(pid_t pid, int timeout_ms)
{
	auto_close int pidfd =
		fault_feature_is_disabled("pidfd") ? -ENOSYS : (int)syscall(SYS_pidfd_open, pid, 0);
	uint64_t deadline = clock_now_monotonic_ns() + (uint64_t)timeout_ms * NSEC_PER_MSEC;
	struct pollfd pfd = { .fd = pidfd, .events = POLLIN };

	if (pidfd >= 0) {
		int r = RETRY_EINTR(poll(&pfd, 1, timeout_ms));

		return r < 0 ? -errno : r == 0 ? -ETIMEDOUT : 0;
	}
	/* compat: pidfd_open needs Linux 5.3; look every few milliseconds below. */
	for (;;) {
		siginfo_t info = { 0 };

		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
			return -errno;
		if (info.si_pid == pid)
			return 0;
		if (clock_ms_until(deadline) == 0)
			return -ETIMEDOUT;
		clock_sleep_ms(5);
	}
}

int proc_wait(struct proc *p, int timeout_ms, int *ret_status)
{
	int status;

	if (p->pid <= 0)
		return -ECHILD;
	if (timeout_ms >= 0) {
		int r = wait_until_exit(p->pid, timeout_ms);

		if (r < 0)
			return r;
	}
	if (RETRY_EINTR(waitpid(p->pid, &status, 0)) < 0)
		return -errno;
	p->pid = 0;
	if (ret_status)
		*ret_status = status;
	return 0;
}

void proc_kill(struct proc *p)
{
	if (p->pid <= 0)
		return;
	(void)kill(p->pid, SIGKILL);
	(void)proc_wait(p, -1, NULL);
	p->pid = 0;
}

const char *proc_status_to_string(int status)
{
	static char text[64];

	if (WIFSIGNALED(status)) {
		const char *name = sigdescr_np(WTERMSIG(status));

		(void)snprintf(text, sizeof(text), "signal: %s", name ? name : "unknown");
		if (text[8] >= 'A' && text[8] <= 'Z')
			text[8] = (char)(text[8] - 'A' + 'a');
	} else {
		(void)snprintf(text, sizeof(text), "exit status %d", WEXITSTATUS(status));
	}
	return text;
}

int proc_status_to_exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

unsigned int proc_n_cpus(void)
{
	cpu_set_t set;

	/* EINVAL: more CPUs than the set has room for. */
	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned int)CPU_COUNT(&set) :
							      CPU_SETSIZE;
}
