/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/request.h"

#include <inttypes.h>
#include <sched.h>
#include <string.h>

#include "core/alloc.h"
#include "core/parse.h"
#include "core/str.h"
#include "runtime/namespace/plan.h"

/* What ids are to who has no mapping for them: /proc/sys/kernel/overflowuid. */
#define OVERFLOW_ID 65534

void checkpoint_request_done(struct checkpoint_request *request)
{
	criu_message_free(request->message);
	*request = (struct checkpoint_request)CHECKPOINT_REQUEST_INIT;
}

static int check_empty_ns(const struct strvec *names, struct err *err)
{
	for (size_t i = 0; i < names->n; i++)
		if (!str_eq(names->v[i], "network"))
			return err_set(
				err, ERR_USAGE,
				"--empty-ns: namespace '%s' is not supported; only 'network' is",
				names->v[i]);
	return 0;
}

/* "[::1]:27" and "host:27"; the address is the caller's. */
static int parse_page_server(const char *text, char **ret_address, int *ret_port, struct err *err)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	uint32_t port;

	if (len == 0 || !colon[1])
		return err_set(err, ERR_USAGE, "--page-server '%s': use --page-server ADDRESS:PORT",
			       text);
	if (parse_u32(colon + 1, &port) < 0 || port == 0 || port > 65535)
		return err_set(err, ERR_USAGE, "--page-server '%s': invalid port number", text);
	if (text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	*ret_address = xstrndup(text, len);
	*ret_port = (int)port;
	return 0;
}

int checkpoint_options_check(const struct checkpoint_options *opts, struct err *err)
{
	auto_free char *address = NULL;
	int port;

	if (opts->parent_path && opts->parent_path[0] == '/')
		return err_set(err, ERR_USAGE,
			       "--parent-path must be relative (to the image path), not '%s'",
			       opts->parent_path);
	if (opts->pre_dump && opts->lazy_pages)
		return err_set(err, ERR_USAGE, "--pre-dump and --lazy-pages exclude each other");
	if (opts->status_fd.set && (opts->status_fd.v < -1 || opts->status_fd.v > INT32_MAX))
		return err_set(err, ERR_USAGE, "invalid --status-fd argument %" PRId64,
			       opts->status_fd.v);
	if (opts->page_server) {
		int r = parse_page_server(opts->page_server, &address, &port, err);

		if (r < 0)
			return r;
	}
	return check_empty_ns(&opts->empty_ns, err);
}

int restore_options_check(const struct restore_options *opts, struct err *err)
{
	if (opts->lsm_profile && !strchr(opts->lsm_profile, ':'))
		return err_set(
			err, ERR_USAGE,
			"--lsm-profile '%s' must be TYPE:NAME, as in apparmor:docker-default",
			opts->lsm_profile);
	return check_empty_ns(&opts->empty_ns, err);
}

static int require_version(int version, int min, struct err *err)
{
	if (version >= min)
		return 0;
	return err_set(
		err, ERR_UNSUPPORTED,
		"CRIU version %d must be %d or higher: %d.%d is too old, %d.%d is needed; name a "
		"newer one with --criu PATH, or let tools/install-deps install one",
		version, min, version / 10000, version / 100 % 100, min / 10000, min / 100 % 100);
}

static CriuCgMode cgroups_mode(enum checkpoint_cgroups_mode mode)
{
	switch (mode) {
	case CHECKPOINT_CGROUPS_SOFT:
		return CRIU_CG_MODE__SOFT;
	case CHECKPOINT_CGROUPS_FULL:
		return CRIU_CG_MODE__FULL;
	case CHECKPOINT_CGROUPS_STRICT:
		return CRIU_CG_MODE__STRICT;
	case CHECKPOINT_CGROUPS_IGNORE:
		return CRIU_CG_MODE__IGNORE;
	case CHECKPOINT_CGROUPS_DEFAULT:
		break;
	}
	return CRIU_CG_MODE__DEFAULT;
}

static int set_network_lock(CriuOpts *o, enum checkpoint_network_lock lock, int version,
			    struct err *err)
{
	int min = lock == CHECKPOINT_NETWORK_LOCK_SKIP ? CRIU_VERSION_LOCK_SKIP : CRIU_VERSION_LSM;

	if (lock == CHECKPOINT_NETWORK_LOCK_DEFAULT)
		return 0;
	if (version < min)
		return err_set(err, ERR_UNSUPPORTED,
			       "this --network-lock requires at least CRIU %d.%d, here is %d",
			       min / 10000, min / 100 % 100, version);
	switch (lock) {
	case CHECKPOINT_NETWORK_LOCK_NFTABLES:
		CRIU_SET(o, network_lock, CRIU_NETWORK_LOCK__NFTABLES);
		break;
	case CHECKPOINT_NETWORK_LOCK_SKIP:
		CRIU_SET(o, network_lock, CRIU_NETWORK_LOCK__SKIP);
		break;
	case CHECKPOINT_NETWORK_LOCK_IPTABLES:
	case CHECKPOINT_NETWORK_LOCK_DEFAULT:
		CRIU_SET(o, network_lock, CRIU_NETWORK_LOCK__IPTABLES);
		break;
	}
	return 0;
}

/* What both directions have in common. Here and below presence matters: an absent field leaves the
 * decision to CRIU's own configuration files, and false overrides them. */
static void set_common(CriuOpts *o, int images_dir_fd, int work_dir_fd, int log_level,
		       const char *log_file, const char *root)
{
	o->images_dir_fd = images_dir_fd;
	if (work_dir_fd >= 0)
		CRIU_SET(o, work_dir_fd, work_dir_fd);
	CRIU_SET(o, log_level, log_level ? log_level : 4);
	criu_opts_set_string(&o->log_file, log_file);
	criu_opts_set_string(&o->root, root);
	CRIU_SET(o, manage_cgroups, true);
	CRIU_SET(o, notify_scripts, true);
	CRIU_SET(o, orphan_pts_master, true);
	/* Devices and addresses of a network namespace of the container's own are not CRIU's: it
	 * makes an empty one. */
	CRIU_SET(o, empty_ns, CLONE_NEWNET);
}

/* An annotation that is there but empty means: no configuration file. */
static void set_config_file(CriuOpts *o, const struct runtime_spec *spec, const char *fallback)
{
	const char *annotation = runtime_spec_annotation(spec, CHECKPOINT_CONFIG_ANNOTATION);
	const char *path = annotation ? annotation : fallback;

	if (!str_is_empty(path))
		criu_opts_set_string(&o->config_file, path);
}

static const char *external_key(enum namespace_kind kind)
{
	return kind == NAMESPACE_PID ? "extRootPidNS" : "extRootNetNS";
}

static const struct oci_namespace *find_namespace(const struct runtime_spec *spec,
						  enum namespace_kind kind)
{
	const struct oci_linux *l = spec->linux_;

	for (size_t i = 0; l && i < l->n_namespaces; i++)
		if (namespace_kind_from_type(l->namespaces[i].type) == (int)kind)
			return &l->namespaces[i];
	return NULL;
}

/* runc refuses an old CRIU even when nothing is joined by path; so do we. */
static int require_external_ns(int version, const char *direction, struct err *err)
{
	const char *lacks = version < CRIU_VERSION_NET_NS ? "net" :
			    version < CRIU_VERSION_PID_NS ? "pid" :
							    NULL;

	if (!lacks)
		return 0;
	return err_set(
		err, ERR_UNSUPPORTED,
		"criu lacks support for external %s namespace during the %s process (old criu "
		"version %d?); name a newer one with --criu PATH",
		lacks, direction, version);
}

/* Whether a process that is still the host's root is somebody in the namespace: root itself, or the overflow id. */
static bool knows_root(const struct oci_id_mapping *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].size > 0 &&
		    (v[i].host_id == 0 || (v[i].container_id <= OVERFLOW_ID &&
					   OVERFLOW_ID - v[i].container_id < v[i].size)))
			return true;
	return false;
}

/*
 * What it freezes and cannot bring back: at a restore it moves the first process to the root of its cgroup namespace before
 * that has an id of its user namespace, and the kernel refuses the message if the overflow id is not mapped (issue 2902 of
 * CRIU). Who lets the container run on may find another CRIU for the images.
 */
static int require_restorable_userns(const struct runtime_spec *spec,
				     const struct checkpoint_options *opts,
				     const struct checkpoint_facts *facts, struct err *err)
{
	const struct oci_namespace *user = find_namespace(spec, NAMESPACE_USER);
	const struct oci_linux *l = spec->linux_;

	if (opts->pre_dump || opts->leave_running || !facts->freezer_is_v2 ||
	    facts->criu_version >= CRIU_VERSION_USERNS || !user || !str_is_empty(user->path) ||
	    !find_namespace(spec, NAMESPACE_CGROUP) ||
	    (knows_root(l->uid_mappings, l->n_uid_mappings) &&
	     knows_root(l->gid_mappings, l->n_gid_mappings)))
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		       "CRIU up to 4.2 could not restore it: it has a cgroup namespace of version "
		       "2 in a user namespace without the id %u; map 65536 ids or share the host's "
		       "cgroup namespace, or checkpoint with --leave-running for a newer CRIU",
		       OVERFLOW_ID);
}

static int add_external_ns(CriuOpts *o, const struct runtime_spec *spec, enum namespace_kind kind,
			   uint64_t inode, struct err *err)
{
	const struct oci_namespace *ns = find_namespace(spec, kind);

	if (!ns || str_is_empty(ns->path))
		return 0;
	if (inode == 0)
		return err_set(err, ERR_INTERNAL, "no inode given for %s namespace '%s'", ns->type,
			       ns->path);
	criu_opts_add_external(o, "%s[%" PRIu64 "]:%s", namespace_kinds[kind].proc_name, inode,
			       external_key(kind));
	return 0;
}

static void set_dump_options(CriuOpts *o, const struct checkpoint_options *opts,
			     const struct checkpoint_facts *facts)
{
	set_common(o, facts->images_dir_fd, facts->work_dir_fd, facts->log_level,
		   CHECKPOINT_DUMP_LOG, facts->rootfs);
	CRIU_SET(o, manage_cgroups_mode, cgroups_mode(opts->cgroups_mode));
	CRIU_SET(o, pid, facts->init_pid);
	CRIU_SET(o, shell_job, opts->shell_job);
	CRIU_SET(o, leave_running, opts->leave_running);
	CRIU_SET(o, tcp_established, opts->tcp_established);
	CRIU_SET(o, tcp_skip_in_flight, opts->tcp_skip_in_flight);
	CRIU_SET(o, link_remap, opts->link_remap);
	CRIU_SET(o, ext_unix_sk, opts->ext_unix_sk);
	CRIU_SET(o, file_locks, opts->file_locks);
	CRIU_SET(o, auto_dedup, opts->auto_dedup);
	CRIU_SET(o, lazy_pages, opts->lazy_pages);
	if (opts->parent_path) {
		criu_opts_set_string(&o->parent_img, opts->parent_path);
		CRIU_SET(o, track_mem, true);
	}
	for (size_t i = 0; facts->watch_paths && i < facts->watch_paths->n; i++)
		*array_push(o->irmap_scan_paths, o->n_irmap_scan_paths) =
			xstrdup(facts->watch_paths->v[i]);
	criu_opts_set_string(&o->cgroup_yard, facts->cgroup_yard);
	if (facts->freezer_path &&
	    (!facts->freezer_is_v2 || facts->criu_version >= CRIU_VERSION_FREEZER_V2))
		criu_opts_set_string(&o->freeze_cgroup, facts->freezer_path);
}

static int set_page_server(CriuOpts *o, const char *page_server, struct err *err)
{
	auto_free char *address = NULL;
	int port;
	int r;

	if (!page_server)
		return 0;
	r = parse_page_server(page_server, &address, &port, err);
	if (r < 0)
		return r;
	criu_opts_set_page_server(o, address, port);
	return 0;
}

static void set_needs(struct checkpoint_request *request, const struct checkpoint_options *opts,
		      int version)
{
	/* A parent image is useless without tracking as well, but CRIU says so by itself. */
	request->need.mem_track = opts->pre_dump;
	request->need.lazy_pages = opts->lazy_pages;
	if (opts->lazy_pages && opts->status_fd.set && opts->status_fd.v >= 0 &&
	    version < CRIU_VERSION_PID_NS) {
		CRIU_SET(request->message->opts, status_fd, (int)opts->status_fd.v);
		request->status_fd_is_passed = true;
	}
}

int checkpoint_request_make(struct checkpoint_request *ret, const struct checkpoint_options *opts,
			    const struct runtime_spec *spec, const struct checkpoint_facts *facts,
			    struct err *err)
{
	auto_checkpoint_request struct checkpoint_request request = CHECKPOINT_REQUEST_INIT;
	CriuOpts *o;
	int r = checkpoint_options_check(opts, err);

	if (r == 0)
		r = require_version(facts->criu_version, CRIU_VERSION_MIN, err);
	if (r == 0)
		r = require_external_ns(facts->criu_version, "checkpointing", err);
	if (r == 0)
		r = require_restorable_userns(spec, opts, facts, err);
	if (r < 0)
		return r;
	request.message = criu_message_new(
		opts->pre_dump ? CRIU_REQ_TYPE__PRE_DUMP : CRIU_REQ_TYPE__DUMP, true);
	o = request.message->opts;
	set_dump_options(o, opts, facts);
	set_config_file(o, spec, facts->config_file);
	r = add_external_ns(o, spec, NAMESPACE_NETWORK, facts->network_ns_inode, err);
	if (r == 0)
		r = add_external_ns(o, spec, NAMESPACE_PID, facts->pid_ns_inode, err);
	if (r == 0)
		r = set_network_lock(o, opts->network_lock, facts->criu_version, err);
	if (r == 0)
		r = set_page_server(o, opts->page_server, err);
	if (r < 0)
		return r;
	set_needs(&request, opts, facts->criu_version);
	/* A pre-dump takes the memory only; mounts do not matter to it. */
	if (!opts->pre_dump)
		externals_add_to_dump(facts->externals, o);
	*ret = request;
	request = (struct checkpoint_request)CHECKPOINT_REQUEST_INIT;
	return 0;
}

size_t restore_namespaces(const struct runtime_spec *spec,
			  struct restore_namespace ret[RESTORE_NAMESPACES_MAX])
{
	const struct oci_linux *l = spec->linux_;
	size_t n = 0;

	for (size_t i = 0; l && i < l->n_namespaces && n < RESTORE_NAMESPACES_MAX; i++) {
		int kind = namespace_kind_from_type(l->namespaces[i].type);

		if ((kind == NAMESPACE_NETWORK || kind == NAMESPACE_PID) &&
		    !str_is_empty(l->namespaces[i].path))
			ret[n++] = (struct restore_namespace){
				.path = l->namespaces[i].path,
				.key = external_key((enum namespace_kind)kind),
			};
	}
	return n;
}

static int add_namespaces(CriuOpts *o, const struct runtime_spec *spec, struct err *err)
{
	struct restore_namespace inherited[RESTORE_NAMESPACES_MAX];
	size_t n = restore_namespaces(spec, inherited);
	const struct oci_linux *l = spec->linux_;

	for (size_t i = 0; i < n; i++)
		criu_opts_add_inherit_fd(o, inherited[i].key, CRIU_FIRST_EXTRA_FD + (int)i);
	for (size_t i = 0; l && i < l->n_namespaces; i++) {
		const struct oci_namespace *ns = &l->namespaces[i];
		int kind = namespace_kind_from_type(ns->type);

		if (kind < 0 || kind == NAMESPACE_NETWORK || kind == NAMESPACE_PID ||
		    str_is_empty(ns->path))
			continue;
		if (kind == NAMESPACE_CGROUP)
			return err_set(
				err, ERR_UNSUPPORTED,
				"restore into the cgroup namespace '%s': CRIU cannot join cgroup "
				"namespaces; take its path out of linux.namespaces",
				ns->path);
		criu_opts_add_join_ns(o, namespace_kinds[kind].proc_name, ns->path);
	}
	return 0;
}

static int set_lsm(CriuOpts *o, const struct restore_options *opts, int version, struct err *err)
{
	/* Before 3.16 CRIU takes the option and restores the wrong profile. */
	if (opts->lsm_profile && version < CRIU_VERSION_LSM)
		return err_set(err, ERR_UNSUPPORTED,
			       "--lsm-profile requires at least CRIU 3.16, here is %d", version);
	if (opts->lsm_mount_context && version < CRIU_VERSION_LSM)
		return err_set(err, ERR_UNSUPPORTED,
			       "--lsm-mount-context requires at least CRIU 3.16, here is %d",
			       version);
	criu_opts_set_string(&o->lsm_profile, opts->lsm_profile);
	criu_opts_set_string(&o->lsm_mount_context, opts->lsm_mount_context);
	return 0;
}

static void set_restore_options(CriuOpts *o, const struct restore_options *opts,
				const struct restore_facts *facts)
{
	set_common(o, facts->images_dir_fd, facts->work_dir_fd, facts->log_level,
		   CHECKPOINT_RESTORE_LOG, facts->root);
	CRIU_SET(o, manage_cgroups_mode, cgroups_mode(opts->cgroups_mode));
	CRIU_SET(o, evasive_devices, true);
	CRIU_SET(o, rst_sibling, true);
	CRIU_SET(o, shell_job, opts->shell_job);
	CRIU_SET(o, ext_unix_sk, opts->ext_unix_sk);
	CRIU_SET(o, tcp_established, opts->tcp_established);
	if (opts->tcp_close)
		CRIU_SET(o, tcp_close, true);
	CRIU_SET(o, file_locks, opts->file_locks);
	CRIU_SET(o, auto_dedup, opts->auto_dedup);
	CRIU_SET(o, lazy_pages, opts->lazy_pages);
	criu_opts_set_string(&o->cgroup_yard, facts->cgroup_yard);
}

int restore_request_make(struct checkpoint_request *ret, const struct restore_options *opts,
			 const struct runtime_spec *spec, const struct restore_facts *facts,
			 struct err *err)
{
	auto_checkpoint_request struct checkpoint_request request = CHECKPOINT_REQUEST_INIT;
	CriuOpts *o;
	int r = restore_options_check(opts, err);

	if (r == 0)
		r = require_version(facts->criu_version, CRIU_VERSION_MIN, err);
	if (r == 0)
		r = require_external_ns(facts->criu_version, "restoration", err);
	if (r < 0)
		return r;
	request.message = criu_message_new(CRIU_REQ_TYPE__RESTORE, true);
	o = request.message->opts;
	set_restore_options(o, opts, facts);
	set_config_file(o, spec, facts->config_file);
	r = set_lsm(o, opts, facts->criu_version, err);
	if (r == 0)
		r = set_network_lock(o, opts->network_lock, facts->criu_version, err);
	if (r == 0)
		r = add_namespaces(o, spec, err);
	if (r < 0)
		return r;
	externals_add_to_restore(facts->externals, o);
	descriptors_add_to_restore(facts->descriptors, o);
	*ret = request;
	request = (struct checkpoint_request)CHECKPOINT_REQUEST_INIT;
	return 0;
}

void restore_request_add_cgroups(struct checkpoint_request *request,
				 const struct procfs_cgroups *cgroups)
{
	for (size_t i = 0; i < cgroups->n; i++) {
		auto_strvec struct strvec names = STRVEC_INIT;

		/* The v2 tree has one empty name; merged v1 hierarchies have several. */
		strvec_split(&names, cgroups->v[i].controllers, ',', true);
		for (size_t k = 0; k < names.n; k++)
			criu_opts_add_cgroup_root(request->message->opts, names.v[k],
						  cgroups->v[i].path);
	}
}
