/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "cli/floe/checkpoint_stats.h"
#include "cli/floe/create_options.h"
#include "cli/floe/report.h"
#include "cli/floe/targets.h"
#include "core/alloc.h"
#include "core/io.h"
#include "core/str.h"
#include "engine/checkpoint_image.h"
#include "engine/records.h"
#include "engine/restore_check.h"
#include "engine/restore_import.h"

struct options {
	struct targets targets;
	struct restore_options restore;
	struct create_options given; /* some of its members: the new identity */
	const char *import;
	const char *import_previous;
	const char *name;
	const char *pod;
	const char *tcp;
	struct strvec allow;
	bool ignore_rootfs;
	bool ignore_volumes;
	bool dry_run;
	bool print_stats;
};

struct context {
	const struct options *o;
	struct restore_options restore;
	struct checkpoint_stats stats;
};

static int restore_one(struct container *c, void *context, struct err *err)
{
	struct context *x = context;
	struct restore_result result;
	int r = container_restore(c, &x->restore, &result, err);

	if (r == 0 && x->o->print_stats)
		checkpoint_stats_add_restore(&x->stats, c->config.id, result.runtime_us,
					     &result.stats);
	return r;
}

static bool is_frozen(const struct container *c)
{
	return c->status.checkpointed && !container_is_alive(c);
}

static int needs_import(const struct options *o, struct err *err)
{
	const struct create_options *g = &o->given;
	const struct {
		const char *name;
		bool given;
	} options[] = {
		{ "import-previous", o->import_previous },
		{ "ignore-rootfs", o->ignore_rootfs },
		{ "ignore-volumes", o->ignore_volumes },
		{ "name", o->name },
		{ "pod", o->pod },
		{ "publish", g->publish.n > 0 },
		{ "ip", g->ip },
		{ "mac", g->mac_address },
		{ "network", g->networks.n > 0 },
		{ "hostname", g->hostname },
		{ "volume", g->volumes.n > 0 },
		{ "mount", g->mounts.n > 0 },
		{ "memory", g->memory.set },
		{ "cpus", g->cpus },
		{ "allow", o->allow.n > 0 },
		{ "dry-run", o->dry_run },
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].given)
			return err_set(err, ERR_USAGE,
				       "--%s can only be used with image or --import",
				       options[i].name);
	return 0;
}

static int check(const struct cli_invocation *inv, const struct options *o, bool images,
		 struct err *err)
{
	const struct targets *t = &o->targets;

	if (geteuid() != 0)
		return err_set(err, ERR_DENIED, "restoring a container requires root");
	if (!o->import && !images) {
		int r = needs_import(o, err);

		if (r < 0)
			return r;
	}
	if (o->pod)
		return err_set(err, ERR_UNSUPPORTED,
			       "--pod: this version of floe has no pods; leave the option out to "
			       "restore a container of its own");
	if (o->name && (o->restore.tcp_established || str_eq(o->tcp, "established")))
		return err_set(err, ERR_USAGE, "--tcp-established cannot be used with --name");
	if (o->import && (t->all || t->latest))
		return err_set(err, ERR_USAGE, "cannot use --import with --all or --latest");
	if (o->import && inv->n_args > 0)
		return err_set(err, ERR_USAGE, "cannot use --import with positional arguments");
	/* Names of images, too, which are no containers. */
	if (t->all && inv->n_args > 0)
		return err_set(err, ERR_USAGE, "no arguments are needed with --all");
	if (t->latest && inv->n_args > 0)
		return err_set(err, ERR_USAGE, "--latest and containers cannot be used together");
	return 0;
}

static int choose_tcp(const struct options *o, struct restore_options *ret, struct err *err)
{
	*ret = o->restore;
	if (str_eq(o->tcp, "established"))
		ret->tcp_established = true;
	else if (str_eq(o->tcp, "close"))
		ret->tcp_close = true;
	else if (o->tcp)
		return err_set(err, ERR_USAGE, "--tcp '%s': expected established or close", o->tcp);
	if (ret->tcp_established && ret->tcp_close)
		return err_set(err, ERR_USAGE,
			       "--tcp-established and --tcp-close cannot be used together");
	return 0;
}

/* --- import ----------------------------------------------------------------------------------------- */

static void report(void *context UNUSED, const char *lines)
{
	(void)io_write_all(STDERR_FILENO, lines, strlen(lines));
}

/* The options of create that mean the same here, as they stand in a record. */
static int read_given(const struct options *o, struct container_config *ret, struct err *err)
{
	struct create_options g = create_options_default;
	int r;

	g.publish = o->given.publish;
	g.networks = o->given.networks;
	g.volumes = o->given.volumes;
	g.mounts = o->given.mounts;
	g.memory = o->given.memory;
	g.cpus = o->given.cpus;
	r = create_options_limits(&g, &ret->limits, err);
	if (r == 0)
		r = mount_options_apply(&g, ret, err);
	if (r == 0 && (g.networks.n > 0 || g.publish.n > 0))
		r = network_options_apply(&g, ret, err);
	/* Ports alone are no wish for another network. */
	if (r == 0 && g.networks.n == 0) {
		for (size_t i = 0; i < ret->n_networks; i++)
			network_attachment_done(&ret->networks[i]);
		ret->n_networks = 0;
		replace_ptr(ret->network, NULL);
	}
	return r;
}

static int import(const struct cli_invocation *inv, struct context *x, const char *source,
		  struct err *err)
{
	const struct options *o = x->o;
	auto_container_config struct container_config given = { 0 };
	auto_container struct container c = CONTAINER_INIT;
	struct restore_import how = {
		.source = source,
		.previous = o->import_previous,
		.ignore_rootfs = o->ignore_rootfs,
		.ignore_volumes = o->ignore_volumes,
		.identity = { .name = o->name,
			      .hostname = o->given.hostname,
			      .ip = o->given.ip,
			      .mac = o->given.mac_address,
			      .given = &given,
			      .has_ports = o->given.publish.n > 0 },
		.report = report,
	};
	struct restore_check check = { 0 };
	struct restore_result result;
	int r = read_given(o, &given, err);

	for (size_t i = 0; r == 0 && i < o->allow.n; i++)
		r = restore_allow_parse(o->allow.v[i], &how.allowed, err);
	if (r == 0 && o->dry_run) {
		r = container_import_check(floe_engine(inv), &how, &check, err);
		if (r == 0)
			r = cli_print(check.text.buf, err);
		strbuf_done(&check.text);
		return r < 0 ? r : check.n_failures > 0;
	}
	if (r == 0)
		r = container_import(&c, floe_engine(inv), &how, &x->restore, &result, err);
	if (r < 0)
		return r;
	if (o->print_stats) {
		checkpoint_stats_add_restore(&x->stats, c.config.id, result.runtime_us,
					     &result.stats);
		return 0;
	}
	return cli_print_line(c.config.id, err);
}

/* Arguments of which none is a container are images. */
static bool names_images(const struct cli_invocation *inv)
{
	for (size_t i = 0; i < inv->n_args; i++) {
		auto_free char *id = NULL;

		if (record_find(floe_engine(inv), inv->args[i], &id, NULL) == 0)
			return false;
	}
	return inv->n_args > 0;
}

static int import_images(const struct cli_invocation *inv, struct context *x, struct err *err)
{
	const struct options *o = x->o;
	int code = 0;

	if (inv->n_args > 1 && o->name)
		return err_set(err, ERR_USAGE, "--name can only be used with one checkpoint image");
	for (size_t i = 0; i < inv->n_args; i++) {
		struct err one = ERR_INIT;
		auto_free char *source = NULL;
		int r = checkpoint_image_find(floe_engine(inv), inv->args[i], &source, &one);

		if (r == -ENOENT)
			r = err_set(&one, ERR_NOT_FOUND, "no such container or image: %s",
				    inv->args[i]);
		if (r == 0)
			r = import(inv, x, source, &one);
		if (r < 0) {
			report_error(&one);
			code = FLOE_EXIT_ERROR;
		} else if (r > code) {
			code = r;
		}
	}
	return code;
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	bool images = !o->import && names_images(inv);
	struct targets t = o->targets;
	struct context x = { .o = o };
	int code;
	int r = check(inv, o, images, err);

	if (r == 0)
		r = choose_tcp(o, &x.restore, err);
	if (r < 0)
		return r;
	t.lock = true;
	t.wanted = is_frozen;
	t.quiet = o->print_stats;
	checkpoint_stats_begin(&x.stats);
	code = o->import ? import(inv, &x, o->import, err) :
	       images	 ? import_images(inv, &x, err) :
			   targets_each(inv, &t, restore_one, &x, err);
	if (code >= 0 && o->print_stats)
		r = checkpoint_stats_print(&x.stats, "podman_restore_duration", err);
	(void)json_object_put(x.stats.containers);
	return r < 0 ? r : code;
}

#define T struct options
static const struct cli_option rows[] = {
	OPT_FLAG(T, restore.keep, "keep", 'k', "keep the checkpoint, CRIU's logs and statistics"),
	OPT_FLAG(T, restore.tcp_established, "tcp-established", 0,
		 "let TCP connections go on that were established"),
	OPT_FLAG(T, restore.tcp_close, "tcp-close", 0, "close TCP connections instead"),
	OPT_FLAG(T, restore.file_locks, "file-locks", 0,
		 "take file locks again, as is done anyway where there were any"),
	OPT_FLAG(T, restore.ignore_static_ip, "ignore-static-ip", 0,
		 "take any address, not those that the container had"),
	OPT_FLAG(T, restore.ignore_static_mac, "ignore-static-mac", 0,
		 "take any MAC address, not the one that the container had"),
	OPT_STRING(T, import, "import", 'i', "FILE|-|dir:PATH",
		   "restore from an archive of 'floe checkpoint --export', podman, CRI-O or "
		   "containerd"),
	OPT_STRING(T, import_previous, "import-previous", 0, "FILE",
		   "archive of the pre-checkpoint that this one builds upon"),
	OPT_STRING(T, name, "name", 'n', "NAME",
		   "name of the container, which then gets an id and addresses of its own"),
	OPT_FLAG(T, ignore_rootfs, "ignore-rootfs", 0,
		 "leave the changes to the root file system in the archive"),
	OPT_FLAG(T, ignore_volumes, "ignore-volumes", 0,
		 "leave the content of volumes in the archive"),
	OPT_STRVEC(T, given.publish, "publish", 'p', "[[ADDRESS:]HOST-PORT:]PORT[/PROTOCOL]",
		   "publish these ports in place of the archive's"),
	OPT_STRING(T, given.ip, "ip", 0, "ADDRESS", "IPv4 address in its only network"),
	OPT_STRING(T, given.mac_address, "mac", 0, "ADDRESS", "MAC address in its only network"),
	OPT_STRVEC(T, given.networks, "network", 0, "NAME[:KEY=VALUE,...]",
		   "networks in place of the archive's"),
	OPT_STRING(T, given.hostname, "hostname", 0, "NAME", "host name from now on"),
	OPT_STRVEC(T, given.volumes, "volume", 0, "SOURCE:DIR",
		   "volume or directory in the place of the one that the archive has at DIR"),
	OPT_STRVEC(T, given.mounts, "mount", 0, "type=bind|volume,source=...,target=DIR",
		   "the same in other words"),
	OPT_SIZE(T, given.memory, "memory", 0, "SIZE", "limit of memory"),
	OPT_STRING(T, given.cpus, "cpus", 0, "N", "limit of processor time"),
	OPT_STRING(T, tcp, "tcp", 0, "established|close", "what becomes of TCP connections"),
	OPT_STRVEC(T, allow, "allow", 0, "CLASS[,CLASS...]|all",
		   "let the archive have what 'floe run' would not give: privileged, capabilities, "
		   "devices, mounts, hooks, annotations, namespaces, ids, seccomp, lsm, masks, "
		   "sysctl, secrets, runtime, images"),
	OPT_FLAG(T, dry_run, "dry-run", 0,
		 "only tell whether the archive can be restored here: exit code 0 if so, 1 if not"),
	OPT_STRING_F(T, pod, "pod", 0, "POD", "restore into a pod", CLI_HIDDEN),
	OPT_FLAG(T, print_stats, "print-stats", 0,
		 "print times (in microseconds) and page counts as JSON instead of the names"),
	OPT_FLAG(T, targets.all, "all", 'a', "every container that was checkpointed"),
	OPT_FLAG(T, targets.latest, "latest", 'l', "the newest container"),
};
#undef T

const struct cli_command floe_restore_command = {
	.name = "restore",
	.arguments = "[CONTAINER|IMAGE...]",
	.summary = "let containers go on from their checkpoints",
	.description = "Containers get the addresses back that they had. When a restore fails, the "
		       "checkpoint stays and nothing else.",
	CLI_OPTIONS(struct options, rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_CONTAINERS,
	.run = run,
	.error_code = FLOE_EXIT_ERROR,
};
