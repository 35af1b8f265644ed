/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device rules for cgroup v2: a BPF_PROG_TYPE_CGROUP_DEVICE program (Linux 4.15) that the kernel
 * asks at each open and mknod. Generated without a library; the generation is pure.
 *
 * The program looks at the rules from the last to the first and decides each of the asked accesses
 * (read, write, mknod) by the first rule that covers it: a deny rule ends it, an allow rule takes its
 * accesses off the list, and an empty list is the permission. What no rule decides is denied.
 */
#pragma once

#include <linux/bpf.h>

#include "core/auto.h"
#include "core/err.h"
#include "runtime/cgroup/device_rules.h"

struct devices_bpf {
	struct bpf_insn *v;
	size_t n;
};

#define DEVICES_BPF_INIT                                                                           \
	{                                                                                          \
		0                                                                                  \
	}

void devices_bpf_generate(struct devices_bpf *ret, const struct device_rules *rules);
void devices_bpf_done(struct devices_bpf *program);

/* Load into the kernel: a descriptor, or a negative errno with the verifier's last words. */
int devices_bpf_load(const struct devices_bpf *program, struct err *err);
/*
 * Attach to the v2 cgroup whose directory is open as cgroup_fd (not O_PATH). is_new: nothing can be
 * attached yet, which saves a query; otherwise the programs that are there are replaced without a
 * moment in which nothing is checked (BPF_F_REPLACE, Linux 5.6; before that, they are detached after
 * the new one is in place).
 */
int devices_bpf_attach(int cgroup_fd, int program_fd, bool is_new, struct err *err);

DEFINE_AUTO_VAL(devices_bpf, struct devices_bpf, devices_bpf_done)
#define auto_devices_bpf auto_cleanup(devices_bpf_cleanup_val)
