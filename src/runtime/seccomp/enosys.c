/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/seccomp/enosys.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#define X32_BIT 0x40000000U /* __X32_SYSCALL_BIT; not every architecture's headers have it */
#define INSNS_PER_ARCH 6

/* Number of the newest call that the profile names on an architecture; -1: none. Numbers that
 * libseccomp makes up for calls that the architecture lacks are negative. */
static int newest_call(const struct oci_seccomp *profile, uint32_t arch)
{
	int newest = -1;

	for (size_t i = 0; i < profile->n_syscalls; i++) {
		for (size_t j = 0; j < profile->syscalls[i].n_names; j++) {
			int nr = seccomp_syscall_resolve_name_arch(arch,
								   profile->syscalls[i].names[j]);

			if (nr > newest)
				newest = nr;
		}
	}
	return newest;
}

/*
 * For one AUDIT_ARCH: its block, without the jump that enters it. x86_64 and x32 share one, and are
 * told apart by a bit of the number; x32 calls are left to the filter proper (which kills them) when
 * x32 is not in it.
 */
static size_t add_block(struct sock_filter *out, uint32_t audit_arch, int newest, int newest_x32)
{
	const struct sock_filter load_nr =
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	const struct sock_filter deny = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	size_t n = 0;

	out[n++] = load_nr;
	if (audit_arch != AUDIT_ARCH_X86_64) {
		out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)newest,
							0, 1);
	} else {
		/* newest -1: every number is above it as unsigned value, so say that none is. */
		uint32_t last = newest < 0 ? UINT32_MAX : (uint32_t)newest;
		uint32_t last_x32 = newest_x32 < 0 ? UINT32_MAX : (uint32_t)newest_x32;

		out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 1, 0);
		out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 1, 2);
		out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last_x32, 0, 1);
	}
	out[n++] = deny;
	out[n++] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0); /* target: see below */
	return n;
}

size_t seccomp_enosys_prologue(struct sock_filter ret[static SECCOMP_ENOSYS_INSNS_MAX],
			       const struct oci_seccomp *profile, const uint32_t *archs,
			       size_t n_archs)
{
	const struct sock_filter load_arch =
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	int newest_x32 = -1;
	bool has_x86_64 = false;
	size_t n = 0;

	for (size_t i = 0; i < n_archs; i++) {
		has_x86_64 |= archs[i] == SCMP_ARCH_X86_64;
		if (archs[i] == SCMP_ARCH_X32)
			newest_x32 = newest_call(profile, SCMP_ARCH_X32);
	}
	ret[n++] = load_arch;
	for (size_t i = 0; i < n_archs; i++) {
		int newest = newest_call(profile, archs[i]);
		/* The token is the AUDIT_ARCH, but for x32, whose calls come with x86_64's. */
		uint32_t audit_arch = archs[i] == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : archs[i];
		size_t block;

		if (newest < 0 || (archs[i] == SCMP_ARCH_X32 && has_x86_64) ||
		    n + INSNS_PER_ARCH + 1 > SECCOMP_ENOSYS_INSNS_MAX)
			continue;
		if (archs[i] == SCMP_ARCH_X32)
			newest = -1;
		block = add_block(&ret[n + 1], audit_arch, newest, newest_x32);
		ret[n] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, audit_arch, 0,
						      (uint8_t)block);
		n += block + 1;
	}
	if (n == 1)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (ret[i].code == (BPF_JMP | BPF_JA))
			ret[i].k = (uint32_t)(n - i - 1);
	return n;
}
