/* SPDX-License-Identifier: Apache-2.0 */
/* The names that the `events` document of runc has for what stats.h describes. */
#include "runtime/cgroup/stats.h"

/* clang-format off: one row a line. */
#define T struct cgroup_psi_line
JSON_DESC_STATIC(psi_line_desc, T, F_OPT_DOUBLE(T, avg10, "avg10", 0),
		 F_OPT_DOUBLE(T, avg60, "avg60", 0), F_OPT_DOUBLE(T, avg300, "avg300", 0),
		 F_U64(T, total, "total", JSON_ALWAYS));
#undef T
#define T struct cgroup_psi
JSON_DESC_STATIC(psi_desc, T,
		 F_OBJECT(T, some, struct cgroup_psi_line, "some", JSON_ALWAYS, psi_line_desc),
		 F_OBJECT(T, full, struct cgroup_psi_line, "full", JSON_ALWAYS, psi_line_desc));
#undef T
#define T struct cgroup_cpu_usage
JSON_DESC_STATIC(cpu_usage_desc, T, F_U64(T, total, "total", 0), F_RAW(T, percpu, "percpu", 0),
		 F_RAW(T, percpu_kernel, "percpu_kernel", 0),
		 F_RAW(T, percpu_user, "percpu_user", 0), F_U64(T, kernel, "kernel", JSON_ALWAYS),
		 F_U64(T, user, "user", JSON_ALWAYS));
#undef T
#define T struct cgroup_cpu_throttling
JSON_DESC_STATIC(throttling_desc, T, F_U64(T, periods, "periods", 0),
		 F_U64(T, throttled_periods, "throttledPeriods", 0),
		 F_U64(T, throttled_time, "throttledTime", 0));
#undef T
#define T struct cgroup_cpu_stats
JSON_DESC_STATIC(cpu_desc, T,
		 F_OBJECT(T, usage, struct cgroup_cpu_usage, "usage", JSON_ALWAYS, cpu_usage_desc),
		 F_OBJECT(T, throttling, struct cgroup_cpu_throttling, "throttling", JSON_ALWAYS,
			  throttling_desc),
		 F_OBJECT_PTR(T, psi, struct cgroup_psi, "psi", 0, psi_desc));
#undef T
#define T struct cgroup_cpuset_stats
JSON_DESC_STATIC(cpuset_desc, T, F_U32S(T, cpus, "cpus", 0),
		 F_U64(T, cpu_exclusive, "cpu_exclusive", JSON_ALWAYS), F_U32S(T, mems, "mems", 0),
		 F_U64(T, mem_hardwall, "mem_hardwall", JSON_ALWAYS),
		 F_U64(T, mem_exclusive, "mem_exclusive", JSON_ALWAYS),
		 F_U64(T, memory_migrate, "memory_migrate", JSON_ALWAYS),
		 F_U64(T, memory_spread_page, "memory_spread_page", JSON_ALWAYS),
		 F_U64(T, memory_spread_slab, "memory_spread_slab", JSON_ALWAYS),
		 F_U64(T, memory_pressure, "memory_pressure", JSON_ALWAYS),
		 F_U64(T, sched_load_balance, "sched_load_balance", JSON_ALWAYS),
		 F_I64(T, sched_relax_domain_level, "sched_relax_domain_level", JSON_ALWAYS));
#undef T
#define T struct cgroup_memory_entry
JSON_DESC_STATIC(memory_entry_desc, T, F_U64(T, limit, "limit", JSON_ALWAYS),
		 F_U64(T, usage, "usage", 0), F_U64(T, max, "max", 0),
		 F_U64(T, failcnt, "failcnt", JSON_ALWAYS));
#undef T
#define T struct cgroup_memory_stats
#define ENTRY(m, key)                                                                              \
	F_OBJECT(T, m, struct cgroup_memory_entry, key, JSON_ALWAYS, memory_entry_desc)
JSON_DESC_STATIC(memory_desc, T, F_U64(T, cache, "cache", 0), ENTRY(usage, "usage"),
		 ENTRY(swap, "swap"), ENTRY(kernel, "kernel"), ENTRY(kernel_tcp, "kernelTCP"),
		 F_RAW(T, raw, "raw", 0),
		 F_OBJECT_PTR(T, psi, struct cgroup_psi, "psi", 0, psi_desc));
#undef ENTRY
#undef T
#define T struct cgroup_pids_stats
JSON_DESC_STATIC(pids_desc, T, F_U64(T, current, "current", 0), F_U64(T, limit, "limit", 0));
#undef T
#define T struct cgroup_block_io_entry
JSON_DESC_STATIC(block_io_entry_desc, T, F_U64(T, major, "major", 0), F_U64(T, minor, "minor", 0),
		 F_STRING(T, op, "op", 0), F_U64(T, value, "value", 0));
#undef T
#define T struct cgroup_block_io_stats
JSON_DESC_STATIC(block_io_desc, T,
		 F_OBJECTS(T, service_bytes, struct cgroup_block_io_entry,
			   "ioServiceBytesRecursive", 0, block_io_entry_desc),
		 F_OBJECTS(T, serviced, struct cgroup_block_io_entry, "ioServicedRecursive", 0,
			   block_io_entry_desc),
		 F_OBJECT_PTR(T, psi, struct cgroup_psi, "psi", 0, psi_desc));
#undef T
#define T struct cgroup_hugetlb_stats
JSON_DESC_STATIC(hugetlb_desc, T, F_U64(T, usage, "usage", 0), F_U64(T, max, "max", 0),
		 F_U64(T, failcnt, "failcnt", JSON_ALWAYS));
#undef T
#define T struct cgroup_stats
JSON_DESC(cgroup_stats_desc, T,
	  F_OBJECT(T, cpu, struct cgroup_cpu_stats, "cpu", JSON_ALWAYS, cpu_desc),
	  F_OBJECT(T, cpuset, struct cgroup_cpuset_stats, "cpuset", JSON_ALWAYS, cpuset_desc),
	  F_OBJECT(T, memory, struct cgroup_memory_stats, "memory", JSON_ALWAYS, memory_desc),
	  F_OBJECT(T, pids, struct cgroup_pids_stats, "pids", JSON_ALWAYS, pids_desc),
	  F_OBJECT(T, block_io, struct cgroup_block_io_stats, "blkio", JSON_ALWAYS, block_io_desc),
	  F_OBJECT_MAP(T, hugetlb, struct cgroup_hugetlb_stats, "hugetlb", JSON_ALWAYS,
		       hugetlb_desc));
#undef T
/* clang-format on */
