/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/prepare.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/path.h"
#include "core/program.h"
#include "core/rooted.h"
#include "core/str.h"
#include "engine/apparmor.h"
#include "engine/cdi.h"
#include "engine/checkpoint_files.h"
#include "engine/container_network.h"
#include "engine/containers_conf.h"
#include "engine/facts.h"
#include "engine/generated_files.h"
#include "engine/hooks_dir.h"
#include "engine/mounts.h"
#include "engine/restore_spec.h"
#include "engine/seccomp_profile.h"
#include "engine/sdnotify.h"
#include "engine/users.h"
#include "engine/userns.h"

#define INIT_NAME "catatonit"

/* --- directories and shared memory ------------------------------------------------------------------ */

static int make_dirs(const struct container *c, struct err *err)
{
	auto_free char *persist = xasprintf("%s/persist/%s", c->engine->tmpdir, c->config.id);
	const char *const dirs[] = { c->static_dir, c->run_dir, persist };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		int r = fs_mkdir_all(AT_FDCWD, dirs[i], 0711, 0700);

		if (r < 0)
			return err_sys(err, r, "create directory '%s'", dirs[i]);
	}
	return 0;
}

/* Ours unless it is the host's, somebody else's or the runtime's own affair. */
char *container_shm_path(const struct container *c)
{
	const char *mode = c->config.ipc;

	if (mode && !str_eq(mode, "private") && !str_eq(mode, "shareable"))
		return NULL;
	return path_join(c->run_dir, "shm");
}

static int mount_shm(struct container *c, struct err *err)
{
	auto_free char *path = container_shm_path(c);
	auto_free char *data = NULL;
	uint32_t uid;
	uint32_t gid;

	if (!path)
		return 0;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(err, -errno, "create directory '%s'", path);
	if (userns_owner_outside(&c->config, 0, 0, &uid, &gid) < 0)
		return err_set(err, ERR_INVALID, "root of container '%s' is not mapped",
			       c->config.name);
	data = xasprintf("mode=1777,size=%lld,uid=%u,gid=%u", (long long)MAX(c->config.shm_size, 0),
			 uid, gid);
	if (mount("shm", path, "tmpfs", MS_NOEXEC | MS_NOSUID | MS_NODEV, data) < 0)
		return err_sys(err, -errno, "mount shared memory on '%s'", path);
	return 0;
}

/* --- facts ------------------------------------------------------------------------------------------ */

static int choose_hostname(struct container *c, struct spec_facts *f, struct err *err)
{
	auto_container struct container other = CONTAINER_INIT;
	const char *shared = facts_mode_container(c->config.uts);
	int r;

	if (!shared)
		shared = facts_mode_container(c->config.network);
	if (c->config.hostname) {
		f->hostname = xstrdup(c->config.hostname);
	} else if (str_eq(c->config.uts, "host")) {
		char name[65] = "localhost";

		(void)gethostname(name, sizeof(name) - 1);
		f->hostname = xstrdup(name);
	} else if (shared) {
		r = container_open(&other, c->engine, shared, err);
		if (r < 0)
			return r;
		f->hostname = other.config.hostname ? xstrdup(other.config.hostname) :
						      xstrndup(other.config.id, 12);
	} else {
		f->hostname = xstrndup(c->config.id, 12);
	}
	return 0;
}

static int find_init(struct container *c, struct spec_facts *f, struct err *err)
{
	static const char *const places[] = { "/usr/libexec/podman", "/usr/lib/podman",
					      "/usr/libexec", "/usr/bin", "/usr/local/bin" };
	const char *named = c->config.init_path ? c->config.init_path :
						  c->engine->conf->containers.init_path;

	if (!c->config.init)
		return 0;
	if (!str_is_empty(named)) {
		f->init_path = xstrdup(named);
		return access(f->init_path, X_OK) == 0 ?
			       0 :
			       err_sys(err, -errno, "init program '%s'", f->init_path);
	}
	f->init_path = engine_find_helper(c->engine, INIT_NAME);
	if (!f->init_path)
		f->init_path = program_in(places, ARRAY_SIZE(places), INIT_NAME);
	if (f->init_path)
		return 0;
	return err_set(err, ERR_NOT_FOUND,
		       "--init: no program catatonit on this machine; install the package "
		       "catatonit or name another with --init-path");
}

static int load_seccomp(struct container *c, struct spec_facts *f, struct err *err)
{
	uint64_t bounding = 0;
	uint64_t added = 0;
	int r;

	if (str_eq(c->config.seccomp, "unconfined") || (c->config.privileged && !c->config.seccomp))
		return 0;
	r = specgen_capabilities(&c->config, f->last_cap, &bounding, &added, err);
	return r < 0 ? r : seccomp_profile_load(c->config.seccomp, bounding, &f->seccomp, err);
}

/* Its namespace is the container's own, with other ids than ours. */
static int collect_userns(struct container *c, struct spec_facts *f, struct err *err)
{
	const char *const places[] = { c->static_dir, c->run_dir, f->rootfs };
	uint32_t gid;

	if (c->config.n_uid_maps == 0)
		return 0;
	f->own_userns = userns_is_own(&c->config);
	/* Either ours or one to join: not made by whoever makes the user namespace. */
	f->foreign_netns = str_eq(c->config.network, "host") || c->status.netns ||
			   facts_mode_container(c->config.network) ||
			   str_has_prefix(c->config.network, "ns:");
	f->no_tty_group = userns_outside(&c->config, true, 5, &gid) < 0;
	return userns_make_accessible(c->engine, places, ARRAY_SIZE(places), err);
}

/* What the configuration that it was frozen with does not say itself. */
static int collect_restore_facts(struct container *c, const struct rooted *root,
				 struct spec_facts *f, struct err *err)
{
	int r = container_users_lookup(c, root, false, c->config.user, &f->user, err);

	if (r == 0)
		r = facts_machine(c, f, err);
	if (r == 0)
		r = choose_hostname(c, f, err);
	if (r == 0)
		r = facts_namespaces(c, f, err);
	if (r == 0)
		r = mounts_prepare(c, root, f, err);
	if (r == 0)
		r = collect_userns(c, f, err);
	if (r == 0)
		r = find_init(c, f, err);
	return r;
}

static int collect_facts(struct container *c, const struct rooted *root, struct spec_facts *f,
			 struct err *err)
{
	int r = collect_restore_facts(c, root, f, err);

	if (r == 0)
		r = facts_devices(c, f, err);
	if (r == 0)
		r = collect_userns(c, f, err);
	if (r == 0)
		r = load_seccomp(c, f, err);
	if (r == 0)
		r = apparmor_choose(&c->config, &f->apparmor_profile, err);
	if (r == 0)
		f->systemd_mode = facts_systemd_mode(&c->config);
	return r;
}

/* conmon makes its socket there, which is mounted into the container. */
static int make_notify_dir(struct container *c, struct spec_facts *f, struct err *err)
{
	auto_free char *dir = path_join(c->static_dir, "notify");

	if (!sdnotify_proxied(&c->config))
		return 0;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return err_sys(err, -errno, "create directory '%s'", dir);
	f->notify_dir = take_ptr(dir);
	return 0;
}

/* Something else than the root file system may have it. */
static bool is_on_mount(const struct container_config *c, const char *dir)
{
	auto_free char *path = path_clean(dir);
	static const char *const ours[] = { "/dev", "/proc", "/sys", "/run" };

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (path_is_below(path, ours[i]))
			return true;
	for (size_t i = 0; i < c->n_mounts; i++)
		if (path_is_below(path, c->mounts[i].destination) ||
		    path_is_below(c->mounts[i].destination, path))
			return true;
	return false;
}

/* A directory and those on the way to it that are missing, each owned by root of the container. */
static int make_directories(const struct container *c, const struct rooted *root, const char *path,
			    struct err *err)
{
	auto_free char *clean = path_clean(path);
	size_t len = 0;

	while (clean[len]) {
		auto_free char *part = NULL;
		auto_close int fd = -EBADF;
		bool is_missing;

		len += strspn(clean + len, "/");
		len += strcspn(clean + len, "/");
		part = xstrndup(clean, len);
		fd = rooted_openat(root, part, O_PATH | O_DIRECTORY);
		is_missing = fd == -ENOENT;
		if (is_missing)
			fd = rooted_mkdir_all(root, part, 0755);
		if (fd < 0)
			return err_sys(err, fd, "make working directory '%s'", part);
		if (is_missing && userns_own_by_root(&c->config, fd) < 0)
			log_debug("the working directory '%s' stays nobody's", part);
	}
	return 0;
}

/* The working directory of the image is made where it is missing, the user's must be there. */
static int make_workdir(const struct container *c, const struct rooted *root, struct err *err)
{
	auto_close int fd = -EBADF;

	if (str_is_empty(c->config.workdir))
		return 0;
	fd = rooted_openat(root, c->config.workdir, O_PATH | O_DIRECTORY);
	if (fd >= 0)
		return 0;
	if (c->config.workdir_must_exist && !is_on_mount(&c->config, c->config.workdir))
		return err_set(err, ERR_COMMAND,
			       fd == -ENOTDIR ? "workdir \"%s\" exists on container %s, but is not "
						"a directory" :
						"workdir \"%s\" does not exist on container %s",
			       c->config.workdir, c->config.id);
	if (c->config.workdir_must_exist)
		return 0;
	if (c->config.read_only)
		return 0;
	return make_directories(c, root, c->config.workdir, err);
}

/*
 * mount(8) and df(1) of older systems read it, and few images have it. Not in a directory of the user's.
 * Best effort: nothing but these programs misses it.
 */
static void make_mtab(const struct container *c, const struct rooted *root)
{
	auto_close int etc_fd = -EBADF;
	auto_close int fd = -EBADF;

	if (c->config.rootfs && !c->config.rootfs_overlay)
		return;
	etc_fd = rooted_openat(root, "/etc", O_PATH | O_DIRECTORY);
	if (etc_fd < 0 || symlinkat("/proc/mounts", etc_fd, "mtab") < 0)
		return;
	fd = fd_open_at(etc_fd, "mtab", O_PATH | O_NOFOLLOW, 0);
	if (fd < 0 || userns_own_by_root(&c->config, fd) < 0)
		log_debug("/etc/mtab of container '%s' stays nobody's", c->config.name);
}

static int write_bundle(struct container *c, const struct runtime_spec *spec,
			const struct spec_facts *f, struct err *err)
{
	auto_free char *text = runtime_spec_to_json(spec, JSON_COMPACT);
	auto_free char *path = path_join(c->static_dir, "config.json");
	auto_close int fd = -EBADF;
	int r;

	replace_ptr(c->status.cgroup, xstrdup(spec->linux_->cgroups_path));
	r = hooks_dir_precreate(f, &text, err);
	if (r < 0)
		return r;
	fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	r = fd < 0 ? fd : io_write_all(fd, text, strlen(text));
	return r < 0 ? err_sys(err, r, "write '%s'", path) : 0;
}

static int inject_devices(const struct container *c, struct runtime_spec *spec, struct err *err)
{
	auto_strvec struct strvec dirs = STRVEC_INIT;

	cdi_directories(&dirs, c->engine);
	return cdi_inject(&dirs, c->config.cdi_devices, c->config.n_cdi_devices, spec, err);
}

static int write_spec(struct container *c, struct spec_facts *f, struct err *err)
{
	struct runtime_spec spec;
	int r = specgen(&spec, &c->config, f, err);

	if (r < 0)
		return r;
	r = inject_devices(c, &spec, err);
	if (r == 0)
		r = write_bundle(c, &spec, f, err);
	runtime_spec_done(&spec);
	return r;
}

static int prepare_storage(struct container *c, struct spec_facts *f, struct rooted *root,
			   struct err *err)
{
	int r = container_mount_rootfs(c, &f->rootfs, err);

	if (r < 0)
		return r;
	r = rooted_open(root, AT_FDCWD, f->rootfs);
	if (r < 0)
		return err_sys(err, r, "open root file system '%s'", f->rootfs);
	return mount_shm(c, err);
}

/* Both at the same time. Where both fail, the storage's error is returned and the network's logged. */
static int prepare_storage_and_network(struct container *c, struct spec_facts *f,
				       struct rooted *root, struct err *err)
{
	struct network_job job = NETWORK_JOB_INIT;
	struct err network_err = ERR_INIT;
	int r = container_network_is_late(c) ? 0 : container_network_begin(c, &job, 0, err);
	int r2;

	if (r < 0)
		return r;
	r = prepare_storage(c, f, root, err);
	r2 = container_network_finish(c, &job, &network_err);
	if (r < 0 && r2 < 0)
		log_warning("%s", network_err.msg);
	if (r < 0 || r2 == 0)
		return r;
	if (err)
		*err = network_err;
	return r2;
}

int container_prepare(struct container *c, struct err *err)
{
	auto_spec_facts struct spec_facts f = { 0 };
	auto_rooted struct rooted root = ROOTED_INIT;
	int r = make_dirs(c, err);

	/* Its checkpoint is not gone on with. */
	if (r == 0 && c->status.checkpointed)
		r = mounts_remove_overlays(c, err);
	if (r == 0)
		r = prepare_storage_and_network(c, &f, &root, err);
	if (r == 0)
		r = make_workdir(c, &root, err);
	if (r == 0)
		make_mtab(c, &root);
	if (r == 0)
		r = collect_facts(c, &root, &f, err);
	if (r == 0)
		r = generated_files_write(c, &f, &root, err);
	if (r == 0)
		r = make_notify_dir(c, &f, err);
	if (r == 0)
		r = hooks_dir_load(c->engine, &c->config, &f, err);
	return r < 0 ? r : write_spec(c, &f, err);
}

int container_fill_volumes(struct container *c, struct err *err)
{
	auto_spec_facts struct spec_facts f = { 0 };
	auto_rooted struct rooted root = ROOTED_INIT;
	struct err unmount = ERR_INIT;
	int r = container_mount_rootfs(c, &f.rootfs, err);

	if (r < 0)
		return r;
	r = rooted_open(&root, AT_FDCWD, f.rootfs);
	if (r < 0)
		r = err_sys(err, r, "open root file system '%s'", f.rootfs);
	if (r == 0)
		r = container_users_lookup(c, &root, false, c->config.user, &f.user, err);
	if (r == 0)
		r = mounts_fill_volumes(c, &root, &f.user, err);
	rooted_close(&root);
	if (container_unmount_rootfs(c, &unmount) < 0)
		log_warning("%s", unmount.msg);
	return r;
}

int container_prepare_late_network(struct container *c, struct err *err)
{
	auto_spec_facts struct spec_facts f = { 0 };
	auto_rooted struct rooted root = ROOTED_INIT;
	struct network_job job = NETWORK_JOB_INIT;
	int r;

	if (!container_network_is_late(c))
		return 0;
	r = container_network_begin(c, &job, c->status.pid, err);
	if (r == 0)
		r = container_network_finish(c, &job, err);
	if (r == 0)
		r = choose_hostname(c, &f, err);
	if (r < 0)
		return r;
	r = rooted_open(&root, AT_FDCWD, c->status.mount_point);
	if (r < 0)
		return err_sys(err, r, "open root file system '%s'", c->status.mount_point);
	return generated_files_write_network(c, &f, &root, err);
}

int container_prepare_restored(struct container *c, const struct prepare_restore *how,
			       struct err *err)
{
	auto_spec_facts struct spec_facts f = { .restored = true };
	auto_rooted struct rooted root = ROOTED_INIT;
	int r = make_dirs(c, err);

	if (r == 0)
		r = prepare_storage_and_network(c, &f, &root, err);
	if (r == 0 && how->fill)
		r = how->fill(how->context, c, &root, err);
	if (r == 0)
		r = checkpoint_share_images(c, err);
	if (r == 0)
		r = collect_restore_facts(c, &root, &f, err);
	if (r == 0)
		r = generated_files_write(c, &f, &root, err);
	if (r == 0)
		r = hooks_dir_load(c->engine, &c->config, &f, err);
	if (r == 0)
		r = restore_spec_adapt(how->spec, &c->config, &f, err);
	if (r == 0)
		r = apparmor_prepare_restore(how->spec->process->apparmor_profile, err);
	return r < 0 ? r : write_bundle(c, how->spec, &f, err);
}
