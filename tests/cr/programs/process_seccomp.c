/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "test.h"

/* Two filters upon each other: one call gives an error, another a signal. */
static volatile sig_atomic_t trapped;

static void on_trap(int number)
{
	trapped = number;
}

static void add_filter(unsigned int call, unsigned int action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = 4, .filter = code };

	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static void run(void)
{
	char text[16];

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	add_filter(SYS_sethostname, SECCOMP_RET_ERRNO | 77);
	add_filter(SYS_swapoff, SECCOMP_RET_TRAP);
	(void)signal(SIGSYS, on_trap);
	wait_for_restore();
	must_fail(syscall(SYS_sethostname, "x", 1), 77);
	(void)syscall(SYS_swapoff, "x");
	check(trapped == SIGSYS, "a call that was to raise a signal does not");
	check(read_field("/proc/self/status", "Seccomp_filters", text, sizeof(text)) &&
		      strcmp(text, "2") == 0,
	      "there are %s filters", text);
	check(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "no_new_privs is lost");
}
PROGRAM(process_seccomp, run, .subject = "seccomp filters")
