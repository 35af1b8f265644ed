/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "test.h"

static struct gate gates[2];

/* May read, write and exit, and nothing else. */
static void child(void *argument)
{
	char byte;

	(void)argument;
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
	(void)!write(gates[0].fds[1], "", 1);
	(void)!read(gates[1].fds[0], &byte, 1);
	if (byte == 'x')
		(void)syscall(SYS_getpid);
	(void)syscall(SYS_exit, 5);
}

static void run(void)
{
	pid_t pids[2];
	int killed = 0;

	gate_init(&gates[0]);
	gate_init(&gates[1]);
	for (int i = 0; i < 2; i++) {
		pids[i] = spawn(child, NULL);
		gate_wait(&gates[0]);
	}
	wait_for_restore();
	/* One of them does something else. */
	write_all(gates[1].fds[1], "xo", 2);
	for (int i = 0; i < 2; i++) {
		siginfo_t info;

		must(waitid(P_PID, (id_t)pids[i], &info, WEXITED));
		check(info.si_status == (info.si_code == CLD_KILLED ? SIGKILL : 5),
		      "a strict process ends with %d", info.si_status);
		killed += info.si_code == CLD_KILLED;
	}
	check(killed == 1, "%d of one process that did more than it may were killed", killed);
}
PROGRAM(process_seccomp_strict, run, .subject = "strict seccomp")
