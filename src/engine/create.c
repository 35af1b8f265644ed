/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/create.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/random.h"
#include "core/str.h"
#include "core/strvec.h"
#include "engine/containers_conf.h"
#include "engine/cleanup.h"
#include "engine/environment.h"
#include "engine/event.h"
#include "engine/facts.h"
#include "engine/generated_files.h"
#include "engine/image_use.h"
#include "engine/prepare.h"
#include "engine/records.h"
#include "engine/secret.h"
#include "engine/selinux.h"
#include "engine/specgen.h"
#include "engine/stop.h"
#include "engine/userns.h"
#include "engine/volume.h"
#include "kernel/caps.h"
#include "kernel/cpu_list.h"
#include "spec/sysctl_name.h"
#include "storage/rootfs.h"

#define ID_LENGTH 64
#define SHM_SIZE_DEFAULT (64 << 20)
#define PIDS_LIMIT_DEFAULT 2048
#define NAME_ATTEMPTS 20

static const char *const adjectives[] = {
	"amber", "bold",   "brisk", "calm",   "clear", "cold",	"crisp", "deep",
	"early", "fair",   "firm",  "frosty", "glad",  "grand", "icy",	 "keen",
	"kind",	 "light",  "mild",  "noble",  "pale",  "polar", "quick", "quiet",
	"rapid", "serene", "sharp", "silver", "slow",  "still", "swift", "white",
};
static const char *const surnames[] = {
	"amundsen",  "baffin",	  "bering",   "byrd",	  "charcot",	  "cook",	"davis",
	"drygalski", "ellsworth", "filchner", "franklin", "fuchs",	  "henson",	"hudson",
	"mackenzie", "mawson",	  "nansen",   "nobile",	  "nordenskjold", "parry",	"peary",
	"rae",	     "rasmussen", "ross",     "scott",	  "sedov",	  "shackleton", "sverdrup",
	"toll",	     "weddell",	  "wegener",  "wilkins",
};

bool container_name_is_valid(const char *name)
{
	return parse_is_name(name);
}

/* adjective_surname; n chooses. Caller owns. */
static char *random_name(uint64_t n)
{
	uint64_t rest = n / ARRAY_SIZE(adjectives) / ARRAY_SIZE(surnames);
	const char *a = adjectives[n % ARRAY_SIZE(adjectives)];
	const char *s = surnames[n / ARRAY_SIZE(adjectives) % ARRAY_SIZE(surnames)];

	return rest % 16 ? xasprintf("%s_%s%u", a, s, (unsigned int)(rest % 1000)) :
			   xasprintf("%s_%s", a, s);
}

bool container_hostname_is_valid(const char *name)
{
	const unsigned char *c = (const unsigned char *)name;

	/* Other alphabets too; but it is written to files that have lines, words and comments. */
	while (*c > ' ' && *c != 0x7f && *c != '#' && *c != '/')
		c++;
	return !*c && *name && strlen(name) <= HOST_NAME_MAX;
}

/* "container:NAME" becomes "container:ID", and what is depended on is noted. */
static int resolve_mode(struct engine *e, struct container_config *c, char **mode, struct err *err)
{
	const char *name = facts_mode_container(*mode);
	auto_free char *id = NULL;
	int r;

	if (!name)
		return 0;
	r = record_find(e, name, &id, err);
	if (r < 0)
		return r;
	replace_ptr(*mode, xasprintf("container:%s", id));
	json_strings_add(&c->dependencies, &c->n_dependencies, id);
	return 0;
}

static bool is_known_mode(const char *mode, const char *const *words)
{
	if (!mode || str_has_prefix(mode, "container:"))
		return true;
	if (str_has_prefix(mode, "ns:"))
		return mode[3] != '\0';
	return str_is_one_of(mode, words);
}

static int check_mode(const char *option, const char *mode, const char *const *words,
		      struct err *err)
{
	if (is_known_mode(mode, words))
		return 0;
	return err_set(err, ERR_UNSUPPORTED, "--%s '%s': unrecognized namespace mode %s passed",
		       option, mode, mode);
}

/* A container keeps what it calls private. Without a word it is shareable. */
static int check_ipc_donor(struct engine *e, const char *mode, struct err *err)
{
	const char *id = facts_mode_container(mode);
	auto_container struct container donor = CONTAINER_INIT;
	int r = id ? container_open_id(&donor, e, id, err) : 0;

	if (r < 0 || !id ||
	    !(str_eq(donor.config.ipc, "private") || str_eq(donor.config.ipc, "none")))
		return r;
	return err_set(err, ERR_INVALID,
		       "joining IPC of container %s is not allowed: non-shareable IPC (hint: use "
		       "IpcMode:shareable for the donor container)",
		       id);
}

static int check_userns(const char *mode, struct err *err)
{
	static const char *const words[] = { "host", "private", "auto", "keep-id", "nomap", NULL };

	if (!mode || str_has_prefix(mode, "auto:") || str_has_prefix(mode, "keep-id:"))
		return 0;
	return check_mode("userns", mode, words, err);
}

/* On the host's network it is the host, by name too, though in a namespace of its own. */
static void take_host_name(struct container_config *c)
{
	char name[HOST_NAME_MAX + 1] = "";

	if (c->hostname || !str_eq(c->network, "host") ||
	    (!str_is_empty(c->uts) && !str_eq(c->uts, "private")))
		return;
	if (gethostname(name, sizeof(name) - 1) == 0 && *name)
		c->hostname = xstrdup(name);
}

static int resolve_modes(struct engine *e, struct container_config *c, struct err *err)
{
	static const char *const words[] = { "private", "host", NULL };
	static const char *const ipc_words[] = { "private", "host", "none", "shareable", NULL };
	static const char *const network_words[] = { "none", "host", "bridge", NULL };
	static const char *const cgroups_words[] = { "enabled", "disabled", "no-conmon", "split",
						     NULL };
	char **modes[] = { &c->network, &c->pid, &c->ipc, &c->uts, &c->userns, &c->cgroupns };
	int r = check_mode("network", c->network, network_words, err);

	if (r == 0)
		r = check_mode("pid", c->pid, words, err);
	if (r == 0)
		r = check_mode("ipc", c->ipc, ipc_words, err);
	if (r == 0)
		r = check_mode("uts", c->uts, words, err);
	if (r == 0)
		r = check_userns(c->userns, err);
	if (r == 0)
		r = check_mode("cgroupns", c->cgroupns, words, err);
	if (r == 0)
		r = check_mode("cgroups", c->cgroups, cgroups_words, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(modes); i++)
		r = resolve_mode(e, c, modes[i], err);
	if (r == 0)
		r = check_ipc_donor(e, c->ipc, err);
	for (size_t i = 0; r == 0 && str_eq(c->network, "host") && i < c->sysctl.n; i++)
		if (str_has_prefix(c->sysctl.v[i].key, "net."))
			r = err_set(
				err, ERR_INVALID,
				"sysctl %s=%s can't be set since Network Namespace set to host: "
				"invalid argument",
				c->sysctl.v[i].key, c->sysctl.v[i].value);
	if (r == 0 && !str_is_empty(c->hostname) && !container_hostname_is_valid(c->hostname))
		r = err_set(err, ERR_INVALID,
			    "--hostname '%s': expected at most %d characters without white space, "
			    "'/' and '#'",
			    c->hostname, HOST_NAME_MAX);
	if (r == 0 && str_eq(c->uts, "host") && c->hostname)
		r = err_set(err, ERR_INVALID,
			    "cannot set hostname when running in the host UTS "
			    "namespace");
	if (r == 0)
		take_host_name(c);
	return r;
}

/* --requires: names become ids. */
static int resolve_dependencies(struct engine *e, struct container_config *c, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_dependencies; i++) {
		auto_free char *id = NULL;

		r = record_find(e, c->dependencies[i], &id, err);
		if (r == 0)
			replace_ptr(c->dependencies[i], take_ptr(id));
	}
	return r < 0 ? err_wrap(err, r, "--requires") : 0;
}

static int resolve_secrets(struct engine *e, struct container_config *c, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_secrets; i++) {
		auto_secret struct secret s = { 0 };

		r = secret_load(e, c->secrets[i].name, &s, err);
		if (r < 0)
			break;
		replace_ptr(c->secrets[i].id, take_ptr(s.id));
		replace_ptr(c->secrets[i].name, take_ptr(s.name));
	}
	return r;
}

/* That there is such a zone; which file it is is asked for again at each start. */
static int check_timezone(const struct container_config *c, struct err *err)
{
	auto_free char *path = NULL;

	return c->timezone ? generated_files_find_timezone(c->timezone, &path, err) : 0;
}

static int check_volumes_from(const struct strvec *options, struct err *err)
{
	static const char *const words[] = { "ro", "rw", "z", "Z", NULL };

	for (size_t i = 0; i < options->n; i++)
		if (!str_is_one_of(options->v[i], words))
			return err_set(err, ERR_INVALID,
				       "invalid option \"%s\" specified - volumes from another "
				       "container can only use z,ro,rw options",
				       options->v[i]);
	return 0;
}

/* Those that it has there, unless it shall have others here. */
static void take_options(struct container_mount *to, const struct container_mount *from,
			 const struct strvec *given)
{
	bool access = strvec_contains(given, "ro") || strvec_contains(given, "rw");

	for (size_t i = 0; i < from->n_options; i++)
		if (!access || !(str_eq(from->options[i], "ro") || str_eq(from->options[i], "rw")))
			json_strings_add(&to->options, &to->n_options, from->options[i]);
	for (size_t i = 0; i < given->n; i++)
		json_strings_add(&to->options, &to->n_options, given->v[i]);
}

/* The mounts of other containers, unless this one has something at the same place. */
static int resolve_volumes_from(struct engine *e, struct container_config *c, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_volumes_from; i++) {
		auto_container struct container other = CONTAINER_INIT;
		auto_free char *name = xstrdup(c->volumes_from[i]);
		auto_strvec struct strvec options = STRVEC_INIT;
		char *colon = strchr(name, ':');

		if (colon) {
			strvec_split(&options, colon + 1, ',', false);
			*colon = '\0';
		}
		r = check_volumes_from(&options, err);
		if (r == 0)
			r = container_open(&other, e, name, err);
		for (size_t k = 0; r == 0 && k < other.config.n_mounts; k++) {
			const struct container_mount *from = &other.config.mounts[k];
			struct container_mount *m;

			if (container_config_mount(c, from->destination) ||
			    str_eq(from->type, "tmpfs"))
				continue;
			m = array_push(c->mounts, c->n_mounts);
			m->type = xstrdup(from->type);
			m->source = xstrdup(from->source);
			m->destination = xstrdup(from->destination);
			m->subpath = xstrdup(from->subpath);
			take_options(m, from, &options);
		}
	}
	return r;
}

static int make_volumes(struct engine *e, struct container_config *c, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_mounts; i++) {
		struct container_mount *m = &c->mounts[i];
		struct volume_options options = { .name = m->source, .ignore = true };

		if (!str_eq(m->type, "volume"))
			continue;
		options.anonymous = !m->source;
		m->anonymous = m->anonymous || !m->source;
		if (m->source)
			r = volume_create(e, &options, NULL, err);
		else
			r = volume_create(e, &options, &m->source, err);
	}
	return r;
}

static void set_defaults(const struct engine *e, struct container_config *c)
{
	const char *runtime = engine_runtime_name(e);

	replace_ptr(c->id, random_hex(ID_LENGTH));
	c->created_ns = (int64_t)clock_now_realtime_ns();
	c->runtime = strchr(runtime, '/') ? path_absolute(runtime, NULL) : xstrdup(runtime);
	if (c->shm_size == 0)
		c->shm_size = SHM_SIZE_DEFAULT;
	if (!c->log_driver)
		c->log_driver = xstrdup("k8s-file");
	if (!c->network)
		c->network = xstrdup("none");
	if (!c->umask)
		c->umask = xstrdup("0022");
	if (!c->limits.pids.set && !str_eq(c->cgroups, "disabled"))
		c->limits.pids = (struct opt_i64){ true, PIDS_LIMIT_DEFAULT };
}

static int check_cpuset(const char *list, const char *what, const char *name, const char *kind,
			struct err *err)
{
	auto_free char *path = xasprintf("/sys/devices/system/%s/online", kind);
	/* There is no list of nodes where the kernel knows of none: there is one then. */
	auto_free char *read = list ? io_read_line_at(AT_FDCWD, path) : NULL;
	const char *available = read ? read : "0";
	int r;

	if (str_is_empty(list) || (!read && str_eq(kind, "cpu")))
		return 0;
	r = cpu_list_is_within(list, available);
	if (r < 0)
		return err_set(err, ERR_INVALID,
			       "invalid value %s for %s: expected a list such as 0-3,7", list,
			       what);
	if (r == 0)
		return err_set(err, ERR_INVALID,
			       "requested %s are not available - requested %s, available: %s", name,
			       list, available);
	return 0;
}

/* More than podman lets through: every one that a container can have for itself. */
static int check_sysctl(const struct json_string_map *sysctl, struct err *err)
{
	for (size_t i = 0; i < sysctl->n; i++) {
		auto_free char *path = sysctl_name_to_path(sysctl->v[i].key);

		if (!path || !sysctl_path_namespace(path))
			return err_set(
				err, ERR_INVALID,
				"sysctl '%s' is not allowed: it belongs to no namespace of a "
				"container; set it on the host",
				sysctl->v[i].key);
	}
	return 0;
}

static int check_sources(const struct container_config *c, struct err *err)
{
	struct stat st;

	for (size_t i = 0; i < c->n_mounts; i++)
		if (str_eq(c->mounts[i].type, "bind") && c->mounts[i].source &&
		    stat(c->mounts[i].source, &st) < 0)
			return err_sys(err, -errno, "statfs %s", c->mounts[i].source);
	return 0;
}

static bool is_same_mount(const struct container_mount *a, const struct container_mount *b)
{
	if (!str_eq(a->type, b->type) || !str_eq(a->source, b->source) ||
	    !str_eq(a->destination, b->destination) || !str_eq(a->subpath, b->subpath) ||
	    a->n_options != b->n_options)
		return false;
	for (size_t i = 0; i < a->n_options; i++)
		if (!str_eq(a->options[i], b->options[i]))
			return false;
	return a->source || str_eq(a->type, "tmpfs");
}

/* Whoever says the same twice, as scripts that put options together do, contradicts nobody. */
static void drop_repeated_mounts(struct container_config *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->n_mounts; i++) {
		bool repeated = false;

		for (size_t k = 0; k < kept; k++)
			repeated = repeated || is_same_mount(&c->mounts[k], &c->mounts[i]);
		if (repeated)
			container_mount_done(&c->mounts[i]);
		else
			c->mounts[kept++] = c->mounts[i];
	}
	c->n_mounts = kept;
}

/* What would only show when it is started. */
static int check(struct container_config *c, struct err *err)
{
	struct oci_resources rules = { 0 };
	uint64_t bounding;
	uint64_t added;
	struct stat st;
	int r = 0;

	if (c->stop_signal && container_signal(c->stop_signal, err) < 0)
		return err->code;
	if (c->rootfs && (stat(c->rootfs, &st) < 0 || !S_ISDIR(st.st_mode)))
		return err_set(err, ERR_NOT_FOUND, "root file system '%s': no such directory",
			       c->rootfs);
	for (size_t i = 0; r == 0 && i < c->n_device_cgroup_rules; i++)
		r = specgen_device_rule(&rules, c->device_cgroup_rules[i], err);
	json_done(&oci_resources_desc, &rules);
	if (r == 0)
		r = check_cpuset(c->limits.cpuset_cpus, "cpuset cpus", "CPUs", "cpu", err);
	if (r == 0)
		r = check_cpuset(c->limits.cpuset_mems, "cpuset mems", "memory nodes", "node", err);
	if (r == 0)
		r = check_sysctl(&c->sysctl, err);
	if (r == 0)
		r = check_sources(c, err);
	if (r < 0)
		return r;
	drop_repeated_mounts(c);
	for (size_t i = 0; i < c->n_mounts; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(c->mounts[i].destination, c->mounts[k].destination))
				return err_set(err, ERR_INVALID, "%s: duplicate mount destination",
					       c->mounts[i].destination);
	return specgen_capabilities(c, caps_last(), &bounding, &added, err);
}

/* Those that were made for a container that there will not be. */
static void drop_volumes(struct engine *e, const struct container_config *c)
{
	for (size_t i = 0; i < c->n_mounts; i++)
		if (c->mounts[i].anonymous && c->mounts[i].source)
			(void)volume_remove(e, c->mounts[i].source, NULL);
}

static int make_rootfs(struct engine *e, const struct container_config *c, const char *top,
		       struct err *err)
{
	auto_idmap struct idmap uids;
	auto_idmap struct idmap gids;
	const struct rootfs_options options = { .top = top, .uids = &uids, .gids = &gids };
	struct store *store;
	int r = engine_store(e, &store, err);

	userns_maps(c, &uids, &gids);
	return r < 0 ? r : rootfs_create(store, c->id, &options, err);
}

static uint64_t random_number(void)
{
	uint64_t n = 0;

	(void)!getrandom(&n, sizeof(n), 0);
	return n;
}

/* With a name of its own, or one that nobody has. */
static int add_record(struct engine *e, struct container_config *c, struct container_status *s,
		      struct err *err)
{
	bool named = c->name != NULL;
	int r = -EEXIST;

	for (int i = 0; r == -EEXIST && i < (named ? 1 : NAME_ATTEMPTS); i++) {
		if (!named)
			replace_ptr(c->name, random_name(random_number()));
		err_clear(err);
		r = record_add(e, c, s, err);
	}
	return r;
}

/* With --publish-all also what the image and --expose name, at ports that are chosen at each start. */
static int publish_exposed(struct container_config *c, struct err *err)
{
	auto_network_ports struct network_ports exposed = NETWORK_PORTS_INIT;
	int r = 0;

	for (size_t i = 0; r == 0 && c->publish_all && i < c->n_expose; i++)
		r = network_ports_parse_exposed(&exposed, c->expose[i], err);
	network_ports_drop_published(&exposed, c->ports, c->n_ports);
	for (size_t i = 0; r == 0 && i < exposed.n; i++)
		*array_push(c->ports, c->n_ports) = exposed.v[i];
	/* They are the container's now. */
	if (r == 0)
		exposed.n = 0;
	return r;
}

/* The variables of containers.conf, where neither the user nor the image sets them. */
static void add_configured_env(const struct engine *e, struct container_config *c,
			       const struct create_params *p)
{
	for (size_t i = 0; !p->unset_all_env && i < e->conf->containers.n_env; i++) {
		const char *entry = e->conf->containers.env[i];
		const char *equals = strchr(entry, '=');
		auto_free char *name = xstrndup(entry, equals ? (size_t)(equals - entry) : 0);
		size_t len = strlen(name) + 1;
		bool taken = !*name || (p->unset_env && strvec_contains(p->unset_env, name));

		for (size_t k = 0; !taken && k < c->n_env; k++)
			taken = strncmp(c->env[k], entry, len) == 0;
		if (!taken)
			json_strings_add(&c->env, &c->n_env, entry);
	}
}

/* What --env-merge can be made of: also the variables that the container has without being told. */
static void known_variables(const struct container_config *c, struct strvec *ret)
{
	static const char *const defaults[] = { "PATH=" ENVIRONMENT_PATH, "container=podman" };

	strvec_add_all(ret, c->env, c->n_env);
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		auto_free char *name = xstrndup(defaults[i], strcspn(defaults[i], "="));
		bool unwanted = false;

		for (size_t k = 0; k < c->n_unset_env; k++)
			unwanted = unwanted || str_eq(c->unset_env[k], name);
		if (!unwanted && !environment_has(c->env, c->n_env, defaults[i]))
			strvec_add(ret, defaults[i]);
	}
}

/* Variables that are made of others, and which of the defaults are not wanted. */
static void finish_env(struct container_config *c, const struct create_params *p)
{
	static const char *const defaults[] = { "PATH", "TERM", "container" };

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (p->unset_all_env ||
		    (p->unset_env && strvec_contains(p->unset_env, defaults[i])))
			json_strings_add(&c->unset_env, &c->n_unset_env, defaults[i]);
	for (size_t i = 0; p->merge_env && i < p->merge_env->n; i++) {
		auto_strvec struct strvec known = STRVEC_INIT;
		auto_free char *entry = NULL;

		known_variables(c, &known);
		entry = environment_expand(p->merge_env->v[i], known.v, known.n);
		environment_set(&c->env, &c->n_env, entry);
	}
}

static int hold_content(struct engine *e, bool hold, struct err *err)
{
	struct store *store;
	int r = engine_store(e, &store, err);

	if (r == 0 && hold)
		r = store_content_hold(store, err);
	else if (r == 0)
		store_content_release(store);
	return r;
}

static bool has_volumes(const struct container_config *c)
{
	for (size_t i = 0; i < c->n_mounts; i++)
		if (str_eq(c->mounts[i].type, "volume"))
			return true;
	return false;
}

/* Where containers.conf wants it; otherwise the first start fills them. */
static int prepare_volumes(struct container *c, struct err *err)
{
	const struct remove_options remove = { .force = true, .volumes = true };
	struct err removal = ERR_INIT;
	int r;

	if (!c->engine->conf->containers.prepare_volume_on_create.v || !has_volumes(&c->config))
		return 0;
	r = container_lock(c, err);
	if (r < 0)
		return r;
	r = container_fill_volumes(c, err);
	if (r < 0 && container_remove(c, &remove, &removal) < 0)
		log_warning("%s", removal.msg);
	container_unlock(c);
	return r;
}

int container_create(struct container *ret, struct engine *e, struct container_config *config,
		     const struct create_params *params, struct err *err)
{
	struct container_config c = *config;
	struct container_status s = { .phase = PHASE_CREATED };
	auto_free char *top = NULL;
	auto_close int userns_lock = -EBADF;
	int r = 0;

	*config = (struct container_config){ 0 };
	if (c.name && !container_name_is_valid(c.name))
		r = err_set(err, ERR_INVALID,
			    "names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: '%s': invalid argument",
			    c.name);
	set_defaults(e, &c);
	if (r == 0 && !c.rootfs)
		r = image_use(e, &c, params, &top, err);
	add_configured_env(e, &c, params);
	finish_env(&c, params);
	if (r == 0)
		r = publish_exposed(&c, err);
	if (r == 0)
		r = resolve_dependencies(e, &c, err);
	if (r == 0)
		r = resolve_modes(e, &c, err);
	if (r == 0)
		r = userns_resolve(e, &c, top, &userns_lock, err);
	if (r == 0)
		r = resolve_volumes_from(e, &c, err);
	if (r == 0)
		r = check(&c, err);
	if (r == 0)
		r = selinux_resolve(e, &c, err);
	if (r == 0)
		r = resolve_secrets(e, &c, err);
	if (r == 0)
		r = check_timezone(&c, err);
	if (r == 0)
		r = make_volumes(e, &c, err);
	s.boot_id = xstrdup(container_boot_id());
	(void)record_set_passing(e, c.auto_remove);
	/* Between record and root file system it is incomplete, which `system check` is not to see. */
	if (r == 0 && !c.rootfs)
		r = hold_content(e, true, err);
	if (r == 0)
		r = add_record(e, &c, &s, err);
	if (r == 0 && !c.rootfs) {
		r = make_rootfs(e, &c, top, err);
		if (r < 0)
			(void)record_remove(e, c.id, NULL);
	}
	if (!c.rootfs)
		(void)hold_content(e, false, NULL);
	(void)record_set_passing(e, false);
	if (r < 0) {
		drop_volumes(e, &c);
		container_config_done(&c);
		container_status_done(&s);
		return r;
	}
	container_from(ret, e, &c, &s);
	event_container(ret, "create");
	return prepare_volumes(ret, err);
}
