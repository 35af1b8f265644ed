/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/restore_identity.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"
#include "core/str.h"
#include "engine/checkpoint_files.h"
#include "engine/create.h"
#include "engine/restore_spec.h"

#define ID_LENGTH 64

static int replace_mount(struct container_config *g, const struct container_mount *from,
			 struct err *err)
{
	struct container_mount *m = container_config_mount(g, from->destination);

	if (!m)
		return err_set(err, ERR_INVALID,
			       "mount '%s': the container has no mount there, and its processes "
			       "cannot be given one; `floe container checkpoint inspect --mounts` "
			       "lists what there is",
			       from->destination);
	if (!str_eq(from->type, "bind") && !str_eq(from->type, "volume"))
		return err_set(err, ERR_INVALID,
			       "mount '%s': only a directory of the host or a volume can take the "
			       "place of another mount",
			       from->destination);
	if (!str_eq(m->type, "bind") && !str_eq(m->type, "volume"))
		return err_set(err, ERR_INVALID,
			       "mount '%s': it is a %s, whose content is in the checkpoint",
			       from->destination, m->type);
	replace_ptr(m->type, xstrdup(from->type));
	replace_ptr(m->source, xstrdup(from->source));
	replace_ptr(m->subpath, xstrdup(from->subpath));
	m->anonymous = false;
	return 0;
}

static void clear_attachments(struct container_config *g)
{
	for (size_t i = 0; i < g->n_networks; i++)
		network_attachment_done(&g->networks[i]);
	free(g->networks);
	g->networks = NULL;
	g->n_networks = 0;
}

static int replace_networks(struct container_config *g, const struct container_config *given,
			    struct err *err)
{
	if (given->n_networks == 0) {
		if (!given->network)
			return 0;
		return err_set(
			err, ERR_INVALID,
			"--network '%s': a restored container can be in other networks only, "
			"by their names",
			given->network);
	}
	if (g->n_networks == 0)
		return err_set(
			err, ERR_INVALID,
			"--network: the container was frozen without networks of its own, and "
			"its processes cannot be given one");
	clear_attachments(g);
	for (size_t i = 0; i < given->n_networks; i++)
		network_attachment_copy(array_push(g->networks, g->n_networks),
					&given->networks[i]);
	return 0;
}

static void replace_ports(struct container_config *g, const struct container_config *given)
{
	struct network_ports old = { g->ports, g->n_ports };
	struct network_ports copy = NETWORK_PORTS_INIT;

	network_ports_done(&old);
	network_ports_copy(&copy,
			   &(struct network_ports){ (struct network_port *)(uintptr_t)given->ports,
						    given->n_ports });
	g->ports = copy.v;
	g->n_ports = copy.n;
}

/* In the record for later starts, and in the configuration for this one. */
static int replace_limits(struct container_config *g, struct runtime_spec *spec,
			  const struct container_limits *given, struct err *err)
{
	/* None of block devices, which it would have the numbers of. */
	const struct json_string_map none = { 0 };
	struct container_limits *l = &g->limits;

	if (given->memory.set) {
		l->memory = given->memory;
		l->memory_swap = given->memory_swap;
	}
	if (given->cpu_quota.set) {
		l->cpu_quota = given->cpu_quota;
		l->cpu_period = given->cpu_period;
	}
	return given->memory.set || given->cpu_quota.set ?
		       restore_spec_update(spec, g, &none, err) :
		       0;
}

/*
 * Also in the configuration, which is the next archive's: commands and processes of later cycles have it from there. Under
 * another name the container is called on the network what its processes believe to be called, not by its new id.
 */
static void replace_hostname(struct container_config *g, struct runtime_spec *spec,
			     const struct restore_identity *i)
{
	auto_free char *variable = NULL;

	if (!i->hostname) {
		if (i->name && !g->hostname && !str_is_empty(spec->hostname))
			g->hostname = xstrdup(spec->hostname);
		return;
	}
	replace_ptr(g->hostname, xstrdup(i->hostname));
	if (!str_is_empty(spec->hostname))
		variable = xasprintf("HOSTNAME=%s", spec->hostname);
	for (size_t k = 0; variable && spec->process && k < spec->process->n_env; k++)
		if (str_eq(spec->process->env[k], variable))
			replace_ptr(spec->process->env[k], xasprintf("HOSTNAME=%s", i->hostname));
	replace_ptr(spec->hostname, xstrdup(i->hostname));
}

static int check(const struct restore_identity *i, const struct container_config *g,
		 const struct runtime_spec *spec, const char *source, struct err *err)
{
	if (i->name && !container_name_is_valid(i->name))
		return err_set(
			err, ERR_INVALID,
			"names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: '%s': invalid argument",
			i->name);
	if (!container_name_is_valid(g->name ? g->name : "") || !g->id ||
	    strlen(g->id) != ID_LENGTH || strspn(g->id, "0123456789abcdef") != ID_LENGTH)
		return err_set(
			err, ERR_INVALID,
			"restore from '%s': its container has no valid name and id; give it a "
			"name with --name",
			source);
	if ((i->ip || i->mac) && g->n_networks != 1)
		return err_set(err, ERR_INVALID,
			       "--%s needs a container in exactly one network; this one is in %zu",
			       i->ip ? "ip" : "mac", g->n_networks);
	if (i->hostname && !container_hostname_is_valid(i->hostname))
		return err_set(err, ERR_INVALID, "--hostname '%s': this can be no host name",
			       i->hostname);
	if (i->hostname && !oci_linux_namespace(spec->linux_, "uts"))
		return err_set(err, ERR_INVALID,
			       "--hostname: the container has the host name of its host");
	return 0;
}

void restore_identity_addresses(const struct restore_identity *i, struct container_config *g)
{
	if (i->ip) {
		checkpoint_strip_static(g, true, false);
		json_strings_add(&g->networks[0].static_ips, &g->networks[0].n_static_ips, i->ip);
	}
	if (i->mac)
		replace_ptr(g->networks[0].static_mac, xstrdup(i->mac));
}

int restore_identity_apply(const struct restore_identity *i, struct container_config *g,
			   struct runtime_spec *spec, const char *source, struct err *err)
{
	int r = 0;

	if (i->name) {
		replace_ptr(g->name, xstrdup(i->name));
		replace_ptr(g->id, random_hex(ID_LENGTH));
	}
	for (size_t k = 0; r == 0 && i->given && k < i->given->n_mounts; k++)
		r = replace_mount(g, &i->given->mounts[k], err);
	if (r == 0 && i->given)
		r = replace_networks(g, i->given, err);
	if (r == 0)
		r = check(i, g, spec, source, err);
	if (r < 0)
		return r;
	replace_hostname(g, spec, i);
	restore_identity_addresses(i, g);
	if (i->has_ports)
		replace_ports(g, i->given);
	return i->given ? replace_limits(g, spec, &i->given->limits, err) : 0;
}
