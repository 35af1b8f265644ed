/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/container.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/lock.h"
#include "core/str.h"
#include "core/strvec.h"
#include "kernel/procfs.h"
#include "kernel/syscalls.h"
#include "runtime/cgroup/backend.h"
#include "runtime/checkpoint/descriptors.h"
#include "spec/runtime_state.h"

#define LOCK_TIMEOUT_MS 30000
#define PREPARED_RECORD "state.json.new"

static const struct json_enum_name driver_names[] = {
	{ "cgroupfs", CGROUP_DRIVER_CGROUPFS + 1 },
	{ "systemd", CGROUP_DRIVER_SYSTEMD + 1 },
	{ "disabled", CGROUP_DRIVER_DISABLED + 1 },
	{ NULL, 0 },
};

#define T struct container_record
JSON_DESC_STATIC(container_record_desc, T, F_STRING(T, version, "version", JSON_REQUIRED),
		 F_STRING(T, id, "id", JSON_REQUIRED), F_INT(T, pid, "pid", JSON_ALWAYS),
		 F_U64(T, pid_start_time, "pidStartTime", JSON_ALWAYS),
		 F_STRING(T, created, "created", JSON_REQUIRED),
		 F_STRING(T, bundle, "bundle", JSON_REQUIRED),
		 F_STRING(T, rootfs, "rootfs", JSON_REQUIRED),
		 F_U32(T, owner, "owner", JSON_ALWAYS),
		 F_ENUM(T, cgroup_driver, "cgroupDriver", JSON_REQUIRED, driver_names),
		 F_STRING_MAP(T, cgroup_paths, "cgroupPaths", 0),
		 F_BOOL(T, rootless, "rootless", 0), F_STRING_MAP(T, annotations, "annotations", 0),
		 F_BOOL(T, has_time_namespace, "hasTimeNamespace", 0),
		 F_STRING(T, external_descriptors, "external_descriptors", 0),
		 F_STRING(T, intel_rdt_path, "intelRdtPath", 0), F_EXTRA(T, extra));
#undef T

static const char *const status_names[] = {
	[CONTAINER_CREATING] = "creating", [CONTAINER_CREATED] = "created",
	[CONTAINER_RUNNING] = "running",   [CONTAINER_PAUSED] = "paused",
	[CONTAINER_STOPPED] = "stopped",
};

const char *container_status_to_string(enum container_status status)
{
	return status_names[status];
}

int container_id_check(const char *id, struct err *err)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
		"_+.-";
	size_t len = strlen(id);
	const char *bad = id + strspn(id, allowed);
	int n_bad = 1;

	if (len == 0)
		return err_set(err, ERR_INVALID, "invalid container ID format: it is empty");
	if (len > NAME_MAX)
		return err_set(err, ERR_INVALID,
			       "invalid container ID format: longer than %d characters", NAME_MAX);
	if (*bad) {
		while ((bad[n_bad] & 0xc0) == 0x80) /* the rest of a character of UTF-8 */
			n_bad++;
		return err_set(err, ERR_INVALID,
			       "invalid container ID format: '%s': invalid character `%.*s` in the "
			       "ID; use letters, digits and _ + . -",
			       id, n_bad, bad);
	}
	/* .cache is the runtime's own directory in the state root. */
	if (strcmp(id, ".") == 0 || strcmp(id, "..") == 0 || strcmp(id, ".cache") == 0)
		return err_set(err, ERR_INVALID,
			       "invalid container ID format: '%s' has a meaning of its own", id);
	return 0;
}

static int read_record(struct container *c, struct err *err)
{
	struct container_record record = { 0 };
	int r = json_decode_file(&container_record_desc, &record, c->dir_fd, "state.json", err);

	if (r < 0)
		return r;
	if (!str_eq(record.id, c->id)) {
		r = err_set(err, ERR_CORRUPT, "container '%s': its state.json is that of '%s'",
			    c->id, record.id);
		json_done(&container_record_desc, &record);
		return r;
	}
	json_done(&container_record_desc, &c->record);
	c->record = record;
	return 0;
}

int container_open(struct container *ret, const struct runtime *rt, const char *id,
		   bool allow_incomplete, struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	int r = container_id_check(id, err);

	if (r < 0)
		return r;
	if (rt->root_fd < 0)
		return err_set(err, ERR_NOT_FOUND, "container '%s' does not exist", id);
	c.rt = rt;
	c.id = xstrdup(id);
	c.dir_fd = fd_open_at(rt->root_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (c.dir_fd == -ENOENT)
		return err_set(err, ERR_NOT_FOUND, "container '%s' does not exist", id);
	if (c.dir_fd < 0)
		return err_sys(err, c.dir_fd, "open state of container '%s' below '%s'", id,
			       rt->root);
	if (fs_exists(c.dir_fd, "state.json"))
		r = read_record(&c, err);
	else if (!allow_incomplete)
		r = err_set(err, ERR_STATE,
			    "container '%s' is being created, or its creation was interrupted; "
			    "'delete --force %s' removes what is left",
			    id, id);
	if (r < 0)
		return r;
	*ret = c;
	c = (struct container)CONTAINER_INIT;
	return 0;
}

int container_lock(struct container *c, struct err *err)
{
	int fd = lock_open(c->dir_fd, "lock", LOCK_MODE_EXCLUSIVE, LOCK_TIMEOUT_MS);

	if (fd == -ETIMEDOUT)
		return err_set(err, ERR_TIMEOUT,
			       "container '%s' is locked by another operation for more than %d s",
			       c->id, LOCK_TIMEOUT_MS / 1000);
	/* Nothing can be made in a directory that was removed. */
	if (fd == -ENOENT)
		return err_set(err, ERR_NOT_FOUND, "container '%s' does not exist", c->id);
	if (fd < 0)
		return err_sys(err, fd, "lock container '%s'", c->id);
	c->lock_fd = fd;
	/* Who held the lock may have changed the record, or removed the container. */
	if (c->record.id && !fs_exists(c->dir_fd, "state.json"))
		return err_set(err, ERR_NOT_FOUND, "container '%s' does not exist", c->id);
	return c->record.id ? read_record(c, err) : 0;
}

void container_unlock(struct container *c)
{
	close_fd(&c->lock_fd);
}

int container_save_spec(const struct container *c, struct err *err)
{
	auto_free char *text = runtime_spec_to_json(c->spec, JSON_COMPACT);
	int r = fs_write_atomic(c->dir_fd, "config.json", text, strlen(text), 0600, FS_VOLATILE);

	return r < 0 ? err_sys(err, r, "store configuration of container '%s'", c->id) : 0;
}

int container_load_spec(struct container *c, struct err *err)
{
	auto_free struct runtime_spec *spec = xcalloc(1, sizeof(*spec));
	int r = runtime_spec_load(spec, c->dir_fd, "config.json", err);

	if (r < 0)
		return err_wrap(err, r, "stored configuration of container '%s'", c->id);
	c->spec = take_ptr(spec);
	return 0;
}

void container_close(struct container *c)
{
	if (c->spec) {
		runtime_spec_done(c->spec);
		free(c->spec);
	}
	json_done(&container_record_desc, &c->record);
	container_unlock(c);
	close_fd(&c->dir_fd);
	free(c->id);
	*c = (struct container)CONTAINER_INIT;
}

int container_save_record(struct container *c, struct err *err)
{
	auto_free char *text = json_encode(&container_record_desc, &c->record, JSON_COMPACT);
	/* Volatile: a reboot ends the container anyway, so there is nothing to sync for. */
	int r = fs_write_atomic(c->dir_fd, "state.json", text, strlen(text), 0600, FS_VOLATILE);

	return r < 0 ? err_sys(err, r, "write state of container '%s'", c->id) : 0;
}

int container_prepare_record(const struct container *c, struct err *err)
{
	auto_free char *text = json_encode(&container_record_desc, &c->record, JSON_COMPACT);
	auto_close int fd =
		fd_open_at(c->dir_fd, PREPARED_RECORD, O_WRONLY | O_CREAT | O_EXCL, 0600);
	int r = fd < 0 ? fd : io_write_all(fd, text, strlen(text));

	return r < 0 ? err_sys(err, r, "write state of container '%s'", c->id) : 0;
}

int container_publish_record(const struct container *c, struct err *err)
{
	if (renameat(c->dir_fd, PREPARED_RECORD, c->dir_fd, "state.json") < 0)
		return err_sys(err, -errno, "publish state of container '%s'", c->id);
	return 0;
}

bool container_init_is_alive(const struct container *c)
{
	struct procfs proc = PROCFS_INIT;
	bool alive;

	if (c->record.pid <= 0)
		return false;
	if (procfs_open(&proc, NULL) < 0)
		return kill(c->record.pid, 0) == 0;
	alive = procfs_process_is_alive(&proc, c->record.pid, c->record.pid_start_time);
	procfs_close(&proc);
	return alive;
}

static enum runtime_cgroup_driver driver_of(const struct container *c)
{
	/* In the record 0 means absent. */
	return (enum runtime_cgroup_driver)(c->record.cgroup_driver - 1);
}

int container_open_cgroup(const struct container *c, struct cgroup *ret, struct err *err)
{
	int r = cgroup_open_saved(ret, driver_of(c), &c->record.cgroup_paths, err);

	ret->rootless = c->record.rootless;
	return r < 0 ? err_wrap(err, r, "cgroup of container '%s'", c->id) : 0;
}

static bool is_frozen(const struct container *c)
{
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	bool frozen = false;

	if (cgroup_open_saved(&cg, driver_of(c), &c->record.cgroup_paths, NULL) < 0)
		return false;
	return cgroup_is_frozen(&cg, &frozen, NULL) == 0 && frozen;
}

enum container_status container_status(const struct container *c)
{
	if (!c->record.id)
		return CONTAINER_CREATING;
	if (!container_init_is_alive(c))
		return CONTAINER_STOPPED;
	/* A created container may be paused too. */
	if (is_frozen(c))
		return CONTAINER_PAUSED;
	return fs_exists(c->dir_fd, "exec.fifo") ? CONTAINER_CREATED : CONTAINER_RUNNING;
}

int container_require(const struct container *c, unsigned int allowed, const char *verb,
		      struct err *err)
{
	enum container_status status = container_status(c);

	if (allowed & (1U << status))
		return 0;
	return err_set(err, ERR_STATE, "cannot %s container '%s': it is %s", verb, c->id,
		       container_status_to_string(status));
}

void container_record_descriptors(struct container *c, pid_t pid)
{
	auto_descriptors struct descriptors d = DESCRIPTORS_INIT;

	for (int fd = 0; fd < DESCRIPTORS_COUNT; fd++) {
		auto_free char *link = xasprintf("/proc/%d/fd/%d", pid, fd);
		char target[PATH_MAX];
		ssize_t n = readlink(link, target, sizeof(target));

		/* A closed one is restored as the null device, as crun does. */
		d.v[fd] = n > 0 ? xstrndup(target, (size_t)n) : xstrdup("/dev/null");
	}
	free(c->record.external_descriptors);
	c->record.external_descriptors = descriptors_format(&d);
}

int container_signal_init(const struct container *c, int sig)
{
	auto_close int pidfd = -EBADF;

	if (c->record.pid <= 0)
		return -ESRCH;
	/* Open first, then check: from then on the descriptor cannot mean another process. */
	pidfd = sys_pidfd_open(c->record.pid);
	if (!container_init_is_alive(c))
		return -ESRCH;
	if (pidfd >= 0)
		return sys_pidfd_send_signal(pidfd, sig);
	/* compat: pidfd_open needs Linux 5.3. */
	return kill(c->record.pid, sig) < 0 ? -errno : 0;
}

void container_state_fill(const struct container *c, enum container_status status,
			  struct container_state *ret)
{
	*ret = (struct container_state){ 0 };
	ret->oci_version = xstrdup("1.3.0");
	ret->id = xstrdup(c->id);
	ret->status = xstrdup(container_status_to_string(status));
	ret->pid = status == CONTAINER_STOPPED ? 0 : c->record.pid;
	ret->bundle = xstrdup(c->record.bundle);
	ret->rootfs = xstrdup(c->record.rootfs);
	ret->created = xstrdup(c->record.created);
	ret->owner = xstrdup("");
	json_string_map_set_all(&ret->annotations, &c->record.annotations);
}

int container_list_ids(const struct runtime *rt, struct strvec *ret, struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r;

	if (rt->root_fd < 0)
		return 0;
	r = fs_list(rt->root_fd, ".", &names);
	if (r < 0)
		return err_sys(err, r, "list containers in '%s'", rt->root);
	for (size_t i = 0; i < names.n; i++) {
		struct stat st;

		if (container_id_check(names.v[i], NULL) == 0 &&
		    fstatat(rt->root_fd, names.v[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(st.st_mode))
			strvec_add(ret, names.v[i]);
	}
	return 0;
}
