/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container uses, in the form of runc's `events` document, so that the struct and its table
 * are one. Values are those of the kernel: times in nanoseconds, sizes in bytes, UINT64_MAX where a
 * limit is `max`. v2 figures are given in the meaning of v1 (swap includes memory), as runc does.
 */
#pragma once

#include "core/json_table.h"
#include "runtime/cgroup/backend.h"

struct json_object;

/* Pressure stall information (Documentation/accounting/psi.rst); v2 only. */
struct cgroup_psi_line {
	struct opt_double avg10; /* percent */
	struct opt_double avg60;
	struct opt_double avg300;
	uint64_t total; /* us */
};

struct cgroup_psi {
	struct cgroup_psi_line some;
	struct cgroup_psi_line full;
};

struct cgroup_cpu_usage {
	uint64_t total;
	struct json_object *percpu; /* lists of numbers; v1 only */
	struct json_object *percpu_kernel;
	struct json_object *percpu_user;
	uint64_t kernel;
	uint64_t user;
};

struct cgroup_cpu_throttling {
	uint64_t periods;
	uint64_t throttled_periods;
	uint64_t throttled_time;
};

struct cgroup_cpu_stats {
	struct cgroup_cpu_usage usage;
	struct cgroup_cpu_throttling throttling;
	struct cgroup_psi *psi;
};

/* v1 only, zeroes on v2. */
struct cgroup_cpuset_stats {
	uint32_t *cpus;
	size_t n_cpus;
	uint64_t cpu_exclusive;
	uint32_t *mems;
	size_t n_mems;
	uint64_t mem_hardwall;
	uint64_t mem_exclusive;
	uint64_t memory_migrate;
	uint64_t memory_spread_page;
	uint64_t memory_spread_slab;
	uint64_t memory_pressure;
	uint64_t sched_load_balance;
	int64_t sched_relax_domain_level;
};

struct cgroup_memory_entry {
	uint64_t limit;
	uint64_t usage;
	uint64_t max;
	uint64_t failcnt;
};

struct cgroup_memory_stats {
	uint64_t cache;
	struct cgroup_memory_entry usage;
	struct cgroup_memory_entry swap; /* memory and swap together */
	struct cgroup_memory_entry kernel;
	struct cgroup_memory_entry kernel_tcp;
	struct json_object *raw; /* memory.stat: name to number */
	struct cgroup_psi *psi;
};

struct cgroup_pids_stats {
	uint64_t current;
	uint64_t limit; /* 0: none */
};

struct cgroup_block_io_entry {
	uint64_t major;
	uint64_t minor;
	char *op; /* Read Write Sync Async Discard Total */
	uint64_t value;
};

struct cgroup_block_io_stats {
	struct cgroup_block_io_entry *service_bytes;
	size_t n_service_bytes;
	struct cgroup_block_io_entry *serviced;
	size_t n_serviced;
	struct cgroup_psi *psi;
};

struct cgroup_hugetlb_stats {
	char *size; /* "2MB" */
	uint64_t usage;
	uint64_t max;
	uint64_t failcnt;
};

struct cgroup_stats {
	struct cgroup_cpu_stats cpu;
	struct cgroup_cpuset_stats cpuset;
	struct cgroup_memory_stats memory;
	struct cgroup_pids_stats pids;
	struct cgroup_block_io_stats block_io;
	struct cgroup_hugetlb_stats *hugetlb;
	size_t n_hugetlb;
};

extern const struct json_desc cgroup_stats_desc;

/*
 * Read everything there is; a controller or file that is missing leaves zeroes. ERR_UNSUPPORTED when
 * the container has no cgroup. json_done(&cgroup_stats_desc, ret) frees.
 */
int cgroup_stats_read(struct cgroup *cg, struct cgroup_stats *ret, struct err *err);
