/* SPDX-License-Identifier: Apache-2.0 */
/* The stages that creating and restoring a container share. */
#include "runtime/launch.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/lock.h"
#include "core/log.h"
#include "core/path.h"
#include "core/str.h"
#include "kernel/cgroupfs.h"
#include "kernel/procfs.h"
#include "kernel/syscalls.h"
#include "runtime/container_hooks.h"
#include "runtime/annotations.h"
#include "runtime/delete.h"
#include "runtime/init/parent.h"
#include "runtime/terminal.h"

static const struct runtime_spec *spec_of(const struct launch *l)
{
	return &l->bundle.spec;
}

int launch_load(void *context, struct err *err)
{
	struct launch *l = context;
	int r = container_id_check(l->opts->id, err);

	l->is_rootless = runtime_is_rootless(l->rt);
	/* Before anything changes the current directory's meaning. */
	if (r == 0 && l->opts->pid_file) {
		l->pid_file = path_absolute(l->opts->pid_file, NULL);
		if (!l->pid_file)
			r = err_sys(err, -errno, "find the current directory");
	}
	return r < 0 ? r : bundle_load(&l->bundle, l->opts->bundle, l->opts->config, err);
}

/* ---- state directory ---- */

static int write_stored_config(struct launch *l, struct err *err)
{
	/* notify may have added to the spec; otherwise the document is kept as it came. */
	auto_free char *changed =
		l->notify.host_path ? runtime_spec_to_json(spec_of(l), JSON_COMPACT) : NULL;
	const char *text = changed ? changed : l->bundle.config_text;
	size_t len = changed ? strlen(changed) : l->bundle.config_len;
	auto_close int fd =
		fd_open_at(l->container.dir_fd, "config.json", O_WRONLY | O_CREAT | O_EXCL, 0600);
	int r = fd < 0 ? fd : io_write_all(fd, text, len);

	return r < 0 ? err_sys(err, r, "store the configuration of container '%s'", l->opts->id) :
		       0;
}

static int make_fifo(struct launch *l, struct err *err)
{
	if (l->start_now)
		return 0;
	/* Written to by init as the container's user, who need not own it. */
	if (mkfifoat(l->container.dir_fd, "exec.fifo", 0600) < 0 ||
	    fchmodat(l->container.dir_fd, "exec.fifo", 0622, 0) < 0)
		return err_sys(err, -errno, "make exec.fifo of container '%s'", l->opts->id);
	return 0;
}

static void fill_record(struct launch *l)
{
	struct container_record *record = &l->container.record;
	char now[CLOCK_TEXT_MAX];

	clock_format_utc(clock_now_realtime_ns(), -1, now);
	record->version = xstrdup("1");
	record->id = xstrdup(l->opts->id);
	record->created = xstrdup(now);
	record->bundle = xstrdup(l->bundle.path);
	record->rootfs = xstrdup(l->bundle.rootfs);
	record->owner = geteuid();
	record->cgroup_driver = (int)l->rt->cgroup_driver + 1;
	record->rootless = l->is_rootless;
	json_string_map_set_all(&record->annotations, &spec_of(l)->annotations);
}

int launch_reserve_directory(void *context, struct err *err)
{
	struct launch *l = context;
	struct container *c = &l->container;
	auto_free char *path = path_join(l->rt->root, l->opts->id);
	int r;

	c->rt = l->rt;
	c->id = xstrdup(l->opts->id);
	c->spec = &l->bundle.spec;
	if (mkdirat(l->rt->root_fd, l->opts->id, 0711) < 0) {
		if (errno == EEXIST)
			return err_set(err, ERR_EXISTS,
				       "container with given ID already exists: '%s'", l->opts->id);
		return err_sys(err, -errno, "make state directory '%s'", path);
	}
	l->directory_is_ours = true;
	c->dir_fd = fd_open_at(l->rt->root_fd, l->opts->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (c->dir_fd < 0)
		return err_sys(err, c->dir_fd, "open state directory '%s'", path);
	c->lock_fd = lock_open(c->dir_fd, "lock", LOCK_MODE_EXCLUSIVE, 0);
	if (c->lock_fd < 0)
		return err_sys(err, c->lock_fd, "lock container '%s'", l->opts->id);
	fill_record(l);
	r = notify_prepare(&l->notify, &l->bundle.spec, &l->env, path, err);
	if (r == 0)
		r = write_stored_config(l, err);
	if (r == 0)
		r = make_fifo(l, err);
	if (r == 0 && symlinkat("state.json", c->dir_fd, "status") < 0)
		r = err_sys(err, -errno, "make the link 'status' in '%s'", path);
	return r < 0 ? r : notify_listen(&l->notify, err);
}

void launch_release_directory(void *context)
{
	struct launch *l = context;
	struct err err = ERR_INIT;

	if (!l->directory_is_ours)
		return;
	if (container_remove_directory(l->rt, l->opts->id, l->container.dir_fd, &err) < 0)
		log_warning("%s; 'floe-runtime delete --force %s' tries again", err.msg,
			    l->opts->id);
	/* The life cycle's last step, also of a life that ended in the middle of its beginning. */
	if (l->had_hooks)
		container_run_poststop(&l->container);
}

/* ---- cgroup and mounts ---- */

int launch_open_cgroup(void *context, struct err *err)
{
	struct launch *l = context;
	struct cgroup_opts opts = {
		.driver = l->rt->cgroup_driver,
		.cgroups_path = spec_of(l)->linux_->cgroups_path,
		.id = l->opts->id,
		.rootless = l->is_rootless,
		.resources = spec_of(l)->linux_->resources,
		.annotations = &spec_of(l)->annotations,
	};
	int r = cgroup_open(&l->cgroup, &opts, err);

	/* Only what the clone needs; the other hierarchies follow while the child is at work. */
	return r < 0 ? r : cgroup_create_unified(&l->cgroup, err);
}

void launch_remove_cgroup(void *context)
{
	struct launch *l = context;

	cgroup_undo_create(&l->cgroup);
}

static void add_hierarchy(struct launch *l, const char *mount_point, const char *options,
			  const char *own_dir, bool unified)
{
	if (unified) {
		l->cgroup_facts.v2_mount_point = mount_point;
		l->cgroup_facts.v2_own_dir = own_dir;
		return;
	}
	l->cgroup_v1[l->cgroup_facts.n_v1++] = (struct mount_cgroup_hierarchy){
		.mount_point = mount_point,
		.options = options,
		.own_dir = own_dir,
	};
}

static const char *keep(struct launch *l, char *text)
{
	strvec_add_take(&l->cgroup_texts, text);
	return text;
}

/* The hierarchies as the mount module wants them. The v2 tree of a hybrid host is not mounted. */
static void fill_cgroup_facts(struct launch *l)
{
	for (size_t i = 0; i < l->cgroup.n_nodes; i++) {
		const struct cgroup_node *node = &l->cgroup.node[i];

		if (node->absent || node->mount_len == 0 || (node->unified && !l->cgroup.is_v2))
			continue;
		add_hierarchy(l, keep(l, xstrndup(node->path, node->mount_len)), node->controllers,
			      node->path, node->unified);
	}
	l->cgroup_facts.v1 = l->cgroup_v1;
}

/* Whether a directory at this path can be made by us: the nearest one above that is there decides. */
static bool can_make_below(const char *path)
{
	auto_free char *above = path_dirname(path);

	while (access(above, F_OK) < 0 && strcmp(above, "/") != 0)
		replace_ptr(above, path_dirname(above));
	return access(above, W_OK) == 0;
}

/* Not with --cgroup-manager disabled, and not where a rootless caller may make none. */
static bool will_have_cgroup(const struct launch *l)
{
	if (l->cgroup.n_nodes == 0)
		return false;
	for (size_t i = 0; l->cgroup.tolerate_denied && i < l->cgroup.n_nodes; i++)
		if (!can_make_below(l->cgroup.node[i].path))
			return false;
	return true;
}

/* Without a cgroup of its own the container is in ours, and that is what it may see. */
static int fill_own_cgroup_facts(struct launch *l, struct err *err)
{
	auto_cgroupfs struct cgroupfs fs = CGROUPFS_INIT;
	auto_procfs struct procfs proc = PROCFS_INIT;
	auto_procfs_cgroups struct procfs_cgroups own = PROCFS_CGROUPS_INIT;
	int r = cgroupfs_open(&fs, NULL);

	if (r == 0)
		r = procfs_open(&proc, NULL);
	if (r == 0)
		r = procfs_read_cgroups(&proc, 0, &own);
	if (r < 0)
		return err_sys(err, r, "find the runtime's own cgroup");
	for (size_t i = 0; i < fs.n && i < CGROUP_HIERARCHIES_MAX; i++) {
		struct cgroupfs_hierarchy *h = &fs.v[i];
		auto_free char *path = NULL;

		if (h->unified && fs.mode != CGROUPFS_V2)
			continue;
		path = cgroupfs_own_path(&fs, h, &own);
		if (path)
			add_hierarchy(l, keep(l, xstrdup(h->mount_point)),
				      keep(l, xstrdup(h->controllers)),
				      keep(l, path_join(h->mount_point, path)), h->unified);
	}
	l->cgroup_facts.v1 = l->cgroup_v1;
	return 0;
}

int launch_plan_mounts(void *context, struct err *err)
{
	struct launch *l = context;
	struct mount_facts facts;
	int r;

	if (!will_have_cgroup(l)) {
		r = fill_own_cgroup_facts(l, err);
		if (r < 0)
			return r;
	} else {
		fill_cgroup_facts(l);
	}
	mount_facts_init(&facts, spec_of(l), l->bundle.path);
	facts.is_rootless = l->is_rootless;
	facts.cgroup_mode = l->cgroup_facts.v2_mount_point ? MOUNT_CGROUP_V2 :
			    l->cgroup_facts.n_v1	   ? MOUNT_CGROUP_V1 :
							     MOUNT_CGROUP_NONE;
	r = mount_plan_make(&l->mounts, spec_of(l), &facts, err);
	return r < 0 ? r : device_plan_make(&l->devices, spec_of(l), &l->mounts, err);
}

static int send_pidfd_to(const struct launch *l, const char *path, const char *text,
			 struct err *err)
{
	auto_close int socket_fd = -EBADF;
	auto_close int pidfd = -EBADF;

	if (str_is_empty(path))
		return 0;
	pidfd = sys_pidfd_open(l->init_pid);
	if (pidfd < 0)
		return err_sys(err, pidfd, "open a pidfd of the container's init (Linux 5.3)");
	socket_fd = terminal_connect_socket(path, err);
	return socket_fd < 0 ? socket_fd : terminal_send_fd(socket_fd, pidfd, text, err);
}

/* To whom an option names, and for init also to whom crun's annotation names. */
static int send_pidfd(const struct launch *l, const char *text, struct err *err)
{
	int r = send_pidfd_to(l, l->opts->pidfd_socket, text, err);

	if (r < 0 || !l->directory_is_ours)
		return r;
	return send_pidfd_to(l, runtime_spec_annotation(spec_of(l), ANNOTATION_PIDFD_RECEIVER),
			     text, err);
}

int launch_write_pid_file(const struct launch *l, const char *kind, struct err *err)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", l->init_pid);
	int r = send_pidfd(l, kind, err);

	if (r < 0 || !l->pid_file)
		return r;
	r = fs_write_output(l->pid_file, text, (size_t)n, 0644);
	return r < 0 ? err_sys(err, r, "write pid file '%s'", l->pid_file) : 0;
}

static int complete_record(struct launch *l, struct err *err)
{
	auto_procfs struct procfs proc = PROCFS_INIT;
	struct procfs_stat stat;
	int r = procfs_open(&proc, NULL);

	if (r == 0)
		r = procfs_read_stat(&proc, l->init_pid, &stat);
	if (r < 0)
		return err_sys(err, r, "read the start time of the container's init");
	l->container.record.pid_start_time = stat.start_time;
	container_record_descriptors(&l->container, l->init_pid);
	return 0;
}

int launch_prepare_record(void *context, struct err *err)
{
	struct launch *l = context;
	int r;

	/* Init's streams become the terminal only when it has one. */
	if (spec_of(l)->process->terminal)
		return 0;
	r = complete_record(l, err);
	if (r == 0)
		r = container_prepare_record(&l->container, err);
	if (r < 0)
		return parent_explain(l, r, err);
	l->record_is_prepared = true;
	return l->starts_ahead ? parent_send(l, HANDSHAKE_START_NOW, NULL, 0, err) : 0;
}

int launch_save(void *context, struct err *err)
{
	struct launch *l = context;
	int r;

	if (l->starts_ahead)
		return 0; /* init has */
	if (l->record_is_prepared) {
		r = container_publish_record(&l->container, err);
	} else {
		r = complete_record(l, err);
		if (r == 0)
			r = container_save_record(&l->container, err);
	}
	return r < 0 ? r : launch_write_pid_file(l, "standard", err);
}

void launch_forget_pid_file(void *context)
{
	const struct launch *l = context;

	if (l->pid_file)
		fs_remove_output(l->pid_file);
}

void launch_done(struct launch *l)
{
	if (l->container.spec == &l->bundle.spec)
		l->container.spec = NULL; /* borrowed */
	container_close(&l->container);
	bundle_done(&l->bundle);
	free(l->pid_file);
	network_maker_done(&l->network);
	namespace_plan_done(&l->namespaces);
	device_close_host_nodes(&l->devices, l->device_fds);
	device_plan_done(&l->devices);
	seccomp_filter_done(&l->seccomp);
	strvec_done(&l->env);
	strvec_done(&l->cgroup_texts);
	for (size_t i = 0; l->source_fds && i < l->mounts.n_sources; i++)
		close_fd(&l->source_fds[i]);
	free(l->source_fds);
	mount_plan_done(&l->mounts);
	cgroup_close(&l->cgroup);
	notify_close(&l->notify);
	hooks_output_close(&l->hooks_output);
	resctrl_plan_done(&l->resctrl);
	close_fd(&l->root_fd);
	close_fd(&l->wait_fifo_fd);
	close_fd(&l->console_socket_fd);
	close_fd(&l->console_fd);
	close_fd(&l->console_pair_fd);
	close_fd(&l->sync_fd);
	close_fd(&l->child_sync_fd);
}
