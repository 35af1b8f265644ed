/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine as a whole: where it keeps what, and which programs it works with. Everything else in this
 * folder takes a struct engine first. One engine a process; what two processes of it share is on disk
 * (the data base, one lock per container) and never in memory.
 *
 *	ROOT/floe.db			records of containers, images, volumes
 *	ROOT/containers/ID/userdata/	bundle (config.json), log, conmon's sockets; lives as long as the container
 *	ROOT/volumes/NAME/_data		named volumes
 *	ROOT/secrets/			secrets
 *	RUNROOT/containers/ID/		generated files (hosts, resolv.conf ...), pid files; gone after a reboot
 *	TMPDIR/locks/ID			the container's lock
 *	TMPDIR/exits/ID			exit code, written by conmon
 *	TMPDIR/persist/ID/		exit code and "oom", kept by conmon for the next start
 */
#pragma once

#include "core/err.h"
#include "core/json_table.h"
#include "core/strvec.h"
#include "network/network.h"

#define ENGINE_ROOT_DEFAULT "/var/lib/floe"
#define ENGINE_RUNROOT_DEFAULT "/run/floe"

struct containers_conf;
struct db;
struct store;

enum engine_cgroup_manager { ENGINE_CGROUPFS, ENGINE_SYSTEMD };

/* What the command line or a configuration file chose; NULL: the default. Strings are borrowed. */
struct engine_options {
	const char *root;
	const char *runroot;
	const char *tmpdir;
	const char *volumepath;
	const char *runtime; /* name or path, for new containers */
	const char *runtime_default; /* the same, where the user did not choose */
	struct strvec runtime_flags; /* without the leading dashes */
	const char *conmon;
	int cgroup_manager; /* enum engine_cgroup_manager; -1: by what the machine has */
	struct strvec hooks_dirs;
	struct strvec cdi_spec_dirs;
	const char *network_config_dir;
	int network_backend; /* enum network_backend; -1: netavark */
	const char *storage_driver;
	struct strvec modules; /* of containers.conf */
	const struct containers_conf *conf; /* NULL: nothing is configured */
	struct strvec storage_opts;
	const char *events_backend;
	const char *log_level;
};

struct engine {
	char *root;
	char *runroot;
	char *tmpdir;
	char *volumepath;
	char *network_config_dir;
	struct network_dir network_dir; /* the same, with the default network */
	enum network_backend network_backend;
	char *runtime; /* path, of new containers */
	char *conmon; /* path */
	char *netavark; /* path; NULL: in the usual places */
	char *cni_path; /* directories of plugins with colons between; NULL: the usual ones */
	const struct engine_options *options; /* borrowed */
	const struct containers_conf *conf; /* borrowed; never NULL */
	enum engine_cgroup_manager cgroup_manager;
	struct db *db; /* open once engine_db() was called */
	struct store *store; /* open once engine_store() was called */
	char *self; /* path of this program, for exit commands */
};

/* Paths from options; no file is touched. */
int engine_init(struct engine *e, const struct engine_options *options, struct err *err);
void engine_done(struct engine *e);
/* Close data base and store; they are opened again when they are needed. */
void engine_close(struct engine *e);

/* Make the directories of the engine. */
int engine_prepare(struct engine *e, struct err *err);
/* What new containers run with: a name, or a path as it was given. */
const char *engine_runtime_name(const struct engine *e);
/* Path of a runtime; NULL: not here. Caller owns. */
char *engine_runtime_path(const struct engine *e, const char *name);
/* The runtime's (of new containers) and conmon's paths, looked for on PATH and in the usual places. ERR_NOT_FOUND. */
int engine_find_runtime(struct engine *e, struct err *err);
int engine_find_conmon(struct engine *e, struct err *err);

/* A program in one of the configured helper directories; NULL: in none. Caller owns. */
char *engine_find_helper(const struct engine *e, const char *name);

/* ROOT/containers/ID/userdata (podman has its files of a container in a directory of that name, and scripts look for it),
 * RUNROOT/containers/ID; caller owns. */
char *engine_static_dir(const struct engine *e, const char *id);
char *engine_run_dir(const struct engine *e, const char *id);
