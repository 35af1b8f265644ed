/* SPDX-License-Identifier: Apache-2.0 */
/* port, container prune. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/floe/confirm.h"
#include "cli/floe/create_options.h"
#include "cli/floe/targets.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/cleanup.h"
#include "engine/event.h"
#include "engine/facts.h"
#include "engine/records.h"
#include "engine/runtime_exec.h"
#include "engine/specgen.h"

/* --- port ------------------------------------------------------------------------------------------- */

struct port_cli {
	bool all;
	bool latest;
};

static bool port_is(const struct network_port *p, uint32_t number, const char *wanted)
{
	auto_free char *full = xasprintf("%u/%s", number, p->protocol);
	auto_free char *bare = xasprintf("%u", number);

	return !wanted || str_eq(wanted, full) ||
	       (str_eq(wanted, bare) && str_eq(p->protocol, "tcp"));
}

static void add_ports(const struct container *c, const char *wanted, bool with_id,
		      struct strbuf *out)
{
	const struct network_port *ports = c->status.n_ports > 0 ? c->status.ports :
								   c->config.ports;
	size_t n = c->status.n_ports > 0 ? c->status.n_ports : c->config.n_ports;

	for (size_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < MAX(ports[i].range, 1U); k++) {
			if (!port_is(&ports[i], ports[i].container_port + k, wanted))
				continue;
			if (with_id)
				strbuf_addf(out, "%.12s\t", c->config.id);
			if (!wanted)
				strbuf_addf(out, "%u/%s -> ", ports[i].container_port + k,
					    ports[i].protocol);
			strbuf_addf(out, "%s:%u\n",
				    str_is_empty(ports[i].host_ip) ? "0.0.0.0" : ports[i].host_ip,
				    ports[i].host_port + k);
		}
}

static bool is_port(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && (!text[n] || (text[n] == '/' && !strchr(text + n + 1, '/')));
}

static int run_port(const struct cli_invocation *inv, struct err *err)
{
	const struct port_cli *o = inv->options;
	auto_container struct container c = CONTAINER_INIT;
	auto_strvec struct strvec ids = STRVEC_INIT;
	auto_strbuf struct strbuf out = STRBUF_INIT;
	size_t first = o->latest ? 0 : 1;
	const char *wanted = inv->n_args > first ? inv->args[first] : NULL;
	int r;

	if (o->all && o->latest)
		return err_set(err, ERR_USAGE, "--all and --latest cannot be used together");
	if (o->all && inv->n_args > 0)
		return err_set(err, ERR_USAGE, "no arguments are needed with --all");
	if (o->all) {
		r = record_ids(floe_engine(inv), &ids, err);
		for (size_t i = 0; r == 0 && i < ids.n; i++) {
			auto_container struct container one = CONTAINER_INIT;

			r = container_open_id(&one, floe_engine(inv), ids.v[i], err);
			if (r == 0 && container_is_alive(&one))
				add_ports(&one, NULL, true, &out);
		}
		return r < 0 ? r : cli_print(out.buf, err);
	}
	if (inv->n_args < first)
		return err_set(err, ERR_USAGE, "you must supply a running container name or id");
	r = targets_one(inv, o->latest, false, &c, err);
	if (r == 0 && wanted && !is_port(wanted))
		return err_set(err, ERR_USAGE, "port '%s': expected PORT or PORT/PROTOCOL", wanted);
	/* Of what does not run nothing is published, and of what publishes nothing no port is missing. */
	if (r < 0 || !container_is_alive(&c) || (c.status.n_ports == 0 && c.config.n_ports == 0))
		return r;
	add_ports(&c, wanted, false, &out);
	if (wanted && out.len == 0)
		return err_set(err, ERR_NOT_FOUND, "failed to find published port \"%s\"", wanted);
	return cli_print(out.buf, err);
}

static const struct cli_option port_rows[] = {
	OPT_FLAG(struct port_cli, all, "all", 'a', "of every container that runs"),
	OPT_FLAG(struct port_cli, latest, "latest", 'l', "of the newest container"),
};

const struct cli_command floe_port_command = {
	.name = "port",
	.arguments = "[CONTAINER [PORT]]",
	.summary = "list the published ports of containers",
	CLI_OPTIONS(struct port_cli, port_rows),
	.min_args = 0,
	.max_args = 2,
	.argument_source = FLOE_CONTAINERS,
	.run = run_port,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- container prune -------------------------------------------------------------------------------- */

struct prune_cli {
	struct targets targets;
	bool force;
};

static int prune_one(struct container *c, void *context UNUSED, struct err *err)
{
	return container_remove(c, &(struct remove_options){ .volumes = false }, err);
}

static bool does_not_run(const struct container *c)
{
	return !container_is_alive(c) && c->status.phase != PHASE_INITIALIZED;
}

static int run_prune(const struct cli_invocation *inv, struct err *err)
{
	const struct prune_cli *o = inv->options;
	struct targets t = o->targets;
	int r = o->force ? 1 :
			   confirm("WARNING! This will remove all non running containers.", err);

	if (r <= 0)
		return r;
	t.all = true;
	t.lock = true;
	t.print_id = true;
	t.wanted = does_not_run;
	return targets_each(inv, &t, prune_one, NULL, err);
}

static const struct cli_option prune_rows[] = {
	OPT_STRVEC(struct prune_cli, targets.filters, "filter", 0, "KEY=VALUE",
		   "those that this is true of"),
	OPT_FLAG(struct prune_cli, force, "force", 'f', "do not ask"),
};

const struct cli_command floe_container_prune_command = {
	.name = "prune",
	.summary = "remove all containers that do not run",
	CLI_OPTIONS(struct prune_cli, prune_rows),
	.min_args = 0,
	.max_args = 0,
	.run = run_prune,
	.error_code = FLOE_EXIT_ERROR,
};
