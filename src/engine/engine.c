/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/path.h"
#include "core/program.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "engine/containers_conf.h"
#include "engine/image_use.h"
#include "floe-config.h"

/* base/name, or what was given made absolute. */
static int choose_dir(const char *given, const char *base, const char *name, char **ret,
		      struct err *err)
{
	*ret = given ? path_absolute(given, NULL) : path_join(base, name);
	return *ret ? 0 : err_sys(err, -errno, "make '%s' absolute", given ? given : base);
}

/* NULL when there is nothing to join. */
static char *join(char *const *words, size_t n)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < n; i++)
		strbuf_addf(&sb, "%s%s", i > 0 ? ":" : "", words[i]);
	return n > 0 ? strbuf_take(&sb) : NULL;
}

static bool systemd_is_running(void)
{
	return fs_exists(AT_FDCWD, "/run/systemd/system");
}

char *engine_find_helper(const struct engine *e, const char *name)
{
	const struct conf_engine *conf = &e->conf->engine;

	return program_in((const char *const *)conf->helper_binaries_dir,
			  conf->n_helper_binaries_dir, name);
}

int engine_init(struct engine *e, const struct engine_options *o, struct err *err)
{
	static const struct containers_conf nothing;
	int r;

	*e = (struct engine){ .options = o,
			      .conf = o->conf ? o->conf : &nothing,
			      .network_backend = o->network_backend < 0 ?
							 NETWORK_NETAVARK :
							 (enum network_backend)o->network_backend };
	e->cgroup_manager = o->cgroup_manager >= 0 ? (enum engine_cgroup_manager)o->cgroup_manager :
			    systemd_is_running()   ? ENGINE_SYSTEMD :
						     ENGINE_CGROUPFS;
	r = choose_dir(o->root, ENGINE_ROOT_DEFAULT, "", &e->root, err);
	if (r == 0)
		r = choose_dir(o->runroot, ENGINE_RUNROOT_DEFAULT, "", &e->runroot, err);
	if (r == 0)
		r = choose_dir(o->tmpdir, e->runroot, "tmp", &e->tmpdir, err);
	if (r == 0)
		r = choose_dir(o->volumepath, e->root, "volumes", &e->volumepath, err);
	if (r == 0)
		r = choose_dir(o->network_config_dir,
			       e->network_backend == NETWORK_CNI ? CNI_CONFIG_DIR : NETWORK_DIR, "",
			       &e->network_config_dir, err);
	if (r < 0)
		return r;
	e->network_dir = (struct network_dir){
		.path = e->network_config_dir,
		.default_name = e->conf->network.default_network,
		.default_subnet = e->conf->network.default_subnet,
		.cni = e->network_backend == NETWORK_CNI,
	};
	/* An empty one is how those of storage.conf are switched off. */
	for (size_t i = 0; i < o->storage_opts.n; i++)
		if (*o->storage_opts.v[i])
			return err_set(
				err, ERR_USAGE,
				"--storage-opt '%s': floe's own storage has no options; leave it "
				"out",
				o->storage_opts.v[i]);
	if (str_eq(e->root, "/") || str_eq(e->runroot, "/"))
		return err_set(err, ERR_USAGE, "options '--root' and '--runroot' must not be '/'");
	e->netavark = engine_find_helper(e, "netavark");
	e->cni_path = join(e->conf->network.cni_plugin_dirs, e->conf->network.n_cni_plugin_dirs);
	e->network_dir.cni_plugins = e->cni_path;
	e->self = fd_readlink_path("/proc/self/exe");
	return e->self ? 0 : err_sys(err, -errno, "find this program: read '/proc/self/exe'");
}

static int make_dir(const char *base, const char *name, mode_t mode, struct err *err)
{
	auto_free char *path = path_join(base, name);
	int r = fs_mkdir_all(AT_FDCWD, path, 0755, mode);

	return r < 0 ? err_sys(err, r, "create directory '%s'", path) : 0;
}

int engine_prepare(struct engine *e, struct err *err)
{
	const struct {
		const char *base;
		const char *name;
		mode_t mode;
	} dirs[] = {
		{ e->root, "", 0711 },	      { e->root, "containers", 0711 },
		{ e->runroot, "", 0711 },     { e->runroot, "containers", 0711 },
		{ e->tmpdir, "exits", 0751 }, { e->tmpdir, "persist", 0751 },
		{ e->tmpdir, "locks", 0700 },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(dirs); i++)
		r = make_dir(dirs[i].base, dirs[i].name, dirs[i].mode, err);
	return r;
}

/* The first of the configured paths that is a program; NULL when there is none. */
static char *find_configured(char *const *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (access(paths[i], X_OK) == 0)
			return xstrdup(paths[i]);
	return NULL;
}

/* A name is looked for on PATH and in the places where distributions put such programs. */
static char *find_program(const struct engine *e, const char *name)
{
	auto_free char *own_dir = path_dirname(e->self);
	auto_free char *build_dir = path_join(own_dir, "../floe-runtime");
	const char *const places[] = {
		/* Beside this program: a build that is not installed. */
		own_dir,
		build_dir,
		FLOE_PREFIX "/bin",
		"/usr/libexec/podman",
		"/usr/local/libexec/podman",
		"/usr/lib/podman",
	};
	char *found;

	if (strchr(name, '/'))
		return access(name, X_OK) == 0 ? path_absolute(name, NULL) : NULL;
	found = program_on_path(name);
	if (!found)
		found = program_in(places, ARRAY_SIZE(places), name);
	return found ? found : program_find(name);
}

/* A name of [engine.runtimes], whose paths come before all others. */
static char *find_configured_runtime(const struct engine *e, const char *name)
{
	struct json_object *paths = containers_conf_runtime(e->conf, name);
	auto_strvec struct strvec list = STRVEC_INIT;

	for (size_t i = 0; paths && i < json_object_array_length(paths); i++)
		strvec_add(&list, json_object_get_string(json_object_array_get_idx(paths, i)));
	return find_configured(list.v, list.n);
}

const char *engine_runtime_name(const struct engine *e)
{
	const struct engine_options *o = e->options;

	return o->runtime ? o->runtime : o->runtime_default ? o->runtime_default : "floe-runtime";
}

char *engine_runtime_path(const struct engine *e, const char *name)
{
	char *path = find_configured_runtime(e, name);

	return path ? path : find_program(e, name);
}

int engine_find_runtime(struct engine *e, struct err *err)
{
	if (!e->runtime)
		e->runtime = engine_runtime_path(e, engine_runtime_name(e));
	return e->runtime ? 0 :
			    err_set(err, ERR_NOT_FOUND,
				    "find OCI runtime '%s': no such program; give its path with "
				    "--runtime",
				    engine_runtime_name(e));
}

int engine_find_conmon(struct engine *e, struct err *err)
{
	const char *name = e->options->conmon ? e->options->conmon : "conmon";

	if (e->conmon)
		return 0;
	if (!e->options->conmon)
		e->conmon =
			find_configured(e->conf->engine.conmon_path, e->conf->engine.n_conmon_path);
	if (!e->conmon)
		e->conmon = engine_find_helper(e, name);
	if (!e->conmon)
		e->conmon = find_program(e, name);
	return e->conmon ? 0 :
			   err_set(err, ERR_NOT_FOUND,
				   "find conmon '%s': no such program; install the package conmon "
				   "or give its path with --conmon",
				   name);
}

char *engine_static_dir(const struct engine *e, const char *id)
{
	return xasprintf("%s/containers/%s/userdata", e->root, id);
}

char *engine_run_dir(const struct engine *e, const char *id)
{
	return xasprintf("%s/containers/%s", e->runroot, id);
}

void engine_close(struct engine *e)
{
	engine_store_close(e);
	if (e->db)
		db_close(e->db);
	e->db = NULL;
}

void engine_done(struct engine *e)
{
	engine_close(e);
	free(e->root);
	free(e->runroot);
	free(e->tmpdir);
	free(e->volumepath);
	free(e->network_config_dir);
	free(e->runtime);
	free(e->conmon);
	free(e->netavark);
	free(e->cni_path);
	free(e->self);
}
