/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe/create_options.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/io.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/environment.h"

#define TEXT_FILE_MAX (4U << 20)
#define CPU_PERIOD 100000
#define FD_MAX 1024

extern char **environ;

const struct create_options create_options_default = { .stop_timeout = 10 };

static void copy_list(const struct strvec *from, char ***to, size_t *n)
{
	for (size_t i = 0; i < from->n; i++)
		json_strings_add(to, n, from->v[i]);
}

#define COPY_LIST(from, to, member) copy_list(&(from), &(to)->member, &(to)->n_##member)

/* --- environment ------------------------------------------------------------------------------------ */

/* "NAME*": all of the caller's that begin with NAME. */
static void set_matching(char ***env, size_t *n, const char *pattern)
{
	size_t len = strlen(pattern) - 1;

	for (char **e = environ; *e; e++)
		if (strncmp(*e, pattern, len) == 0 && strcspn(*e, "=") >= len)
			environment_set(env, n, *e);
}

void create_env_set(char ***env, size_t *n, const char *text)
{
	auto_free char *entry = NULL;

	if (!strchr(text, '=')) {
		if (str_has_suffix(text, "*")) {
			set_matching(env, n, text);
			return;
		}
		const char *value = getenv(text);

		if (!value)
			return;
		entry = xasprintf("%s=%s", text, value);
	} else {
		entry = xstrdup(text);
	}
	environment_set(env, n, entry);
}

int create_env_check(const char *text, struct err *err)
{
	if (!*text || *text == '=')
		return err_set(err, ERR_INVALID, "invalid variable: \"%s\"", text);
	return 0;
}

static int each_line(const char *path, int (*each)(void *context, char *line, struct err *err),
		     void *context, struct err *err)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	char *rest;
	char *line;
	int r = io_read_file_at(AT_FDCWD, path, TEXT_FILE_MAX, &sb);

	if (r < 0)
		return err_sys(err, r, "read '%s'", path);
	rest = sb.buf;
	while (r == 0 && (line = strsep(&rest, "\n"))) {
		line += strspn(line, " \t");
		line[strcspn(line, "\r")] = '\0';
		if (*line && *line != '#')
			r = each(context, line, err);
	}
	return r;
}

struct env_file {
	const char *path;
	char ***env;
	size_t *n;
};

static int set_env_line(void *context, char *line, struct err *err)
{
	const struct env_file *file = context;

	if (*line == '=')
		return err_set(err, ERR_INVALID, "parsing file \"%s\": invalid variable: \"%s\"",
			       file->path, line);
	create_env_set(file->env, file->n, line);
	return 0;
}

int create_env_file(const char *path, char ***env, size_t *n, struct err *err)
{
	struct env_file file = { path, env, n };

	return each_line(path, set_env_line, &file, err);
}

static int apply_env(const struct create_options *o, struct container_config *c, struct err *err)
{
	static const char *const proxies[] = {
		"http_proxy", "https_proxy", "ftp_proxy", "no_proxy",
		"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY"
	};
	int r = 0;

	for (size_t i = 0; (!o->http_proxy.set || o->http_proxy.v) && i < ARRAY_SIZE(proxies); i++)
		create_env_set(&c->env, &c->n_env, proxies[i]);
	for (char **e = environ; o->env_host && *e; e++)
		create_env_set(&c->env, &c->n_env, *e);
	for (size_t i = 0; r == 0 && i < o->env_file.n; i++)
		r = create_env_file(o->env_file.v[i], &c->env, &c->n_env, err);
	for (size_t i = 0; r == 0 && i < o->env.n; i++) {
		/* Nothing means nothing here, as with podman; exec and update refuse it. */
		r = *o->env.v[i] ? create_env_check(o->env.v[i], err) : 0;
		if (r == 0)
			create_env_set(&c->env, &c->n_env, o->env.v[i]);
	}
	for (size_t i = 0; r == 0 && i < o->env_merge.n; i++)
		if (!strchr(o->env_merge.v[i], '=') || o->env_merge.v[i][0] == '=')
			return err_set(err, ERR_INVALID, "--env-merge '%s': expected NAME=VALUE",
				       o->env_merge.v[i]);
	return r;
}

/* --- labels and the like ---------------------------------------------------------------------------- */

static void map_set(struct json_string_map *map, const char *text)
{
	const char *equals = strchr(text, '=');
	auto_free char *key = equals ? xstrndup(text, (size_t)(equals - text)) : xstrdup(text);

	json_string_map_set(map, key, equals ? equals + 1 : "");
}

static int set_label_line(void *context, char *line, struct err *err UNUSED)
{
	map_set(context, line);
	return 0;
}

static int apply_maps(const struct create_options *o, struct container_config *c, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->label_files.n; i++)
		r = each_line(o->label_files.v[i], set_label_line, &c->labels, err);
	if (r < 0)
		return r;
	if (o->no_hosts && o->add_hosts.n > 0)
		return err_set(err, ERR_USAGE, "--no-hosts and --add-host cannot be set together");
	if (o->groups.n > 1 && strvec_contains(&o->groups, "keep-groups"))
		return err_set(err, ERR_USAGE,
			       "the '--group-add keep-groups' option is not allowed with any other "
			       "--group-add options");
	for (size_t i = 0; i < o->labels.n; i++) {
		if (o->labels.v[i][0] == '=')
			return err_set(err, ERR_INVALID, "invalid label format: \"%s\"",
				       o->labels.v[i]);
		map_set(&c->labels, o->labels.v[i]);
	}
	for (size_t i = 0; i < o->annotations.n; i++) {
		if (!strchr(o->annotations.v[i], '=') || o->annotations.v[i][0] == '=')
			return err_set(err, ERR_INVALID, "annotation '%s': expected KEY=VALUE",
				       o->annotations.v[i]);
		map_set(&c->annotations, o->annotations.v[i]);
	}
	for (size_t i = 0; i < o->sysctl.n; i++) {
		if (!strchr(o->sysctl.v[i], '='))
			return err_set(
				err, ERR_INVALID,
				"%s is invalid, sysctl values must be in the form of KEY=VALUE",
				o->sysctl.v[i]);
		map_set(&c->sysctl, o->sysctl.v[i]);
	}
	return 0;
}

/* --- limits ----------------------------------------------------------------------------------------- */

/* /dev/sda:VALUE */
static int throttle(const struct strvec *from, bool is_size, struct container_throttle **to,
		    size_t *n, const char *option, struct err *err)
{
	for (size_t i = 0; i < from->n; i++) {
		const char *text = from->v[i];
		const char *colon = strrchr(text, ':');
		struct container_throttle *t;
		uint64_t value;

		if (!colon || colon == text ||
		    (is_size ? parse_size(colon + 1, &value) : parse_u64(colon + 1, &value)) < 0)
			return err_set(err, ERR_INVALID, "--%s '%s': expected DEVICE:VALUE", option,
				       text);
		*to = array_reserve_one(*to, *n, sizeof(**to));
		t = &(*to)[(*n)++];
		t->path = xstrndup(text, (size_t)(colon - text));
		t->value = value;
	}
	return 0;
}

static int parse_cpus(const char *text, struct container_limits *ret, struct err *err)
{
	char *end;
	double n;

	errno = 0;
	n = strtod(text, &end);
	/* strtod(3) knows more than decimal numbers. */
	if (errno || *end || end == text || text[strspn(text, "0123456789.")] || !(n > 0) ||
	    n > 100000)
		return err_set(err, ERR_INVALID, "--cpus '%s': expected a number such as 1.5",
			       text);
	ret->cpu_period = (struct opt_u64){ true, CPU_PERIOD };
	ret->cpu_quota = (struct opt_i64){ true, (int64_t)(n * CPU_PERIOD + 0.5) };
	return 0;
}

/* What every kernel refuses, in the words of podman. */
static int check_cfs(const struct container_limits *l, struct err *err)
{
	if (l->cpu_period.set && l->cpu_period.v != 0 &&
	    (l->cpu_period.v < 1000 || l->cpu_period.v > 1000000))
		return err_set(err, ERR_INVALID,
			       "CPU cfs period cannot be less than 1ms (i.e. 1000) or larger than "
			       "1s (i.e. 1000000)");
	if (l->cpu_quota.set && l->cpu_quota.v > 0 && l->cpu_quota.v < 1000)
		return err_set(err, ERR_INVALID,
			       "CPU cfs quota cannot be less than 1ms (i.e. 1000)");
	return 0;
}

int create_options_limits(const struct create_options *o, struct container_limits *l,
			  struct err *err)
{
	int r = 0;

	l->memory = o->memory;
	l->memory_swap = o->memory_swap;
	l->memory_reservation = o->memory_reservation;
	if (o->memory_swappiness.set && o->memory_swappiness.v >= 0)
		l->memory_swappiness = (struct opt_u64){ true, (uint64_t)o->memory_swappiness.v };
	if (o->oom_kill_disable)
		l->oom_kill_disable = (struct opt_bool){ true, true };
	l->cpu_shares = o->cpu_shares;
	l->cpu_period = o->cpu_period;
	l->cpu_quota = o->cpu_quota;
	l->cpu_rt_period = o->cpu_rt_period;
	l->cpu_rt_runtime = o->cpu_rt_runtime;
	l->cpuset_cpus = xstrdup(o->cpuset_cpus);
	l->cpuset_mems = xstrdup(o->cpuset_mems);
	l->pids = o->pids_limit;
	if (o->blkio_weight.set)
		l->blkio_weight = (struct opt_u32){ true, (uint32_t)o->blkio_weight.v };
	if (o->cpus && (o->cpu_quota.set || o->cpu_period.set))
		return err_set(err, ERR_INVALID, "%s and --cpus cannot be set together",
			       o->cpu_period.set ? "--cpu-period" : "--cpu-quota");
	if (o->memory_swap.set && o->memory_swap.v > 0 && !o->memory.set)
		return err_set(err, ERR_INVALID,
			       "you should always set a memory limit when using a memoryswap "
			       "limit, see usage");
	if (o->memory_swap.set && o->memory_swap.v >= 0 && o->memory_swap.v < o->memory.v)
		return err_set(err, ERR_INVALID,
			       "minimum memoryswap limit should be larger than memory limit, see "
			       "usage: --memory-swap is the limit of both together");
	if (o->memory.set && o->memory.v > 0 && o->memory_reservation.v > o->memory.v)
		return err_set(err, ERR_INVALID,
			       "minimum memory limit cannot be less than memory reservation limit, "
			       "see usage");
	if (o->cpus)
		r = parse_cpus(o->cpus, l, err);
	if (r == 0)
		r = check_cfs(l, err);
	if (r == 0)
		r = throttle(&o->blkio_weight_device, false, &l->blkio_weight_device,
			     &l->n_blkio_weight_device, "blkio-weight-device", err);
	if (r == 0)
		r = throttle(&o->read_bps, true, &l->read_bps, &l->n_read_bps, "device-read-bps",
			     err);
	if (r == 0)
		r = throttle(&o->write_bps, true, &l->write_bps, &l->n_write_bps,
			     "device-write-bps", err);
	if (r == 0)
		r = throttle(&o->read_iops, false, &l->read_iops, &l->n_read_iops,
			     "device-read-iops", err);
	if (r == 0)
		r = throttle(&o->write_iops, false, &l->write_iops, &l->n_write_iops,
			     "device-write-iops", err);
	for (size_t i = 0; i < o->cgroup_conf.n; i++)
		map_set(&l->unified, o->cgroup_conf.v[i]);
	return r;
}

/* --- the whole -------------------------------------------------------------------------------------- */

int create_options_restart(const char *text, struct container_config *c, struct err *err)
{
	const char *count = text ? str_skip_prefix(text, "on-failure:") : NULL;

	if (str_is_empty(text))
		return 0;
	if (count) {
		if (parse_u32(count, &c->restart_max) < 0)
			return err_set(err, ERR_INVALID, "--restart '%s': '%s' is no number", text,
				       count);
		text = "on-failure";
	} else if (!str_eq(text, "no") && !str_eq(text, "never") && !str_eq(text, "always") &&
		   !str_eq(text, "on-failure") && !str_eq(text, "unless-stopped")) {
		return err_set(err, ERR_INVALID, "--restart '%s': invalid restart policy", text);
	}
	if (c->auto_remove && !str_eq(text, "no") && !str_eq(text, "never"))
		return err_set(
			err, ERR_INVALID,
			"the --rm option conflicts with --restart, when the restartPolicy is "
			"not \"\" and \"no\"");
	replace_ptr(c->restart_policy, xstrdup(str_eq(text, "never") ? "no" : text));
	return 0;
}

static int apply_entrypoint(const char *text, struct container_config *c, struct err *err)
{
	struct list {
		char **v;
		size_t n_v;
	} list = { 0 };
	JSON_DESC_STATIC(list_desc, struct list, F_STRINGS(struct list, v, "v", 0));

	if (!text)
		return 0;
	for (size_t i = 0; i < c->n_entrypoint; i++)
		free(c->entrypoint[i]);
	c->n_entrypoint = 0;
	if (text[0] == '[') {
		auto_free char *object = xasprintf("{\"v\":%s}", text);
		int r = json_decode(&list_desc, &list, object, strlen(object), "--entrypoint", err);

		if (r < 0)
			return r;
		for (size_t i = 0; i < list.n_v; i++)
			if (*list.v[i] || list.n_v > 1)
				json_strings_add(&c->entrypoint, &c->n_entrypoint, list.v[i]);
		json_done(&list_desc, &list);
	} else if (*text) {
		json_strings_add(&c->entrypoint, &c->n_entrypoint, text);
	}
	return 0;
}

/* conmon would only say in the system's log that it cannot write there. */
static int check_log_path(const char *given, const char *path, struct err *err)
{
	auto_free char *dir = path ? path_dirname(path) : NULL;
	struct stat st;

	if (!dir || !*given)
		return err_set(err, ERR_INVALID, "--log-opt 'path=%s': expected a file", given);
	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? err_sys(err, -EISDIR, "--log-opt 'path=%s'", given) :
					     0;
	if (stat(dir, &st) < 0)
		return err_sys(err, -errno, "--log-opt 'path=%s': directory '%s'", given, dir);
	return S_ISDIR(st.st_mode) ? 0 : err_sys(err, -ENOTDIR, "--log-opt 'path=%s'", given);
}

static int apply_log(const struct create_options *o, struct container_config *c, struct err *err)
{
	static const char *const drivers[] = { "k8s-file", "json-file",	  "journald",
					       "none",	   "passthrough", "passthrough-tty" };
	bool known = !o->log_driver;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		known = known || str_eq(o->log_driver, drivers[i]);
	if (!known)
		return err_set(err, ERR_UNSUPPORTED, "--log-driver '%s': invalid log driver",
			       o->log_driver);
	c->log_driver = xstrdup(o->log_driver);
	for (size_t i = 0; i < o->log_opts.n; i++) {
		const char *text = o->log_opts.v[i];
		const char *value;
		uint64_t size;

		if ((value = str_skip_prefix(text, "path="))) {
			replace_ptr(c->log_path, path_absolute(value, NULL));
			r = check_log_path(value, c->log_path, err);
			if (r < 0)
				return r;
		} else if ((value = str_skip_prefix(text, "tag="))) {
			if (!str_eq(o->log_driver, "journald"))
				return err_set(err, ERR_INVALID,
					       "--log-opt '%s': only the log driver journald has "
					       "tags; give --log-driver journald",
					       text);
			replace_ptr(c->log_tag, xstrdup(value));
		} else if ((value = str_skip_prefix(text, "max-size="))) {
			/* Unlike other sizes a decimal one, in podman and docker. */
			if (parse_size_decimal(value, &size) < 0 || size > INT64_MAX)
				return err_set(err, ERR_INVALID, "--log-opt '%s': no size", text);
			c->log_size_max = (struct opt_i64){ true, (int64_t)size };
		} else {
			return err_set(err, ERR_UNSUPPORTED, "--log-opt '%s': not supported", text);
		}
	}
	return 0;
}

static void apply_strings(const struct create_options *o, struct container_config *c)
{
	const struct {
		const char *from;
		char **to;
	} strings[] = {
		{ str_is_empty(o->name) ? NULL : o->name, &c->name },
		{ o->hostname, &c->hostname },
		{ o->workdir, &c->workdir },
		{ o->user, &c->user },
		{ o->stop_signal, &c->stop_signal },
		{ o->pid, &c->pid },
		{ o->ipc, &c->ipc },
		{ o->uts, &c->uts },
		{ o->userns, &c->userns },
		{ o->cgroupns, &c->cgroupns },
		{ o->cgroups, &c->cgroups },
		{ o->cgroup_parent, &c->cgroup_parent },
		{ o->systemd, &c->systemd },
		{ o->umask, &c->umask },
		{ o->timezone, &c->timezone },
		{ o->personality, &c->personality },
		{ o->hosts_file, &c->hosts_file },
		{ o->passwd_entry, &c->passwd_entry },
		{ o->group_entry, &c->group_entry },
		{ o->sdnotify, &c->sdnotify },
	};
	const struct {
		const char *from;
		char **to;
	} paths[] = {
		{ o->cidfile, &c->cidfile },
		{ o->pidfile, &c->pidfile },
		{ o->conmon_pidfile, &c->conmon_pidfile },
		{ o->init_path, &c->init_path },
	};

	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		if (strings[i].from)
			replace_ptr(*strings[i].to, xstrdup(strings[i].from));
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (paths[i].from)
			replace_ptr(*paths[i].to, path_absolute(paths[i].from, NULL));
}

static void apply_flags(const struct create_options *o, struct container_config *c)
{
	c->tty = o->tty;
	c->interactive = o->interactive;
	c->init = o->init || o->init_path;
	c->privileged = o->privileged;
	c->read_only = o->read_only;
	c->read_write_tmpfs = !o->read_write_tmpfs.set || o->read_write_tmpfs.v;
	c->auto_remove = o->remove.v || o->remove_image;
	c->no_hosts = o->no_hosts;
	c->no_hostname = o->no_hostname;
	c->no_passwd = o->passwd.set && !o->passwd.v;
	c->stop_timeout = o->stop_timeout;
	c->timeout = o->timeout;
	c->preserve_fds = o->preserve_fds;
	c->oom_score_adj = o->oom_score_adj;
	c->shm_size = !o->shm_size.set ? 0 : o->shm_size.v > 0 ? o->shm_size.v : -1;
	c->shm_size_systemd = o->shm_size_systemd;
	c->auto_remove_image = o->remove_image;
	c->workdir_must_exist = o->workdir != NULL;
	COPY_LIST(o->host_users, c, host_users);
	COPY_LIST(o->preserve_fd, c, preserve_fd);
	COPY_LIST(o->cap_add, c, cap_add);
	COPY_LIST(o->cap_drop, c, cap_drop);
	COPY_LIST(o->groups, c, groups);
	COPY_LIST(o->device_rules, c, device_cgroup_rules);
	COPY_LIST(o->dns, c, dns);
	COPY_LIST(o->dns_search, c, dns_search);
	COPY_LIST(o->dns_options, c, dns_options);
	COPY_LIST(o->add_hosts, c, add_hosts);
	COPY_LIST(o->volumes_from, c, volumes_from);
	/* Names, which container_create() looks up. */
	COPY_LIST(o->requires, c, dependencies);
	COPY_LIST(o->security_opts, c, security_opts);
}

static int apply_root(const struct create_options *o, const char *image, struct container_config *c,
		      struct err *err)
{
	auto_free char *path = NULL;

	if (!o->rootfs) {
		c->image_name = xstrdup(image);
		return 0;
	}
	path = xstrdup(image);
	if (str_has_suffix(path, ":O")) {
		path[strlen(path) - 2] = '\0';
		c->rootfs_overlay = true;
	}
	if (str_has_suffix(path, ":idmap")) {
		path[strlen(path) - 6] = '\0';
		c->rootfs_idmap = true;
	}
	if (strstr(path, ":idmap="))
		return err_set(
			err, ERR_UNSUPPORTED,
			"root file system '%s': idmap takes the maps of --uidmap and --gidmap, "
			"no others",
			image);
	c->rootfs = path_absolute(path, NULL);
	return c->rootfs ? 0 : err_sys(err, -errno, "root file system '%s'", image);
}

static int apply_chroot_dirs(const struct create_options *o, struct container_config *c,
			     struct err *err)
{
	for (size_t i = 0; i < o->chroot_dirs.n; i++) {
		auto_free char *clean = path_clean(o->chroot_dirs.v[i]);

		if (clean[0] != '/')
			return err_set(err, ERR_INVALID,
				       "--chrootdirs '%s': expected an absolute path",
				       o->chroot_dirs.v[i]);
		json_strings_add(&c->chroot_dirs, &c->n_chroot_dirs, clean);
	}
	return 0;
}

static int check_word(const char *option, const char *word, const char *const *words,
		      struct err *err)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	for (const char *const *w = words; *w; w++) {
		if (!word || str_eq(word, *w))
			return 0;
		strbuf_addf(&sb, "%s%s", w == words ? "" : ", ", *w);
	}
	return err_set(err, ERR_INVALID, "--%s '%s': expected one of %s", option, word, sb.buf);
}

static int check_words(const struct create_options *o, struct err *err)
{
	static const char *const image_volume[] = { "anonymous", "bind", "tmpfs", "ignore", NULL };
	static const char *const seccomp_policy[] = { "default", "image", NULL };
	static const char *const systemd[] = { "true", "false", "always", NULL };
	static const char *const sdnotify[] = { "container", "conmon", "ignore", NULL };
	int r = check_word("image-volume", o->image_volume, image_volume, err);

	if (str_eq(o->sdnotify, "healthy"))
		return err_set(err, ERR_UNSUPPORTED,
			       "--sdnotify healthy: health checks are not supported yet");
	if (r == 0)
		r = check_word("seccomp-policy", o->seccomp_policy, seccomp_policy, err);
	if (r == 0)
		r = check_word("systemd", o->systemd, systemd, err);
	return r < 0 ? r : check_word("sdnotify", o->sdnotify, sdnotify, err);
}

static int check_numbers(const struct create_options *o, struct err *err)
{
	if (o->oom_score_adj.set && (o->oom_score_adj.v < -1000 || o->oom_score_adj.v > 1000))
		return err_set(err, ERR_INVALID, "--oom-score-adj %lld: expected -1000 to 1000",
			       (long long)o->oom_score_adj.v);
	if (o->blkio_weight.set && o->blkio_weight.v != 0 &&
	    (o->blkio_weight.v < 10 || o->blkio_weight.v > 1000))
		return err_set(err, ERR_INVALID, "--blkio-weight %llu: expected 10 to 1000",
			       (unsigned long long)o->blkio_weight.v);
	if (o->shm_size.set && o->shm_size.v < 0)
		return err_set(err, ERR_INVALID,
			       "unable to translate --shm-size: invalid size: '%lld'",
			       (long long)o->shm_size.v);
	if (o->shm_size.set && (str_eq(o->ipc, "host") || str_eq(o->ipc, "none")))
		return err_set(err, ERR_INVALID,
			       "--shm-size cannot be set with --ipc %s: /dev/shm is %s", o->ipc,
			       str_eq(o->ipc, "host") ? "the host's" : "not there");
	if (o->memory_swappiness.set &&
	    (o->memory_swappiness.v < -1 || o->memory_swappiness.v > 100))
		return err_set(err, ERR_INVALID,
			       "--memory-swappiness: invalid value: %lld, valid memory swappiness "
			       "range is 0-100",
			       (long long)o->memory_swappiness.v);
	return 0;
}

int create_check_fds(const struct strvec *numbers, uint32_t n, struct err *err)
{
	uint32_t fd;

	for (size_t i = 0; i < numbers->n; i++)
		if (parse_u32(numbers->v[i], &fd) < 0 || fd < 3 || fd > FD_MAX)
			return err_set(err, ERR_INVALID,
				       "--preserve-fd '%s': expected a number from 3 on",
				       numbers->v[i]);
	return n <= FD_MAX ? 0 : err_set(err, ERR_INVALID, "--preserve-fds %u: too many", n);
}

static int check_fds(const struct create_options *o, struct err *err)
{
	if (o->preserve_fd.n && o->preserve_fds)
		return err_set(err, ERR_INVALID,
			       "--preserve-fd cannot be used with --preserve-fds");
	return create_check_fds(&o->preserve_fd, o->preserve_fds, err);
}

int create_options_apply(const struct create_options *o, char *const *args, size_t n_args,
			 char *const *argv, struct container_config *c, struct err *err)
{
	int r = apply_root(o, args[0], c, err);

	for (; argv && *argv; argv++)
		json_strings_add(&c->create_command, &c->n_create_command, *argv);
	for (size_t i = 1; i < n_args; i++)
		json_strings_add(&c->command, &c->n_command, args[i]);
	apply_strings(o, c);
	apply_flags(o, c);
	if (r == 0)
		r = check_words(o, err);
	if (r == 0)
		r = check_fds(o, err);
	if (r == 0)
		r = check_numbers(o, err);
	if (r == 0)
		r = apply_chroot_dirs(o, c, err);
	if (r == 0)
		r = apply_entrypoint(o->entrypoint, c, err);
	if (r == 0)
		r = create_options_restart(o->restart, c, err);
	if (r == 0)
		r = apply_log(o, c, err);
	if (r == 0)
		r = apply_env(o, c, err);
	if (r == 0)
		r = apply_maps(o, c, err);
	if (r == 0)
		r = create_options_limits(o, &c->limits, err);
	if (r == 0)
		r = userns_options_apply(o, c, err);
	if (r == 0)
		r = network_options_apply(o, c, err);
	if (r == 0)
		r = mount_options_apply(o, c, err);
	return r < 0 ? r : security_options_apply(o, c, err);
}
