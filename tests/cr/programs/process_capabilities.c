/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "test.h"

static const char *const fields[] = {
	"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs"
};
#define N (sizeof(fields) / sizeof(fields[0]))

static void run(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	char before[N][64];
	char after[64];
	int bits = SECBIT_KEEP_CAPS | SECBIT_NO_SETUID_FIXUP | SECBIT_NOROOT;

	must(prctl(PR_SET_SECUREBITS, bits));
	must(prctl(PR_CAPBSET_DROP, CAP_SYS_CHROOT));
	must(prctl(PR_CAPBSET_DROP, CAP_CHOWN));
	must(syscall(SYS_capget, &header, data));
	data[0].inheritable = 1u << CAP_KILL | 1u << CAP_NET_RAW;
	data[0].effective &= ~(1u << CAP_FOWNER);
	data[0].permitted &= ~(1u << CAP_CHOWN);
	data[0].effective &= data[0].permitted;
	must(syscall(SYS_capset, &header, data));
	must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0));
	for (size_t i = 0; i < N; i++)
		check(read_field("/proc/self/status", fields[i], before[i], sizeof(before[i])),
		      "no %s", fields[i]);
	wait_for_restore();
	for (size_t i = 0; i < N; i++) {
		(void)read_field("/proc/self/status", fields[i], after, sizeof(after));
		check(strcmp(before[i], after) == 0, "%s is %s instead of %s", fields[i], after,
		      before[i]);
	}
	check(prctl(PR_GET_SECUREBITS) == bits, "the secure bits are %#x",
	      (unsigned)prctl(PR_GET_SECUREBITS));
}
PROGRAM(process_capabilities, run, .subject = "all sets of capabilities, and the secure bits")
