/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "cli/floe/create_options.h"
#include "cli/floe/targets.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/checkpoint_files.h"
#include "engine/environment.h"
#include "engine/event.h"
#include "engine/facts.h"
#include "engine/records.h"
#include "engine/runtime_exec.h"
#include "engine/specgen.h"
#include "kernel/rlimits.h"

struct update_cli {
	struct create_options create;
	bool latest;
};

static int check_env(const struct create_options *o, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->env.n; i++)
		r = create_env_check(o->env.v[i], err);
	return r;
}

static void update_env(const struct create_options *o, char ***env, size_t *n)
{
	for (size_t i = 0; i < o->unsetenv.n; i++)
		environment_unset(*env, n, o->unsetenv.v[i]);
	for (size_t i = 0; i < o->env.n; i++)
		create_env_set(env, n, o->env.v[i]);
}

/*
 * Of a container that has been started, in its configuration as well: processes that run keep their variables, but exec, a restore
 * and archives have them from there.
 */
static int update_spec_env(const struct create_options *o, const struct container *c,
			   struct err *err)
{
	auto_free char *path = checkpoint_file(c, "config.json");
	auto_free char *text = NULL;
	struct runtime_spec spec;
	int r;

	if (o->unsetenv.n + o->env.n == 0 || !(container_is_alive(c) || checkpoint_exists(c)))
		return 0;
	r = runtime_spec_load(&spec, AT_FDCWD, path, err);
	if (r < 0)
		return r;
	if (spec.process)
		update_env(o, &spec.process->env, &spec.process->n_env);
	text = runtime_spec_to_json(&spec, JSON_COMPACT);
	runtime_spec_done(&spec);
	r = fs_write_atomic(AT_FDCWD, path, text, strlen(text), 0600, FS_DURABLE);
	return r < 0 ? err_sys(err, r, "write '%s'", path) : 0;
}

#define TAKE(member)                                                                               \
	do {                                                                                       \
		if (from->member.set)                                                              \
			to->member = from->member;                                                 \
	} while (0)

/* A device that was named before gets the new value. */
static void merge_throttles(struct container_throttle **to, size_t *n,
			    const struct container_throttle *from, size_t n_from)
{
	for (size_t i = 0; i < n_from; i++) {
		size_t k = 0;

		while (k < *n && !str_eq((*to)[k].path, from[i].path))
			k++;
		if (k == *n) {
			*to = array_reserve_one(*to, *n, sizeof(**to));
			(*to)[(*n)++] =
				(struct container_throttle){ .path = xstrdup(from[i].path) };
		}
		(*to)[k].value = from[i].value;
	}
}

#define TAKE_LIST(member)                                                                          \
	merge_throttles(&to->member, &to->n_##member, from->member, from->n_##member)

static void merge_limits(struct container_limits *to, struct container_limits *from)
{
	TAKE(memory);
	/* It is of both together: a new limit of memory makes the old one void. */
	if (from->memory.set || from->memory_swap.set)
		to->memory_swap = from->memory_swap;
	TAKE(memory_reservation);
	TAKE(memory_swappiness);
	TAKE(cpu_shares);
	TAKE(cpu_period);
	TAKE(cpu_quota);
	TAKE(cpu_rt_period);
	TAKE(cpu_rt_runtime);
	TAKE(pids);
	TAKE(blkio_weight);
	TAKE(oom_kill_disable);
	TAKE_LIST(blkio_weight_device);
	TAKE_LIST(read_bps);
	TAKE_LIST(write_bps);
	TAKE_LIST(read_iops);
	TAKE_LIST(write_iops);
	json_string_map_set_all(&to->unified, &from->unified);
	if (from->cpuset_cpus)
		replace_ptr(to->cpuset_cpus, take_ptr(from->cpuset_cpus));
	if (from->cpuset_mems)
		replace_ptr(to->cpuset_mems, take_ptr(from->cpuset_mems));
}

/* Have the runtime change what runs. */
static int update_running(struct container *c, const struct container_limits *limits,
			  struct err *err)
{
	auto_spec_facts struct spec_facts f = { 0 };
	struct oci_resources resources = { 0 };
	auto_free char *text = NULL;
	auto_free char *path = path_join(c->run_dir, "resources.json");
	auto_close int fd = -EBADF;
	int r = facts_machine(c, &f, err);

	if (r == 0)
		r = facts_throttle_numbers(limits, &f.throttle_numbers, err);
	if (r == 0)
		r = specgen_limits(&resources, limits, &f.throttle_numbers, f.cgroup_v2, err);
	if (r == 0) {
		text = json_encode(&oci_resources_desc, &resources, JSON_COMPACT);
		r = fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (r >= 0)
			r = io_write_all(fd, text, strlen(text));
		if (r < 0)
			r = err_sys(err, r, "write '%s'", path);
	}
	json_done(&oci_resources_desc, &resources);
	return r < 0 ? r : runtime_update(c, path, err);
}

/* Those that were not given stay. */
static void merge_ulimits(struct container_config *to, struct container_config *from)
{
	for (size_t i = 0; i < from->n_ulimits; i++) {
		struct container_ulimit *u = NULL;

		for (size_t k = 0; k < to->n_ulimits && !u; k++)
			if (str_eq(to->ulimits[k].name, from->ulimits[i].name))
				u = &to->ulimits[k];
		if (!u) {
			u = array_push(to->ulimits, to->n_ulimits);
			u->name = xstrdup(from->ulimits[i].name);
		}
		u->soft = from->ulimits[i].soft;
		u->hard = from->ulimits[i].hard;
	}
}

/* Of its first process, and so of what that starts from now on; its other processes keep theirs, as with podman. */
static int update_running_ulimits(const struct container *c, const struct container_config *given,
				  struct err *err)
{
	for (size_t i = 0; i < given->n_ulimits; i++) {
		const struct container_ulimit *u = &given->ulimits[i];
		const struct rlimit limit = { .rlim_cur = u->soft, .rlim_max = u->hard };

		if (prlimit(c->status.pid, (__rlimit_resource_t)rlimits_from_name(u->name), &limit,
			    NULL) < 0)
			return err_sys(err, -errno, "set %s of container '%s' to %llu:%llu",
				       u->name, c->config.name, (unsigned long long)u->soft,
				       (unsigned long long)u->hard);
	}
	return 0;
}

static int run_update(const struct cli_invocation *inv, struct err *err)
{
	const struct update_cli *o = inv->options;
	auto_container struct container c = CONTAINER_INIT;
	auto_container_config struct container_config given = { 0 };
	struct container_limits limits = { 0 };
	int r;

	if (inv->n_args > 0 && o->latest)
		return err_set(err, ERR_USAGE, "--latest and containers cannot be used together");
	if (inv->n_args == 0 && !o->latest)
		return err_set(err, ERR_USAGE,
			       "update needs the name or id of a container, or --latest");
	r = create_options_limits(&o->create, &limits, err);

	if (r == 0)
		r = security_options_ulimits(&o->create.ulimits, &given, err);
	if (r == 0)
		r = targets_one(inv, o->latest, true, &c, err);
	if (r == 0)
		r = check_env(&o->create, err);
	if (r == 0)
		r = create_options_restart(o->create.restart, &c.config, err);
	if (r == 0 && container_is_alive(&c))
		r = update_running(&c, &limits, err);
	if (r == 0 && container_is_alive(&c))
		r = update_running_ulimits(&c, &given, err);
	if (r == 0)
		r = update_spec_env(&o->create, &c, err);
	if (r == 0) {
		update_env(&o->create, &c.config.env, &c.config.n_env);
		merge_ulimits(&c.config, &given);
		merge_limits(&c.config.limits, &limits);
		r = record_save_config(c.engine, &c.config, err);
	}
	json_done(&container_limits_desc, &limits);
	if (r < 0)
		return r;
	event_container(&c, "update");
	return cli_print_line(c.config.id, err);
}

#define T struct update_cli
static const struct cli_option update_rows[] = {
	OPT_STRING(T, create.restart, "restart", 0, "POLICY", "whether to start it again"),
	OPT_STRVEC(T, create.env, "env", 'e', "NAME[=VALUE]",
		   "set a variable for exec and the next start"),
	OPT_STRVEC(T, create.unsetenv, "unsetenv", 0, "NAME",
		   "remove a variable for exec and the next start"),
	OPT_STRVEC_F(T, create.ulimits, "ulimit", 0, "NAME=SOFT[:HARD]", "limit of resources",
		     CLI_LIST),
	OPT_FLAG(T, latest, "latest", 'l', "the newest container"),
	CREATE_LIMIT_ROWS(T, create),
};
#undef T

const struct cli_command floe_update_command = {
	.name = "update",
	.arguments = "[CONTAINER]",
	.summary = "change limits, restart policy and variables of a container",
	CLI_OPTIONS(struct update_cli, update_rows),
	.min_args = 0,
	.max_args = 1,
	.argument_source = FLOE_CONTAINERS,
	.run = run_update,
	.error_code = FLOE_EXIT_ERROR,
};
