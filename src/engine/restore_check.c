/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/restore_check.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/path.h"
#include "core/str.h"
#include "criu/client.h"
#include "criu/find.h"
#include "engine/apparmor.h"
#include "engine/cdi.h"
#include "engine/image_use.h"
#include "engine/records.h"
#include "engine/restore_sources.h"
#include "engine/secret.h"
#include "engine/volume.h"
#include "kernel/cgroupfs.h"

#define HOST_KEY "floeHost"
#define CPUINFO_MAX (4U << 20)
#define CRIU_VERSION_MIN 31100

void restore_check_note(struct restore_check *check, enum restore_verdict verdict, const char *what,
			const char *format, ...)
{
	static const char *const words[] = {
		[RESTORE_FITS] = "ok",
		[RESTORE_UNKNOWN] = "?",
		[RESTORE_FAILS] = "fails",
	};
	va_list ap;

	check->n_failures += verdict == RESTORE_FAILS;
	strbuf_addf(&check->text, "%-6s%s: ", words[verdict], what);
	va_start(ap, format);
	strbuf_vaddf(&check->text, format, ap);
	va_end(ap);
	strbuf_addc(&check->text, '\n');
}

#define note restore_check_note

/* --- the machine ------------------------------------------------------------------------------------ */

/* The first line of /proc/cpuinfo that lists features; owned by the caller, "" where there is none. */
static char *cpu_flags(void)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	const char *line;

	if (io_read_file_at(AT_FDCWD, "/proc/cpuinfo", CPUINFO_MAX, &sb) < 0)
		return xstrdup("");
	line = strstr(sb.buf, "\nflags");
	if (!line)
		line = strstr(sb.buf, "\nFeatures");
	line = line ? strchr(line, ':') : NULL;
	if (!line)
		return xstrdup("");
	line += strspn(line, ": ");
	return xstrndup(line, strcspn(line, "\n"));
}

static const char *cgroup_mode(void)
{
	auto_cgroupfs struct cgroupfs fs = CGROUPFS_INIT;

	return cgroupfs_open(&fs, NULL) < 0 ? "none" : cgroupfs_mode_to_string(fs.mode);
}

static void add(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

struct json_object *restore_check_host(void)
{
	struct json_object *host = json_object_new_object();
	struct json_object *o = json_object_new_object();
	auto_free char *flags = cpu_flags();
	struct utsname u = { 0 };

	(void)uname(&u);
	add(host, "arch", u.machine);
	add(host, "kernel", u.release);
	add(host, "cpuFlags", flags);
	add(host, "cgroups", cgroup_mode());
	json_object_object_add(o, HOST_KEY, host);
	return o;
}

static const char *host_value(struct json_object *host, const char *key)
{
	struct json_object *v;

	return host && json_object_object_get_ex(host, key, &v) ? json_object_get_string(v) : NULL;
}

/* Those that programs choose their code by. */
static bool matters(const char *flag)
{
	static const char *const prefixes[] = { "sse",	   "ssse",   "avx",	"amx",	 "fma",
						"bmi",	   "aes",    "sha",	"xsave", "pclmul",
						"vpclmul", "vaes",   "gfni",	"movbe", "popcnt",
						"adx",	   "rdrand", "rdseed",	"erms",	 "fsgsbase",
						"rdtscp",  "lzcnt",  "abm",	"f16c",	 "sve",
						"asimd",   "crc32",  "atomics", "pku" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (str_has_prefix(flag, prefixes[i]))
			return true;
	return false;
}

static void check_cpu(struct restore_check *c, struct json_object *host)
{
	const char *arch = host_value(host, "arch");
	const char *there = host_value(host, "cpuFlags");
	auto_free char *flags = cpu_flags();
	auto_strvec struct strvec here = STRVEC_INIT;
	auto_strvec struct strvec wanted = STRVEC_INIT;
	auto_strvec struct strvec lacking = STRVEC_INIT;
	auto_free char *list = NULL;
	struct utsname u = { 0 };

	(void)uname(&u);
	if (!arch || !there) {
		note(c, RESTORE_UNKNOWN, "processor",
		     "the archive does not say which it was made on");
		return;
	}
	if (!str_eq(arch, u.machine)) {
		note(c, RESTORE_FAILS, "processor", "made on %s; this machine is %s", arch,
		     u.machine);
		return;
	}
	strvec_split(&here, flags, ' ', false);
	strvec_split(&wanted, there, ' ', false);
	for (size_t i = 0; i < wanted.n; i++)
		if (matters(wanted.v[i]) && !strvec_contains(&here, wanted.v[i]))
			strvec_add(&lacking, wanted.v[i]);
	list = strvec_join(&lacking, " ");
	if (lacking.n)
		note(c, RESTORE_FAILS, "processor",
		     "this one lacks %s, which programs may be using", list);
	else
		note(c, RESTORE_FITS, "processor", "%s, with all features of the other", u.machine);
}

static void check_kernel(struct restore_check *c, struct json_object *host)
{
	const char *kernel = host_value(host, "kernel");
	const char *mode = host_value(host, "cgroups");
	struct utsname u = { 0 };

	(void)uname(&u);
	if (!kernel)
		note(c, RESTORE_UNKNOWN, "kernel", "%s here; the archive does not say", u.release);
	else
		note(c, str_eq(kernel, u.release) ? RESTORE_FITS : RESTORE_UNKNOWN, "kernel",
		     "%s here, %s there", u.release, kernel);
	if (!mode)
		note(c, RESTORE_UNKNOWN, "cgroups", "%s here; the archive does not say",
		     cgroup_mode());
	else
		note(c, str_eq(mode, cgroup_mode()) ? RESTORE_FITS : RESTORE_UNKNOWN, "cgroups",
		     "%s here, %s there", cgroup_mode(), mode);
}

static void check_criu(struct restore_check *c)
{
	auto_criu_location struct criu_location location = CRIU_LOCATION_INIT;
	auto_criu_client struct criu_client client = CRIU_CLIENT_INIT;
	struct criu_client_opts opts = CRIU_CLIENT_OPTS_INIT;
	struct err err = ERR_INIT;
	int version = 0;
	int r = criu_find(&location, &(struct criu_find_opts){ 0 }, &err);

	if (r == 0) {
		opts.program = location.path;
		r = criu_client_open(&client, &opts, &err);
	}
	if (r == 0)
		r = criu_client_version(&client, &version, &err);
	if (r < 0)
		note(c, RESTORE_FAILS, "CRIU", "%s", err.msg);
	else
		note(c, version >= CRIU_VERSION_MIN ? RESTORE_FITS : RESTORE_FAILS, "CRIU",
		     "%d.%d.%d", version / 10000, version / 100 % 100, version % 100);
}

static void check_lsm(struct restore_check *c, const struct oci_process *p)
{
	const char *profile = p->apparmor_profile;
	bool loaded = profile && apparmor_is_loaded(profile);

	if (str_is_empty(profile) || str_eq(profile, "unconfined"))
		return;
	if (!loaded && str_eq(profile, APPARMOR_PROFILE_DEFAULT) && apparmor_can_load())
		note(c, RESTORE_FITS, "AppArmor", "profile '%s' would be loaded", profile);
	else
		note(c, loaded ? RESTORE_FITS : RESTORE_FAILS, "AppArmor",
		     "profile '%s' is %sloaded here", profile, loaded ? "" : "not ");
}

/* --- the engine ------------------------------------------------------------------------------------- */

/* What an import was killed over is removed by the next. */
static bool is_taken(struct engine *e, const char *name)
{
	auto_container struct container c = CONTAINER_INIT;

	return container_open(&c, e, name, NULL) == 0 && !c.status.importing;
}

static void check_names(struct restore_check *c, struct engine *e, const struct container_config *g)
{
	if (is_taken(e, g->name))
		note(c, RESTORE_FAILS, "name", "'%s' is taken; choose another with --name",
		     g->name);
	else if (is_taken(e, g->id))
		note(c, RESTORE_FAILS, "id", "%.12s is there; a --name makes another", g->id);
	else
		note(c, RESTORE_FITS, "name", "%s", g->name);
}

static void check_image(struct restore_check *c, struct engine *e, const struct container_config *g)
{
	auto_image struct image by_id = { 0 };
	auto_image struct image by_name = { 0 };
	struct err err = ERR_INIT;
	struct store *store;

	if (g->rootfs) {
		note(c, fs_exists(AT_FDCWD, g->rootfs) ? RESTORE_FITS : RESTORE_FAILS,
		     "root file system", "%s", g->rootfs);
		return;
	}
	if (engine_store(e, &store, &err) < 0) {
		note(c, RESTORE_FAILS, "image", "%s", err.msg);
		return;
	}
	if (g->image_id && image_find(store, g->image_id, &by_id, NULL, NULL) == 0)
		note(c, RESTORE_FITS, "image", "%.12s is here", g->image_id);
	else if (g->image_name && image_find(store, g->image_name, &by_name, NULL, NULL) == 0)
		note(c, RESTORE_FAILS, "image", "'%s' here is %.12s, and %.12s is wanted",
		     g->image_name, by_name.id, g->image_id ? g->image_id : "?");
	else
		note(c, RESTORE_UNKNOWN, "image", "%.12s is not here; '%s' would be pulled",
		     g->image_id ? g->image_id : "?", g->image_name ? g->image_name : "?");
}

static void check_bind(struct restore_check *c, const struct container_mount *m,
		       const struct archive_bind_mounts *known)
{
	bool here = fs_exists(AT_FDCWD, m->source);
	bool made = !here && restore_sources_can_make(known, m);

	note(c, here || made ? RESTORE_FITS : RESTORE_FAILS, "mount", "'%s' on '%s' %s", m->source,
	     m->destination,
	     here ? "is here" :
	     made ? "would be made" :
		    "is not here");
}

static void check_image_mount(struct restore_check *c, struct engine *e,
			      const struct container_mount *m)
{
	auto_image struct image image = { 0 };
	struct store *store;
	bool here = engine_store(e, &store, NULL) == 0 &&
		    image_find(store, m->source, &image, NULL, NULL) == 0;

	note(c, here ? RESTORE_FITS : RESTORE_FAILS, "mount", "image '%s' on '%s' is %shere",
	     m->source, m->destination, here ? "" : "not ");
}

static void check_mounts(struct restore_check *c, struct engine *e,
			 const struct container_config *g, const struct restore_import *o,
			 const struct archive_bind_mounts *known)
{
	for (size_t i = 0; i < g->n_mounts; i++) {
		const struct container_mount *m = &g->mounts[i];
		auto_volume struct volume v = { 0 };
		bool there;

		if (str_eq(m->type, "bind")) {
			check_bind(c, m, known);
		} else if (str_eq(m->type, "image")) {
			check_image_mount(c, e, m);
		} else if (str_eq(m->type, "volume")) {
			there = volume_load(e, m->source, &v, NULL) == 0 &&
				str_eq(v.name, m->source);
			note(c,
			     there && !o->ignore_volumes &&
					     !container_config_mount(o->identity.given,
								     m->destination) ?
				     RESTORE_FAILS :
				     RESTORE_FITS,
			     "volume", "'%s' %s", m->source,
			     there ? "exists already" : "would be made");
		}
	}
	for (size_t i = 0; i < g->n_secrets; i++) {
		auto_secret struct secret s = { 0 };
		bool here = g->secrets[i].name && secret_load(e, g->secrets[i].name, &s, NULL) == 0;

		note(c, here ? RESTORE_FITS : RESTORE_FAILS, "secret", "'%s' is %shere",
		     g->secrets[i].name ? g->secrets[i].name : "?", here ? "" : "not ");
	}
}

/* What runs keeps the nodes that it has; the next start asks for the device by its name. */
static void check_devices(struct restore_check *c, struct engine *e,
			  const struct container_config *g)
{
	auto_strvec struct strvec dirs = STRVEC_INIT;

	cdi_directories(&dirs, e);
	for (size_t i = 0; i < g->n_cdi_devices; i++) {
		bool here = cdi_is_here(&dirs, g->cdi_devices[i]);

		note(c, here ? RESTORE_FITS : RESTORE_UNKNOWN, "device", "CDI device '%s' is %s",
		     g->cdi_devices[i],
		     here ? "here" :
			    "not here: the next start after this one would fail; put its "
			    "specification into a directory of --cdi-spec-dir");
	}
}

/* --- the network ------------------------------------------------------------------------------------ */

struct taken {
	const char *address;
	char *by; /* name of the container; owned */
};

static int look_for_address(void *context, struct container_config *config,
			    struct container_status *status, struct err *err UNUSED)
{
	struct taken *t = context;

	for (size_t i = 0; i < status->n_attachments; i++)
		for (size_t k = 0; k < status->attachments[i].n_static_ips; k++)
			if (str_eq(status->attachments[i].static_ips[k], t->address))
				replace_ptr(t->by, xstrdup(config->name));
	return 0;
}

static void check_address(struct restore_check *c, struct engine *e, const char *address)
{
	struct taken t = { address, NULL };

	(void)record_each(e, look_for_address, &t, NULL);
	note(c, t.by ? RESTORE_FAILS : RESTORE_FITS, "address", "%s is %s%s", address,
	     t.by ? "that of container " : "free", t.by ? t.by : "");
	free(t.by);
}

static void check_networks(struct restore_check *c, struct engine *e,
			   const struct container_config *g, const struct restore_import *o)
{
	for (size_t i = 0; i < g->n_networks; i++) {
		const struct network_attachment *a = &g->networks[i];
		auto_network struct network network = NETWORK_INIT;
		struct err err = ERR_INIT;
		bool here = e->network_backend != NETWORK_NETAVARK ||
			    network_find(&network, &e->network_dir, a->network, &err) == 0;

		note(c, here ? RESTORE_FITS : RESTORE_FAILS, "network", "'%s' is %shere",
		     a->network, here ? "" : "not ");
		for (size_t k = 0; !o->identity.ip && k < a->n_static_ips; k++)
			check_address(c, e, a->static_ips[k]);
	}
	if (o->identity.ip)
		check_address(c, e, o->identity.ip);
}

static bool is_published(const struct network_port *p, const struct network_port *v, size_t n,
			 uint32_t number)
{
	struct network_port one = *p;

	one.host_port = number;
	one.range = 1;
	for (size_t i = 0; i < n; i++)
		if (network_ports_collide(&one, &v[i]))
			return true;
	return false;
}

struct port_user {
	const struct network_port *port;
	uint32_t number;
	char *by; /* owned */
};

static int look_for_port(void *context, struct container_config *config,
			 struct container_status *status, struct err *err UNUSED)
{
	struct port_user *u = context;

	if (is_published(u->port, status->ports, status->n_ports, u->number))
		replace_ptr(u->by, xstrdup(config->name));
	return 0;
}

static void check_ports(struct restore_check *c, struct engine *e, const struct container_config *g)
{
	for (size_t i = 0; i < g->n_ports; i++)
		for (uint32_t k = 0; g->ports[i].host_port && k < g->ports[i].range; k++) {
			struct port_user u = { &g->ports[i], g->ports[i].host_port + k, NULL };

			/* netavark's rules take packets before a socket would. */
			(void)record_each(e, look_for_port, &u, NULL);
			if (u.by)
				note(c, RESTORE_FAILS, "port", "%u is published by container %s",
				     u.number, u.by);
			else
				note(c,
				     network_port_is_free(u.port, u.number) ? RESTORE_FITS :
									      RESTORE_FAILS,
				     "port", "%u is %s", u.number,
				     network_port_is_free(u.port, u.number) ? "free" : "taken");
			free(u.by);
		}
}

void restore_check_run(struct restore_check *c, struct engine *e,
		       const struct archive_config *config, const struct runtime_spec *spec,
		       const struct container_config *g, const struct restore_import *o,
		       const struct archive_bind_mounts *known)
{
	struct json_object *host = NULL;

	if (config->extra.object)
		(void)json_object_object_get_ex(config->extra.object, HOST_KEY, &host);
	check_cpu(c, host);
	check_kernel(c, host);
	check_criu(c);
	check_lsm(c, spec->process);
	check_names(c, e, g);
	check_image(c, e, g);
	check_mounts(c, e, g, o, known);
	check_devices(c, e, g);
	check_networks(c, e, g, o);
	check_ports(c, e, g);
}
