/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/commit.h"

#include <json-c/json.h>

#include "core/alloc.h"
#include "engine/environment.h"
#include "network/ports.h"

/* In place of what *list is. */
static void replace_strings(char ***list, size_t *n, char *const *v, size_t n_v)
{
	json_strings_clear(list, n);
	json_strings_add_all(list, n, v, n_v);
}

/* A member of a set: {"80/tcp": {}}. */
static void add_member(struct json_object **set, const char *name)
{
	if (!*set)
		*set = json_object_new_object();
	json_object_object_add(*set, name, json_object_new_object());
}

static void add_members(struct json_object **set, struct json_object *from)
{
	if (!from)
		return;
	json_object_object_foreach(from, name, value)
	{
		(void)value;
		add_member(set, name);
	}
}

static void add_port(struct image_process *p, const struct network_port *port)
{
	for (uint32_t i = 0; i < port->range; i++) {
		auto_free char *name = xasprintf("%u/%s", port->container_port + i, port->protocol);

		add_member(&p->exposed_ports, name);
	}
}

void commit_process(struct image_process *p, const struct container_config *config,
		    bool with_volumes)
{
	auto_network_ports struct network_ports exposed = NETWORK_PORTS_INIT;

	replace_strings(&p->env, &p->n_env, config->env, config->n_env);
	replace_strings(&p->cmd, &p->n_cmd, config->command, config->n_command);
	replace_strings(&p->entrypoint, &p->n_entrypoint, config->entrypoint, config->n_entrypoint);
	replace_ptr(p->user, xstrdup(config->user));
	replace_ptr(p->working_dir, xstrdup(config->workdir));
	if (config->stop_signal)
		replace_ptr(p->stop_signal, xstrdup(config->stop_signal));
	json_string_map_set_all(&p->labels, &config->labels);
	for (size_t i = 0; i < config->n_expose; i++)
		(void)network_ports_parse_exposed(&exposed, config->expose[i], NULL);
	for (size_t i = 0; i < exposed.n; i++)
		add_port(p, &exposed.v[i]);
	for (size_t i = 0; i < config->n_ports; i++)
		add_port(p, &config->ports[i]);
	for (size_t i = 0; with_volumes && i < config->n_mounts; i++)
		add_member(&p->volumes, config->mounts[i].destination);
}

static void overlay_text(char **text, const char *over)
{
	if (over && *over)
		replace_ptr(*text, xstrdup(over));
}

static void overlay_strings(char ***list, size_t *n, char *const *v, size_t n_v)
{
	if (n_v > 0)
		replace_strings(list, n, v, n_v);
}

void commit_overlay(struct image_process *p, struct image_process *over)
{
	overlay_text(&p->user, over->user);
	overlay_text(&p->working_dir, over->working_dir);
	overlay_text(&p->stop_signal, over->stop_signal);
	overlay_strings(&p->entrypoint, &p->n_entrypoint, over->entrypoint, over->n_entrypoint);
	overlay_strings(&p->cmd, &p->n_cmd, over->cmd, over->n_cmd);
	overlay_strings(&p->on_build, &p->n_on_build, over->on_build, over->n_on_build);
	overlay_strings(&p->shell, &p->n_shell, over->shell, over->n_shell);
	for (size_t i = 0; i < over->n_env; i++)
		environment_set(&p->env, &p->n_env, over->env[i]);
	json_string_map_set_all(&p->labels, &over->labels);
	add_members(&p->exposed_ports, over->exposed_ports);
	add_members(&p->volumes, over->volumes);
	if (over->healthcheck) {
		struct image_healthcheck *mine = p->healthcheck;

		p->healthcheck = over->healthcheck;
		over->healthcheck = mine;
	}
}
