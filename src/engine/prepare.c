/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/prepare.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/path.h"
#include "core/rooted.h"
#include "core/str.h"
#include "engine/apparmor.h"
#include "engine/container_network.h"
#include "engine/containers_conf.h"
#include "engine/etc_files.h"
#include "engine/facts.h"
#include "engine/hooks_dir.h"
#include "engine/mounts.h"
#include "engine/restore_spec.h"
#include "engine/seccomp_profile.h"
#include "engine/sdnotify.h"
#include "engine/secret.h"
#include "engine/selinux.h"
#include "engine/users.h"
#include "engine/userns.h"
#include "floe-config.h"

#define ETC_FILE_MAX (4U << 20)
#define INIT_NAMES "catatonit"

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
	if (userns_outside(&c->config, false, 0, &uid) < 0 ||
	    userns_outside(&c->config, true, 0, &gid) < 0)
		return err_set(err, ERR_INVALID, "root of container '%s' is not mapped",
			       c->config.name);
	data = xasprintf("mode=1777,size=%lld,uid=%u,gid=%u", (long long)MAX(c->config.shm_size, 0),
			 uid, gid);
	if (mount("shm", path, "tmpfs", MS_NOEXEC | MS_NOSUID | MS_NODEV, data) < 0)
		return err_sys(err, -errno, "mount shared memory on '%s'", path);
	return 0;
}

/* --- generated files -------------------------------------------------------------------------------- */

static void add_bind(struct spec_facts *f, const char *destination, char *source, bool read_only)
{
	*array_push(f->binds, f->n_binds) = (struct spec_bind){ .destination = xstrdup(destination),
								.source = source,
								.read_only = read_only };
}

/* Of the container's: it may change the file. */
static int own_by_root(const struct container *c, int fd)
{
	uint32_t uid;
	uint32_t gid;

	if (c->config.n_uid_maps == 0)
		return 0;
	if (userns_outside(&c->config, false, 0, &uid) < 0 ||
	    userns_outside(&c->config, true, 0, &gid) < 0)
		return -ERANGE;
	return fchown(fd, uid, gid) < 0 ? -errno : 0;
}

static int write_file(struct container *c, const char *name, const char *text, mode_t mode,
		      struct spec_facts *f, const char *destination, struct err *err)
{
	auto_free char *path = path_join(c->run_dir, name);
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	int r = fd < 0 ? fd : io_write_all(fd, text, strlen(text));

	if (r == 0)
		r = own_by_root(c, fd);
	if (r < 0)
		return err_sys(err, r, "write '%s'", path);
	/* Containers that share the network share these. */
	r = selinux_relabel(&c->config, path, true, err);
	if (r < 0)
		return r;
	if (destination)
		add_bind(f, destination, take_ptr(path), false);
	return 0;
}

/* A file of the host; NULL when it cannot be read. */
static char *read_host(const char *path)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	if (io_read_file_at(AT_FDCWD, path, ETC_FILE_MAX, &sb) < 0)
		return NULL;
	return strbuf_take(&sb);
}

static bool shares_network(const struct container_config *c)
{
	return facts_mode_container(c->network) != NULL;
}

static bool has_own_netns(const struct container_config *c)
{
	return !str_eq(c->network, "host");
}

/* With another's network come its resolv.conf and hosts. */
static int share_files(struct container *c, struct spec_facts *f, struct err *err)
{
	static const char *const names[] = { "resolv.conf", "hosts" };
	auto_container struct container other = CONTAINER_INIT;
	int r = container_open(&other, c->engine, facts_mode_container(c->config.network), err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		auto_free char *source = path_join(other.run_dir, names[i]);
		auto_free char *destination = path_join("/etc", names[i]);

		if (fs_exists(AT_FDCWD, source))
			add_bind(f, destination, take_ptr(source), false);
	}
	return 0;
}

/* Addresses in the container's networks, and their name servers. */
struct attached {
	struct network_status status;
	struct strvec addresses;
	struct strvec servers;
	struct strvec search;
	char *gateway; /* of the first network that has one, IPv4 before IPv6; NULL: none */
};

static void attached_done(struct attached *a)
{
	network_status_done(&a->status);
	strvec_done(&a->addresses);
	strvec_done(&a->servers);
	strvec_done(&a->search);
	free(a->gateway);
}
DEFINE_AUTO_VAL(attached, struct attached, attached_done)
#define auto_attached auto_cleanup(attached_cleanup_val)

static void attached_load(struct attached *ret, const struct container *c)
{
	*ret = (struct attached){ 0 };
	container_network_status(c, &ret->status);
	for (size_t i = 0; i < ret->status.n; i++) {
		const struct network_status_entry *e = &ret->status.v[i];

		strvec_add_all(&ret->servers, e->dns_server_ips, e->n_dns_server_ips);
		strvec_add_all(&ret->search, e->dns_search_domains, e->n_dns_search_domains);
		for (size_t k = 0; k < e->n_interfaces; k++)
			for (size_t m = 0; m < e->interfaces[k].n_subnets; m++) {
				const char *ipnet = e->interfaces[k].subnets[m].ipnet;
				const char *gateway = e->interfaces[k].subnets[m].gateway;

				if (!str_is_empty(gateway) &&
				    (!ret->gateway ||
				     (strchr(ret->gateway, ':') && !strchr(gateway, ':'))))
					replace_ptr(ret->gateway, xstrdup(gateway));

				strvec_add_take(&ret->addresses,
						xstrndup(ipnet, strcspn(ipnet, "/")));
			}
	}
}

/* The host as the container sees it: what is configured, or the gateway of its network. NULL: no way. */
static const char *host_address(const struct container *c, const struct attached *attached)
{
	const char *configured = c->engine->conf->containers.host_containers_internal_ip;

	if (str_is_empty(configured))
		return attached->gateway;
	return str_eq(configured, "none") ? NULL : configured;
}

static int write_hosts(struct container *c, struct spec_facts *f, const struct rooted *root,
		       struct err *err)
{
	static const char *const loopback[] = { "127.0.0.1" };
	const char *file = c->config.hosts_file;
	auto_free char *base = NULL;
	auto_free char *text = NULL;
	auto_attached struct attached attached;
	struct etc_hosts_params params = {
		.add = c->config.add_hosts,
		.n_add = c->config.n_add_hosts,
		.hostname = f->hostname,
		.name = c->config.name,
		.addresses = loopback,
		.n_addresses = 1,
	};
	int r;

	attached_load(&attached, c);
	if (c->config.no_hosts)
		return 0;
	params.host_gateway = host_address(c, &attached);
	if (attached.addresses.n) {
		params.addresses = (const char *const *)attached.addresses.v;
		params.n_addresses = attached.addresses.n;
	}
	if (str_eq(file, "image")) {
		auto_close int fd = rooted_openat(root, "/etc/hosts", O_RDONLY | O_NONBLOCK);
		auto_strbuf struct strbuf sb = STRBUF_INIT;

		if (fd >= 0 && io_read_all(fd, ETC_FILE_MAX, &sb) == 0)
			base = strbuf_take(&sb);
	} else if (!str_eq(file, "none")) {
		base = read_host(file ? file : "/etc/hosts");
		if (file && !base)
			return err_sys(err, -errno, "--hosts-file '%s'", file);
	}
	params.base = base;
	r = etc_hosts_text(&params, &text, err);
	return r < 0 ? r : write_file(c, "hosts", text, 0644, f, "/etc/hosts", err);
}

static int write_resolv(struct container *c, struct spec_facts *f, struct err *err)
{
	auto_free char *host = read_host("/etc/resolv.conf");
	auto_free char *text = NULL;
	auto_attached struct attached attached = { 0 };
	struct etc_resolv_params params = {
		.new_netns = has_own_netns(&c->config),
		.servers = c->config.dns,
		.n_servers = c->config.n_dns,
		.search = c->config.dns_search,
		.n_search = c->config.n_dns_search,
		.options = c->config.dns_options,
		.n_options = c->config.n_dns_options,
	};

	/* As podman: who can ask nobody keeps what the image has. A mount more or less is one that a checkpoint moved
	 * between the two would miss. */
	if (str_eq(c->config.network, "none") && c->config.n_dns == 0 &&
	    c->config.n_dns_search == 0 && c->config.n_dns_options == 0)
		return 0;
	attached_load(&attached, c);
	params.network_servers = attached.servers.v;
	params.n_network_servers = attached.servers.n;
	params.network_search = attached.search.v;
	params.n_network_search = attached.search.n;
	if (c->config.n_dns == 1 && str_eq(c->config.dns[0], "none"))
		return 0;
	/* A stub of the host's own resolver: what it asks is in another file. */
	if (host && strstr(host, "nameserver 127.0.0.53") && params.new_netns) {
		char *full = read_host("/run/systemd/resolve/resolv.conf");

		if (full)
			replace_ptr(host, full);
	}
	params.host = host;
	text = etc_resolv_text(&params);
	return write_file(c, "resolv.conf", text, 0644, f, "/etc/resolv.conf", err);
}

static int write_users(struct container *c, struct spec_facts *f, const struct rooted *root,
		       struct err *err)
{
	auto_free char *passwd = NULL;
	auto_free char *group = NULL;
	int r = 0;

	if (c->config.no_passwd)
		return 0;
	passwd = users_passwd_text(root, &f->user, c->config.passwd_entry, c->config.workdir);
	group = users_group_text(root, &f->user, c->config.group_entry);
	r = users_add_host_users(root, c->config.host_users, c->config.n_host_users, &passwd, err);
	if (r == 0 && passwd)
		r = write_file(c, "passwd", passwd, 0644, f, "/etc/passwd", err);
	if (r == 0 && group)
		r = write_file(c, "group", group, 0644, f, "/etc/group", err);
	return r;
}

static int bind_timezone(struct container *c, struct spec_facts *f, struct err *err)
{
	auto_free char *path = NULL;

	if (!c->config.timezone)
		return 0;
	path = str_eq(c->config.timezone, "local") ?
		       xstrdup("/etc/localtime") :
		       path_join("/usr/share/zoneinfo", c->config.timezone);
	if (!fs_exists(AT_FDCWD, path) ||
	    !path_is_below(path,
			   str_eq(c->config.timezone, "local") ? "/etc" : "/usr/share/zoneinfo"))
		return err_set(err, ERR_INVALID, "time zone '%s': no such zone",
			       c->config.timezone);
	add_bind(f, "/etc/localtime", take_ptr(path), true);
	return 0;
}

static int write_files(struct container *c, struct spec_facts *f, const struct rooted *root,
		       struct err *err)
{
	auto_free char *shm = container_shm_path(c);
	auto_free char *env = etc_containerenv_text(&c->config, FLOE_VERSION);
	auto_free char *hostname = xasprintf("%s\n", f->hostname);
	int r = 0;

	if (shares_network(&c->config)) {
		r = share_files(c, f, err);
	} else {
		r = write_hosts(c, f, root, err);
		if (r == 0)
			r = write_resolv(c, f, err);
	}
	if (r == 0 && !c->config.no_hostname)
		r = write_file(c, "hostname", hostname, 0644, f, "/etc/hostname", err);
	if (r == 0)
		r = write_file(c, ".containerenv", env, 0644, f, "/run/.containerenv", err);
	if (r == 0)
		r = write_users(c, f, root, err);
	if (r == 0)
		r = bind_timezone(c, f, err);
	if (r == 0)
		r = secrets_prepare(c, f, err);
	if (r < 0)
		return r;
	if (!shm && str_eq(c->config.ipc, "host"))
		shm = xstrdup("/dev/shm");
	if (!shm && facts_mode_container(c->config.ipc)) {
		auto_container struct container other = CONTAINER_INIT;

		r = container_open(&other, c->engine, facts_mode_container(c->config.ipc), err);
		shm = r < 0 ? NULL : container_shm_path(&other);
	}
	if (shm) {
		add_bind(f, "/dev/shm", take_ptr(shm), false);
		f->binds[f->n_binds - 1].is_shm = true;
	}
	return r;
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
	static const char *const places[] = { "/usr/libexec/podman/" INIT_NAMES,
					      "/usr/lib/podman/" INIT_NAMES,
					      "/usr/libexec/" INIT_NAMES, "/usr/bin/" INIT_NAMES,
					      "/usr/local/bin/" INIT_NAMES };

	if (!c->config.init)
		return 0;
	if (c->config.init_path) {
		f->init_path = xstrdup(c->config.init_path);
		return access(f->init_path, X_OK) == 0 ?
			       0 :
			       err_sys(err, -errno, "init program '%s'", f->init_path);
	}
	if (!str_is_empty(c->engine->conf->containers.init_path)) {
		f->init_path = xstrdup(c->engine->conf->containers.init_path);
		return access(f->init_path, X_OK) == 0 ?
			       0 :
			       err_sys(err, -errno, "init program '%s'", f->init_path);
	}
	f->init_path = engine_find_helper(c->engine, INIT_NAMES);
	if (f->init_path)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (access(places[i], X_OK) == 0) {
			f->init_path = xstrdup(places[i]);
			return 0;
		}
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
			   shares_network(&c->config) || str_has_prefix(c->config.network, "ns:");
	f->no_tty_group = userns_outside(&c->config, true, 5, &gid) < 0;
	return userns_make_accessible(c->engine, places, ARRAY_SIZE(places), err);
}

static int collect_facts(struct container *c, const struct rooted *root, struct spec_facts *f,
			 struct err *err)
{
	int r = users_lookup(root, c->config.user, c->config.groups, c->config.n_groups, &f->user,
			     err);

	if (r == 0)
		r = facts_machine(c, f, err);
	if (r == 0)
		r = choose_hostname(c, f, err);
	if (r == 0)
		r = facts_namespaces(c, f, err);
	if (r == 0)
		r = facts_devices(c, f, err);
	if (r == 0)
		r = mounts_prepare(c, root, f, err);
	if (r == 0)
		r = collect_userns(c, f, err);
	if (r == 0)
		r = find_init(c, f, err);
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

/* The working directory is made when the image does not have it. */
static int make_workdir(const struct container *c, const struct rooted *root, struct err *err)
{
	int fd;

	if (str_is_empty(c->config.workdir) || c->config.read_only)
		return 0;
	fd = rooted_openat(root, c->config.workdir, O_PATH | O_DIRECTORY);
	if (fd >= 0) {
		(void)close(fd);
		return 0;
	}
	fd = rooted_mkdir_all(root, c->config.workdir, 0755);
	if (fd < 0)
		return err_sys(err, fd, "make working directory '%s'", c->config.workdir);
	if (own_by_root(c, fd) < 0)
		log_debug("the working directory '%s' stays nobody's", c->config.workdir);
	(void)close(fd);
	return 0;
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

static int write_spec(struct container *c, struct spec_facts *f, struct err *err)
{
	struct runtime_spec spec;
	int r = specgen(&spec, &c->config, f, err);

	if (r < 0)
		return r;
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

	if (r == 0)
		r = prepare_storage_and_network(c, &f, &root, err);
	if (r == 0)
		r = make_workdir(c, &root, err);
	if (r == 0)
		r = collect_facts(c, &root, &f, err);
	if (r == 0)
		r = write_files(c, &f, &root, err);
	if (r == 0)
		r = make_notify_dir(c, &f, err);
	if (r == 0)
		r = hooks_dir_load(c->engine, &c->config, &f, err);
	return r < 0 ? r : write_spec(c, &f, err);
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
	/* The files are mounted already, and are written in place. */
	r = write_hosts(c, &f, &root, err);
	return r < 0 ? r : write_resolv(c, &f, err);
}

/* What the configuration that it was frozen with does not say itself. */
static int collect_restore_facts(struct container *c, const struct rooted *root,
				 struct spec_facts *f, struct err *err)
{
	int r = users_lookup(root, c->config.user, c->config.groups, c->config.n_groups, &f->user,
			     err);

	if (r == 0)
		r = facts_machine(c, f, err);
	if (r == 0)
		r = choose_hostname(c, f, err);
	if (r == 0)
		r = facts_namespaces(c, f, err);
	if (r == 0)
		r = mounts_prepare(c, root, f, err);
	if (r == 0)
		r = find_init(c, f, err);
	return r;
}

int container_prepare_restored(struct container *c, const struct prepare_restore *how,
			       struct err *err)
{
	auto_spec_facts struct spec_facts f = { 0 };
	auto_rooted struct rooted root = ROOTED_INIT;
	int r = make_dirs(c, err);

	if (r == 0)
		r = prepare_storage_and_network(c, &f, &root, err);
	if (r == 0 && how->fill)
		r = how->fill(how->context, c, &root, err);
	if (r == 0)
		r = collect_restore_facts(c, &root, &f, err);
	if (r == 0)
		r = write_files(c, &f, &root, err);
	if (r == 0)
		r = hooks_dir_load(c->engine, &c->config, &f, err);
	if (r == 0)
		r = restore_spec_adapt(how->spec, &c->config, &f, err);
	return r < 0 ? r : write_bundle(c, how->spec, &f, err);
}
