/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image_use.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/containers_conf.h"
#include "engine/environment.h"
#include "engine/records.h"

/* As podman's: the text of a profile. */
#define SECCOMP_LABEL "io.containers.seccomp.profile"

int engine_store_options(struct engine *e, struct store_options *ret, char **ret_preferred,
			 struct err *err)
{
	auto_free char *marker = path_join(e->root, "driver");
	int r;

	*ret = (struct store_options){
		.root = e->root,
		.run_root = e->runroot,
		.driver = e->options->storage_driver,
	};
	r = record_db(e, &ret->db, err);
	/* Of no use once the driver is chosen. */
	if (r == 0 && !ret->driver && !fs_exists(AT_FDCWD, marker)) {
		r = storage_conf_driver(ret_preferred, err);
		ret->preferred = *ret_preferred;
	}
	return r;
}

int engine_store(struct engine *e, struct store **ret, struct err *err)
{
	struct store_options options;
	auto_free char *preferred = NULL;
	int r;

	if (!e->store) {
		r = engine_store_options(e, &options, &preferred, err);
		if (r < 0)
			return r;
		e->store = xcalloc(1, sizeof(*e->store));
		*e->store = (struct store)STORE_INIT;
		r = store_open(e->store, &options, err);
		if (r == 0) {
			r = images_open(e->store, err);
			if (r < 0)
				store_close(e->store);
		}
		if (r < 0) {
			replace_ptr(e->store, NULL);
			return r;
		}
	}
	*ret = e->store;
	return 0;
}

void engine_store_close(struct engine *e)
{
	if (e->store)
		store_close(e->store);
	replace_ptr(e->store, NULL);
}

/* --- what the image says ---------------------------------------------------------------------------- */

/* The image's variables first, as long as the user does not set them or want them away. */
static void merge_env(struct container_config *c, const struct image_process *p,
		      const struct create_params *params)
{
	char **mine = c->env;
	size_t n_mine = c->n_env;
	char **all = NULL;
	size_t n = 0;

	for (size_t i = 0; !params->unset_all_env && i < p->n_env; i++)
		if (strchr(p->env[i], '=') && !environment_has(mine, n_mine, p->env[i]))
			json_strings_add(&all, &n, p->env[i]);
	for (size_t i = 0; params->unset_env && i < params->unset_env->n; i++)
		environment_unset(all, &n, params->unset_env->v[i]);
	for (size_t i = 0; i < n_mine; i++) {
		json_strings_add(&all, &n, mine[i]);
		free(mine[i]);
	}
	free(mine);
	c->env = all;
	c->n_env = n;
}

static void merge_command(struct container_config *c, const struct image_process *p,
			  bool has_entrypoint)
{
	/* One empty word is how a Dockerfile takes back what its base has. */
	bool takes_back = p->n_entrypoint == 1 && str_is_empty(p->entrypoint[0]);

	for (size_t i = 0; !has_entrypoint && !takes_back && i < p->n_entrypoint; i++)
		json_strings_add(&c->entrypoint, &c->n_entrypoint, p->entrypoint[i]);
	/* A command without the entrypoint that it was written for means nothing. */
	if (c->n_command > 0 || has_entrypoint)
		return;
	json_strings_add_all(&c->command, &c->n_command, p->cmd, p->n_cmd);
}

static void merge_volumes(struct container_config *c, const struct image_process *p,
			  const char *mode)
{
	if (str_eq(mode, "ignore") || !p->volumes ||
	    !json_object_is_type(p->volumes, json_type_object))
		return;
	json_object_object_foreach(p->volumes, destination, value)
	{
		auto_free char *path = path_clean(destination);
		struct container_mount *m;

		(void)value;
		if (container_config_mount(c, path) || path[0] != '/')
			continue;
		m = array_push(c->mounts, c->n_mounts);
		m->destination = take_ptr(path);
		if (str_eq(mode, "tmpfs")) {
			m->type = xstrdup("tmpfs");
			/* Whatever the image has there may be a program. */
			json_strings_add(&m->options, &m->n_options, "exec");
			continue;
		}
		m->type = xstrdup("volume");
		m->anonymous = true;
	}
}

static void merge(struct container_config *c, const struct image_process *p,
		  const struct create_params *params)
{
	merge_env(c, p, params);
	merge_command(c, p, params->has_entrypoint);
	merge_volumes(c, p, params->image_volume);
	if (!c->workdir && !str_is_empty(p->working_dir))
		c->workdir = xstrdup(p->working_dir);
	if (!c->user && !str_is_empty(p->user))
		c->user = xstrdup(p->user);
	if (!c->stop_signal && !str_is_empty(p->stop_signal))
		c->stop_signal = xstrdup(p->stop_signal);
	for (size_t i = 0; i < p->labels.n; i++)
		if (!json_string_map_get(&c->labels, p->labels.v[i].key))
			json_string_map_set(&c->labels, p->labels.v[i].key, p->labels.v[i].value);
	if (p->exposed_ports && json_object_is_type(p->exposed_ports, json_type_object)) {
		json_object_object_foreach(p->exposed_ports, port, value)
		{
			(void)value;
			json_strings_add(&c->expose, &c->n_expose, port);
		}
	}
}

/* A profile that the image brings along, as text. */
static void use_profile(struct container_config *c, const struct image_process *p)
{
	const char *text = json_string_map_get(&p->labels, SECCOMP_LABEL);

	if (!str_is_empty(text) && !c->seccomp)
		replace_ptr(c->seccomp, xstrdup(text));
}

int image_use(struct engine *e, struct container_config *c, const struct create_params *params,
	      char **ret_top, struct err *err)
{
	auto_image struct image image = { 0 };
	auto_free char *name = NULL;
	struct image_config config = { 0 };
	struct store *store;
	int r = engine_store(e, &store, err);

	if (r == 0)
		r = image_find(store, c->image_name, &image, &name, err);
	if (r == 0)
		r = image_config_load(store, image.id, &config, err);
	if (r < 0)
		return r;
	merge(c, &config.config, params);
	if (params->seccomp_of_image)
		use_profile(c, &config.config);
	image_config_done(&config);
	if (!name && image.names.n > 0)
		name = xstrdup(image.names.v[0]);
	if (name)
		replace_ptr(c->image_name, take_ptr(name));
	c->image_id = xstrdup(image.id);
	c->image_digest = xstrdup(image.manifest_digest);
	*ret_top = take_ptr(image.top);
	return 0;
}

struct users {
	const char *image_id;
	struct strvec *ret;
};

static int add_user(void *context, struct container_config *config,
		    struct container_status *status UNUSED, struct err *err UNUSED)
{
	const struct users *u = context;

	if (str_eq(config->image_id, u->image_id))
		strvec_add(u->ret, config->id);
	return 0;
}

int image_users(struct engine *e, const char *image_id, struct strvec *ret, struct err *err)
{
	struct users u = { image_id, ret };

	return record_each(e, add_user, &u, err);
}
