/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/generated_files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/container_network.h"
#include "engine/containers_conf.h"
#include "engine/etc_files.h"
#include "engine/facts.h"
#include "engine/prepare.h"
#include "engine/secret.h"
#include "engine/selinux.h"
#include "engine/users.h"
#include "engine/userns.h"
#include "network/host_address.h"
#include "floe-config.h"

#define ETC_FILE_MAX (4U << 20)

static void add_bind(struct spec_facts *f, const char *destination, char *source, bool read_only)
{
	*array_push(f->binds, f->n_binds) = (struct spec_bind){ .destination = xstrdup(destination),
								.source = source,
								.read_only = read_only };
}

static int write_file(struct container *c, const char *name, const char *text, mode_t mode,
		      struct spec_facts *f, const char *destination, struct err *err)
{
	auto_free char *path = path_join(c->run_dir, name);
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	int r = fd < 0 ? fd : io_write_all(fd, text, strlen(text));

	if (r == 0)
		r = userns_own_by_root(&c->config, fd); /* it may change the file */
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

/* A file of the host; *ret, which the caller owns, stays when it cannot be read. */
static int read_host(const char *path, char **ret)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	int r = io_read_file_at(AT_FDCWD, path, ETC_FILE_MAX, &sb);

	if (r < 0)
		return r;
	replace_ptr(*ret, strbuf_take(&sb));
	return 0;
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

/* Those of the container itself, without the lengths of their networks. */
static void status_addresses(const struct network_status *status, struct strvec *ret)
{
	for (size_t i = 0; i < status->n; i++)
		for (size_t k = 0; k < status->v[i].n_interfaces; k++) {
			const struct network_status_interface *at = &status->v[i].interfaces[k];

			for (size_t m = 0; m < at->n_subnets; m++)
				strvec_addf(ret, "%.*s", (int)strcspn(at->subnets[m].ipnet, "/"),
					    at->subnets[m].ipnet);
		}
}

static void attached_load(struct attached *ret, const struct container *c)
{
	*ret = (struct attached){ 0 };
	container_network_status(c, &ret->status);
	status_addresses(&ret->status, &ret->addresses);
	for (size_t i = 0; i < ret->status.n; i++) {
		const struct network_status_entry *e = &ret->status.v[i];

		strvec_add_all(&ret->servers, e->dns_server_ips, e->n_dns_server_ips);
		strvec_add_all(&ret->search, e->dns_search_domains, e->n_dns_search_domains);
		for (size_t k = 0; k < e->n_interfaces; k++)
			for (size_t m = 0; m < e->interfaces[k].n_subnets; m++) {
				const char *gateway = e->interfaces[k].subnets[m].gateway;

				if (!str_is_empty(gateway) &&
				    (!ret->gateway ||
				     (strchr(ret->gateway, ':') && !strchr(gateway, ':'))))
					replace_ptr(ret->gateway, xstrdup(gateway));
			}
	}
}

/*
 * The host as the container sees it: what is configured, the gateway of its network, or where it has none of ours an
 * address of the host, be it that it shares the host's network or that somebody leads it there. NULL: no way.
 */
static const char *host_address(const struct container *c, struct attached *attached)
{
	const char *configured = c->engine->conf->containers.host_containers_internal_ip;

	if (!str_is_empty(configured))
		return str_eq(configured, "none") ? NULL : configured;
	if (!attached->gateway && attached->status.n == 0)
		attached->gateway = network_host_address();
	return attached->gateway;
}

static int write_hosts(struct container *c, struct attached *attached, struct spec_facts *f,
		       const struct rooted *root, struct err *err)
{
	static const char *const loopback[] = { "127.0.0.1" };
	const char *file = c->config.hosts_file;
	auto_free char *base = NULL;
	auto_free char *text = NULL;
	struct etc_hosts_params params = {
		.add = c->config.add_hosts,
		.n_add = c->config.n_add_hosts,
		.hostname = f->hostname,
		.name = c->config.name,
		.addresses = loopback,
		.n_addresses = 1,
	};
	int r;

	if (c->config.no_hosts)
		return 0;
	/* Its names may be of addresses that are not known before the network is. */
	if (container_network_is_pending(c))
		return write_file(c, "hosts", "", 0644, f, "/etc/hosts", err);
	params.host_gateway = host_address(c, attached);
	if (attached->addresses.n) {
		params.addresses = (const char *const *)attached->addresses.v;
		params.n_addresses = attached->addresses.n;
	}
	if (str_eq(file, "image")) {
		auto_close int fd = rooted_openat(root, "/etc/hosts", O_RDONLY | O_NONBLOCK);
		auto_strbuf struct strbuf sb = STRBUF_INIT;

		if (fd >= 0 && io_read_all(fd, ETC_FILE_MAX, &sb) == 0)
			base = strbuf_take(&sb);
	} else if (!str_eq(file, "none")) {
		r = read_host(file ? file : "/etc/hosts", &base);
		if (file && r < 0)
			return err_sys(err, r, "--hosts-file '%s'", file);
	}
	params.base = base;
	r = etc_hosts_text(&params, &text, err);
	return r < 0 ? r : write_file(c, "hosts", text, 0644, f, "/etc/hosts", err);
}

/* The host's; of a network namespace that ip-netns(8) made, what it has of its own. */
static void read_host_resolv(const struct container_config *c, char **ret)
{
	const char *netns = str_skip_prefix(c->network ? c->network : "", "ns:");
	auto_free char *own = netns ? xasprintf("/etc/netns/%s/resolv.conf", path_basename(netns)) :
				      NULL;

	if (own && !str_has_prefix(netns, "/proc/") && fs_exists(AT_FDCWD, own)) {
		(void)read_host(own, ret);
		return;
	}
	(void)read_host("/etc/resolv.conf", ret);
	/* A stub of the host's own resolver: what it asks is in another file. */
	if (*ret && strstr(*ret, "nameserver 127.0.0.53") && !str_eq(c->network, "host"))
		(void)read_host("/run/systemd/resolve/resolv.conf", ret);
}

static int write_resolv(struct container *c, const struct attached *attached, struct spec_facts *f,
			struct err *err)
{
	auto_free char *host = NULL;
	auto_free char *text = NULL;
	struct etc_resolv_params params = {
		.new_netns = !str_eq(c->config.network, "host"),
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
	params.network_servers = attached->servers.v;
	params.n_network_servers = attached->servers.n;
	params.network_search = attached->search.v;
	params.n_network_search = attached->search.n;
	if (c->config.n_dns == 1 && str_eq(c->config.dns[0], "none"))
		return 0;
	read_host_resolv(&c->config, &host);
	params.host = host;
	text = etc_resolv_text(&params);
	return write_file(c, "resolv.conf", text, 0644, f, "/etc/resolv.conf", err);
}

int generated_files_write_network(struct container *c, struct spec_facts *f,
				  const struct rooted *root, struct err *err)
{
	auto_attached struct attached attached;
	int r;

	attached_load(&attached, c);
	r = write_hosts(c, &attached, f, root, err);
	return r < 0 ? r : write_resolv(c, &attached, f, err);
}

static int write_users(struct container *c, struct spec_facts *f, const struct rooted *root,
		       struct err *err)
{
	auto_free char *passwd = NULL;
	auto_free char *group = NULL;
	auto_free char *own = NULL;
	int r = 0;

	if (c->config.no_passwd)
		return 0;
	group = users_group_text(root, &f->user, c->config.group_entry);
	/* The host's first: a user who is one of them needs no line of ours. */
	r = users_add_host_users(root, c->config.host_users, c->config.n_host_users, &passwd, err);
	own = users_passwd_text(root, passwd, &f->user, c->config.passwd_entry, c->config.workdir);
	if (own)
		replace_ptr(passwd, take_ptr(own));
	if (r == 0 && passwd)
		r = write_file(c, "passwd", passwd, 0644, f, "/etc/passwd", err);
	if (r == 0 && group)
		r = write_file(c, "group", group, 0644, f, "/etc/group", err);
	return r;
}

int generated_files_find_timezone(const char *zone, char **ret, struct err *err)
{
	bool local = str_eq(zone, "local");
	auto_free char *path = local ? xstrdup("/etc/localtime") :
				       path_join("/usr/share/zoneinfo", zone);
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
	    !path_is_below(path, local ? "/etc" : "/usr/share/zoneinfo"))
		return err_set(err, ERR_INVALID, "time zone '%s': no such zone", zone);
	*ret = take_ptr(path);
	return 0;
}

static int bind_timezone(struct container *c, struct spec_facts *f, struct err *err)
{
	auto_free char *path = NULL;
	int r;

	if (!c->config.timezone)
		return 0;
	r = generated_files_find_timezone(c->config.timezone, &path, err);
	if (r < 0)
		return r;
	add_bind(f, "/etc/localtime", take_ptr(path), true);
	return 0;
}

/* The container's own, the host's or another's. */
static int bind_shm(struct container *c, struct spec_facts *f, struct err *err)
{
	auto_free char *shm = container_shm_path(c);
	int r = 0;

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

static bool is_bound(const struct container_config *c, const char *path)
{
	const struct container_mount *m = container_config_mount(c, path);

	return m && str_eq(m->type, "bind");
}

static int change_hosts(struct container *c, const struct network_status *before,
			const struct attached *now, struct err *err)
{
	auto_strvec struct strvec old = STRVEC_INIT;
	const struct strvec *new = &now->addresses;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *path = path_join(c->run_dir, "hosts");
	auto_free char *have = NULL;
	char id[13];
	char *rest;
	char *line;

	/* Without one there is nothing to change. */
	if (c->config.no_hosts || read_host(path, &have) < 0)
		return 0;
	rest = have;
	status_addresses(before, &old);
	while ((line = strsep(&rest, "\n"))) {
		auto_free char *address = xstrndup(line, strcspn(line, " \t"));

		if ((*line || rest) &&
		    (!strvec_contains(&old, address) || strvec_contains(new, address)))
			strbuf_addf(&text, "%s\n", line);
	}
	for (size_t i = 0; i < new->n; i++)
		if (!strvec_contains(&old, new->v[i]))
			strbuf_addf(&text, "%s\t%s %s\n", new->v[i],
				    c->config.hostname ? c->config.hostname :
							 container_short_id(c->config.id, id),
				    c->config.name);
	return write_file(c, "hosts", text.buf, 0644, NULL, NULL, err);
}

static int change_resolv(struct container *c, const struct network_status *before,
			 const struct attached *now, struct err *err)
{
	auto_strvec struct strvec old = STRVEC_INIT;
	auto_free char *path = path_join(c->run_dir, "resolv.conf");
	auto_free char *have = NULL;
	auto_free char *text = NULL;

	if (read_host(path, &have) < 0)
		return 0;
	for (size_t i = 0; i < before->n; i++)
		strvec_add_all(&old, before->v[i].dns_server_ips, before->v[i].n_dns_server_ips);
	text = etc_resolv_change(have, &old, &now->servers);
	return write_file(c, "resolv.conf", text, 0644, NULL, NULL, err);
}

int generated_files_change_network(struct container *c, const struct network_status *before,
				   struct err *err)
{
	auto_attached struct attached now;
	int r;

	attached_load(&now, c);
	r = change_hosts(c, before, &now, err);
	return r < 0 ? r : change_resolv(c, before, &now, err);
}

int generated_files_write(struct container *c, struct spec_facts *f, const struct rooted *root,
			  struct err *err)
{
	auto_free char *env = etc_containerenv_text(&c->config, FLOE_VERSION);
	auto_free char *hostname = xasprintf("%s\n", f->hostname);
	int r = 0;

	if (facts_mode_container(c->config.network))
		r = share_files(c, f, err);
	else
		r = generated_files_write_network(c, f, root, err);
	if (r == 0 && !c->config.no_hostname)
		r = write_file(c, "hostname", hostname, 0644, f, "/etc/hostname", err);
	/* Nothing is to appear in a directory of the host's. */
	if (r == 0 && !is_bound(&c->config, "/run"))
		r = write_file(c, ".containerenv", env, 0644, f, "/run/.containerenv", err);
	if (r == 0)
		r = write_users(c, f, root, err);
	if (r == 0)
		r = bind_timezone(c, f, err);
	if (r == 0)
		r = secrets_prepare(c, f, err);
	return r < 0 ? r : bind_shm(c, f, err);
}
