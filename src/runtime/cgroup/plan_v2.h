/* SPDX-License-Identifier: Apache-2.0 */
/* Limits for cgroup v2, converted from the v1 units of the specification. Pure. */
#pragma once

#include "runtime/cgroup/plan.h"

/*
 * Append the writes for all limits of res; devices are a program (devices_bpf.h). ERR_UNSUPPORTED
 * for what v2 does not have (realtime, swappiness, kernelTCP, disableOOMKiller, network, leafWeight);
 * ERR_INVALID for values that contradict each other and for unified keys that are no plain names.
 */
int cgroup_plan_v2(struct cgroup_plan *plan, const struct oci_resources *res, struct err *err);
/* Only the hugetlb part: on hybrid hosts that controller may be in the v2 tree. */
void cgroup_plan_v2_hugetlb(struct cgroup_plan *plan, const struct oci_resources *res);

/* cpu.shares 2 to 262144 to cpu.weight 1 to 10000, so that the default 1024 becomes the default 100;
 * the formula that runc 1.3.2, crun 1.23 and Kubernetes agreed on. 0 stays 0. */
uint64_t cgroup_cpu_shares_to_weight(uint64_t shares);
/* blockIO.weight 10 to 1000 to io.weight 1 to 10000. */
uint32_t cgroup_blkio_weight_to_io_weight(uint32_t weight);
