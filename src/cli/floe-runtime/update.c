/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/commands.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/io.h"
#include "core/log.h"
#include "core/str.h"
#include "spec/runtime_linux.h"

struct options {
	const char *resources;
	struct oci_memory memory;
	struct oci_cpu cpu;
	struct oci_pids pids;
	uint32_t blkio_weight;
	const char *cpus;
	const char *mems;
	const char *l3_cache_schema;
	const char *mem_bw_schema;
};

/* The same document as linux.resources; "-" is standard input. */
static int read_resources(const char *path, struct oci_resources *ret, struct err *err)
{
	bool is_stdin = str_eq(path, "-");
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	int r;

	if (!is_stdin)
		return json_decode_file(&oci_resources_desc, ret, AT_FDCWD, path, err);
	r = io_read_all(STDIN_FILENO, JSON_TEXT_MAX, &sb);
	if (r < 0)
		return err_sys(err, r, "read resources from standard input");
	return json_decode(&oci_resources_desc, ret, sb.buf, sb.len, "standard input", err);
}

static void *copy_if(bool any, const void *part, size_t size)
{
	return any ? xmemdup(part, size) : NULL;
}

/* From the options; a part that nothing was given for stays NULL. */
static void fill_resources(const struct options *cli, struct oci_resources *ret)
{
	const struct oci_memory *m = &cli->memory;
	const struct oci_cpu *c = &cli->cpu;
	struct oci_block_io block_io = { .weight = { cli->blkio_weight != 0, cli->blkio_weight } };
	bool any_cpu = cli->cpus || cli->mems || c->shares.set || c->quota.set || c->burst.set ||
		       c->period.set || c->realtime_runtime.set || c->realtime_period.set ||
		       c->idle.set;

	*ret = (struct oci_resources){ 0 };
	ret->memory = copy_if(m->limit.set || m->swap.set || m->reservation.set, m, sizeof(*m));
	ret->cpu = copy_if(any_cpu, c, sizeof(*c));
	if (ret->cpu) {
		ret->cpu->cpus = xstrdup(cli->cpus);
		ret->cpu->mems = xstrdup(cli->mems);
	}
	ret->pids = copy_if(cli->pids.limit.set, &cli->pids, sizeof(cli->pids));
	ret->block_io = copy_if(block_io.weight.set, &block_io, sizeof(block_io));
}

static void warn_of_kernel_memory(const struct options *cli)
{
	if (cli->memory.kernel.set || cli->memory.kernel_tcp.set)
		log_warning("the kernel has no limit of kernel memory any more: --kernel-memory%s "
			    "is of no effect",
			    cli->memory.kernel.set ? "" : "-tcp");
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *cli = inv->options;
	auto_free char *l3 = xstrdup(cli->l3_cache_schema);
	auto_free char *bandwidth = xstrdup(cli->mem_bw_schema);
	const struct oci_intel_rdt rdt = { .l3_cache_schema = l3, .mem_bw_schema = bandwidth };
	bool has_rdt = !cli->resources && (cli->l3_cache_schema || cli->mem_bw_schema);
	struct oci_resources resources;
	struct runtime *rt;
	int r = command_open_root(inv, false, &rt, err);

	if (r == 0)
		warn_of_kernel_memory(cli);
	if (r == 0 && cli->resources)
		r = read_resources(cli->resources, &resources, err);
	else if (r == 0)
		fill_resources(cli, &resources);
	if (r < 0)
		return r;
	r = container_update(rt, inv->args[0], &resources, has_rdt ? &rdt : NULL, err);
	json_done(&oci_resources_desc, &resources);
	return r;
}

#define T struct options
static const struct cli_option rows[] = {
	OPT_STRING(T, resources, "resources", 'r', "FILE",
		   "read the limits from a JSON document like linux.resources, '-' for standard "
		   "input; all other options are then of no use"),
	OPT_SIZE(T, memory.limit, "memory", 0, "SIZE", "memory limit"),
	OPT_SIZE(T, memory.reservation, "memory-reservation", 0, "SIZE",
		 "memory that is left to the container when the host runs short"),
	OPT_SIZE(T, memory.swap, "memory-swap", 0, "SIZE", "limit of memory and swap together"),
	OPT_SIZE_F(T, memory.kernel, "kernel-memory", 0, "SIZE",
		   "of no effect, with a warning: the kernel has no such limit any more",
		   CLI_DEPRECATED | CLI_HIDDEN),
	OPT_SIZE_F(T, memory.kernel_tcp, "kernel-memory-tcp", 0, "SIZE",
		   "of no effect, with a warning: the kernel has no such limit any more",
		   CLI_DEPRECATED | CLI_HIDDEN),
	OPT_U64(T, cpu.shares, "cpu-share", 0, "N", "weight among other cgroups (1024 is normal)"),
	OPT_I64(T, cpu.quota, "cpu-quota", 0, "US",
		"CPU time in microseconds that may be used in each period"),
	OPT_U64(T, cpu.period, "cpu-period", 0, "US", "length of the period in microseconds"),
	OPT_U64(T, cpu.burst, "cpu-burst", 0, "US",
		"unused CPU time in microseconds that may be used later"),
	OPT_I64(T, cpu.realtime_runtime, "cpu-rt-runtime", 0, "US",
		"CPU time in microseconds of real-time tasks in each real-time period"),
	OPT_U64(T, cpu.realtime_period, "cpu-rt-period", 0, "US",
		"length of the real-time period in microseconds"),
	OPT_I64(T, cpu.idle, "cpu-idle", 0, "N", "1: run only when nothing else wants to"),
	OPT_STRING(T, cpus, "cpuset-cpus", 0, "LIST", "CPUs that may be used, such as 0-3,8"),
	OPT_STRING(T, mems, "cpuset-mems", 0, "LIST", "memory nodes that may be used"),
	OPT_I64(T, pids.limit, "pids-limit", 0, "N", "limit of processes; -1: none"),
	OPT_U32(T, blkio_weight, "blkio-weight", 0, "N", "weight of block I/O, 10 to 1000"),
	OPT_STRING(T, l3_cache_schema, "l3-cache-schema", 0, "SCHEMA",
		   "share of the cache, such as L3:0=ff;1=f (Intel RDT)"),
	OPT_STRING(T, mem_bw_schema, "mem-bw-schema", 0, "SCHEMA",
		   "share of the memory's bandwidth, such as MB:0=20;1=70 (Intel RDT)"),
};
#undef T

const struct cli_command update_command = {
	.name = "update",
	.arguments = "CONTAINER-ID",
	.summary = "change the limits of a container",
	.description = "What is not given stays as it is. When a limit cannot be set, those before "
		       "it are taken back. Sizes may have units (512m, 2g); -1 is no limit.",
	CLI_OPTIONS(struct options, rows),
	.min_args = 1,
	.max_args = 1,
	.argument_source = CONTAINER_IDS,
	.run = run,
};
