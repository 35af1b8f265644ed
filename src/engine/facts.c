/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/facts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/volume.h"
#include "kernel/caps.h"
#include "kernel/procfs.h"

#define DEVICE_DEPTH_MAX 8

/* --- namespaces ------------------------------------------------------------------------------------- */

const char *facts_mode_container(const char *mode)
{
	return mode ? str_skip_prefix(mode, "container:") : NULL;
}

static void add_namespace(struct spec_facts *f, const char *type, char *path)
{
	*array_push(f->namespaces, f->n_namespaces) =
		(struct spec_namespace){ xstrdup(type), path };
}

static int join(struct container *c, const char *type, const char *file, const char *mode,
		struct spec_facts *f, struct err *err)
{
	auto_container struct container other = CONTAINER_INIT;
	const char *path = mode ? str_skip_prefix(mode, "ns:") : NULL;
	const char *id = facts_mode_container(mode);
	int r;

	if (path) {
		if (access(path, F_OK) < 0)
			return err_sys(err, -errno, "join %s namespace '%s'", type, path);
		add_namespace(f, type, xstrdup(path));
		return 0;
	}
	if (!id)
		return 0;
	r = container_open(&other, c->engine, id, err);
	if (r < 0)
		return err_wrap(err, r, "join %s namespace", type);
	if (!container_is_alive(&other) && other.status.phase != PHASE_INITIALIZED)
		return err_set(err, ERR_STATE,
			       "join %s namespace of container '%s': it is not running; start it "
			       "first",
			       type, other.config.name);
	add_namespace(f, type, xasprintf("/proc/%d/ns/%s", other.status.pid, file));
	return 0;
}

void facts_modes(const struct container_config *g, struct facts_mode ret[static FACTS_MODES])
{
	const struct facts_mode modes[FACTS_MODES] = {
		{ "pid", "pid", g->pid },
		{ "network", "net", g->network },
		{ "ipc", "ipc", g->ipc },
		{ "uts", "uts", g->uts },
		{ "cgroup", "cgroup", g->cgroupns },
		{ "user", "user", g->userns },
	};

	memcpy(ret, modes, sizeof(modes));
}

static bool is_same_namespace(int pid, int other, const char *file)
{
	auto_free char *path = xasprintf("/proc/%d/ns/%s", pid, file);
	auto_free char *other_path = xasprintf("/proc/%d/ns/%s", other, file);
	struct stat st;
	struct stat other_st;

	return stat(path, &st) == 0 && stat(other_path, &other_st) == 0 &&
	       fs_is_same_file(&st, &other_st);
}

int facts_check_joined(const struct container *c, struct err *err)
{
	struct facts_mode kinds[FACTS_MODES];

	facts_modes(&c->config, kinds);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		auto_container struct container other = CONTAINER_INIT;
		const char *id = facts_mode_container(kinds[i].mode);
		int r = id ? container_open(&other, c->engine, id, err) : 0;

		if (r < 0)
			return err_wrap(err, r, "find the %s namespace of container '%s'",
					kinds[i].type, c->config.name);
		if (id && !(container_is_alive(&other) &&
			    is_same_namespace(c->status.pid, other.status.pid, kinds[i].file)))
			return err_set(
				err, ERR_STATE,
				"container '%s' has a %s namespace that was container '%s's, "
				"which has ended meanwhile: start '%s' anew when that runs",
				c->config.name, kinds[i].type, other.config.name, c->config.name);
	}
	return 0;
}

int facts_namespaces(struct container *c, struct spec_facts *f, struct err *err)
{
	struct facts_mode kinds[FACTS_MODES];
	int r = 0;

	facts_modes(&c->config, kinds);
	if (c->status.netns)
		add_namespace(f, "network", xstrdup(c->status.netns));
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(kinds); i++)
		r = join(c, kinds[i].type, kinds[i].file, kinds[i].mode, f, err);
	return r;
}

/* --- devices ---------------------------------------------------------------------------------------- */

static void add_device(struct spec_facts *f, const char *path, const struct stat *st,
		       const char *access)
{
	*array_push(f->devices, f->n_devices) = (struct spec_device){
		.path = xstrdup(path),
		.type = S_ISBLK(st->st_mode) ? 'b' : 'c',
		.major = major(st->st_rdev),
		.minor = minor(st->st_rdev),
		.mode = st->st_mode & 07777,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.access = xstrdup(access),
	};
}

static bool is_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
}

/* Every device below a directory; to: the same place in the container. */
static int add_tree(struct spec_facts *f, const char *from, const char *to, const char *access,
		    unsigned int depth, struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = fs_list(AT_FDCWD, from, &names);

	if (r < 0)
		return err_sys(err, r, "read devices '%s'", from);
	for (size_t i = 0; r == 0 && depth <= DEVICE_DEPTH_MAX && i < names.n; i++) {
		auto_free char *path = path_join(from, names.v[i]);
		auto_free char *target = path_join(to, names.v[i]);
		struct stat st;

		/* Each container has terminals, shared memory and queues of its own. */
		if (str_eq(target, "/dev/pts") || str_eq(target, "/dev/shm") ||
		    str_eq(target, "/dev/mqueue") || str_eq(target, "/dev/console") ||
		    str_eq(target, "/dev/ptmx") || lstat(path, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			r = add_tree(f, path, target, access, depth + 1, err);
		else if (is_device(&st))
			add_device(f, target, &st, access);
	}
	return r;
}

static int add_user_device(struct spec_facts *f, const struct container_device *d, struct err *err)
{
	struct stat st;

	if (stat(d->host_path, &st) < 0)
		return err_sys(err, -errno, "device '%s'", d->host_path);
	if (S_ISDIR(st.st_mode))
		return add_tree(f, d->host_path, d->path, d->permissions, 0, err);
	if (!is_device(&st))
		return err_set(err, ERR_INVALID, "device '%s': it is no device", d->host_path);
	add_device(f, d->path, &st, d->permissions);
	return 0;
}

static int add_numbers(struct json_string_map *to, const struct container_throttle *t, size_t n,
		       struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		auto_free char *text = NULL;
		struct stat st;

		if (stat(t[i].path, &st) < 0)
			return err_sys(err, -errno, "device '%s'", t[i].path);
		if (!S_ISBLK(st.st_mode))
			return err_set(err, ERR_INVALID, "device %s: not a block device",
				       t[i].path);
		text = xasprintf("%u:%u", major(st.st_rdev), minor(st.st_rdev));
		json_string_map_set(to, t[i].path, text);
	}
	return 0;
}

int facts_throttle_numbers(const struct container_limits *l, struct json_string_map *ret,
			   struct err *err)
{
	int r = add_numbers(ret, l->blkio_weight_device, l->n_blkio_weight_device, err);

	if (r == 0)
		r = add_numbers(ret, l->read_bps, l->n_read_bps, err);
	if (r == 0)
		r = add_numbers(ret, l->write_bps, l->n_write_bps, err);
	if (r == 0)
		r = add_numbers(ret, l->read_iops, l->n_read_iops, err);
	if (r == 0)
		r = add_numbers(ret, l->write_iops, l->n_write_iops, err);
	return r;
}

/* /dev/tty0 to /dev/tty63 (Documentation/admin-guide/devices.txt). */
static bool is_virtual_console(const struct spec_device *d)
{
	return d->type == 'c' && d->major == 4 && d->minor < 64;
}

/* A systemd in there would start a getty on each of the machine's consoles. */
static void drop_virtual_consoles(struct spec_facts *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_devices; i++) {
		if (is_virtual_console(&f->devices[i])) {
			free(f->devices[i].path);
			free(f->devices[i].access);
		} else {
			f->devices[n++] = f->devices[i];
		}
	}
	f->n_devices = n;
}

int facts_devices(const struct container *c, struct spec_facts *f, struct err *err)
{
	int r = 0;

	/* Those of the runtime come from it, in a privileged container too. */
	if (c->config.privileged)
		r = add_tree(f, "/dev", "/dev", NULL, 0, err);
	if (facts_systemd_mode(&c->config))
		drop_virtual_consoles(f);
	for (size_t i = 0; r == 0 && i < c->config.n_devices; i++)
		r = add_user_device(f, &c->config.devices[i], err);
	return r < 0 ? r : facts_throttle_numbers(&c->config.limits, &f->throttle_numbers, err);
}

/* --- the machine ------------------------------------------------------------------------------------ */

static uint64_t hard_limit(__rlimit_resource_t resource)
{
	struct rlimit limit;

	return getrlimit(resource, &limit) < 0 ? 1024 : (uint64_t)limit.rlim_max;
}

int facts_cgroup_of(const struct cgroupfs *cgroups, pid_t pid, char **ret)
{
	auto_procfs struct procfs proc = PROCFS_INIT;
	auto_procfs_cgroups struct procfs_cgroups found = { 0 };
	struct cgroupfs_hierarchy *h =
		cgroupfs_find(cgroups, cgroups->mode == CGROUPFS_V2 ? "" : "name=systemd");
	int r;

	if (!h)
		return -ENOENT;
	r = procfs_open(&proc, NULL);
	if (r == 0)
		r = procfs_read_cgroups(&proc, pid, &found);
	if (r < 0)
		return r;
	*ret = cgroupfs_own_path(cgroups, h, &found);
	return *ret ? 0 : -ENOENT;
}

int facts_split_cgroup(const struct cgroupfs *cgroups, char **ret)
{
	int r = facts_cgroup_of(cgroups, 0, ret);
	char *slash = r < 0 ? NULL : strrchr(*ret, '/');

	if (slash && (str_eq(slash + 1, SPLIT_SELF) || str_eq(slash + 1, SPLIT_MONITORS)))
		*slash = '\0';
	return r;
}

/* --cgroups=split: below the cgroup that we are in, as the service manager made it for us. */
static int split_path(const struct container *c, const struct cgroupfs *cgroups, char **ret,
		      struct err *err)
{
	auto_free char *own = NULL;
	int r = facts_split_cgroup(cgroups, &own);

	if (r < 0)
		return err_sys(err, r, "--cgroups=split: find our own cgroup");
	if (str_is_empty(own) || str_eq(own, "/"))
		return err_set(
			err, ERR_STATE,
			"--cgroups=split: floe is in no cgroup of its own; start it as a service "
			"or with systemd-run");
	*ret = xasprintf("%s/floe-payload-%s", own, c->config.id);
	return 0;
}

static char *cgroups_path(const struct container *c)
{
	const char *parent = c->config.cgroup_parent;

	if (c->engine->cgroup_manager == ENGINE_SYSTEMD)
		return xasprintf("%s:floe:%s", parent ? path_basename(parent) : "machine.slice",
				 c->config.id);
	return xasprintf("%s/floe-%s", parent ? parent : "/floe", c->config.id);
}

int facts_machine(struct container *c, struct spec_facts *f, struct err *err)
{
	auto_cgroupfs struct cgroupfs cgroups = CGROUPFS_INIT;
	struct caps_sets own;
	int r = cgroupfs_open(&cgroups, NULL);

	if (r < 0)
		return err_sys(err, r, "look for cgroups");
	f->cgroup_v2 = cgroups.mode == CGROUPFS_V2;
	f->nofile_max = hard_limit(RLIMIT_NOFILE);
	f->nproc_max = hard_limit(RLIMIT_NPROC);
	f->last_cap = caps_last();
	if (caps_get(&own) == 0)
		f->missing_caps = ~own.permitted;
	f->no_host_mqueue = access("/dev/mqueue", F_OK) < 0;
	if (str_eq(c->config.cgroups, "split"))
		return split_path(c, &cgroups, &f->cgroups_path, err);
	if (!str_eq(c->config.cgroups, "disabled"))
		f->cgroups_path = cgroups_path(c);
	return 0;
}

bool facts_systemd_mode(const struct container_config *c)
{
	static const char *const inits[] = { "/sbin/init", "/usr/sbin/init", "/usr/local/sbin/init",
					     "/bin/init", NULL };
	const char *command = c->n_entrypoint > 0 ? c->entrypoint[0] :
			      c->n_command > 0	  ? c->command[0] :
						    NULL;

	if (str_eq(c->systemd, "always"))
		return true;
	if (!command || str_eq(c->systemd, "false"))
		return false;
	for (const char *const *i = inits; *i; i++)
		if (str_eq(command, *i))
			return true;
	return str_eq(path_basename(command), "systemd");
}
