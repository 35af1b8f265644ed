/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/selinux.h"

#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/path.h"
#include "core/str.h"
#include "core/strvec.h"
#include "engine/records.h"

#define SELINUX_FILE "/sys/fs/selinux/enforce"
#define CONFIG_FILE "/etc/selinux/config"
#define POLICY_DEFAULT "targeted"
#define PROCESS_DEFAULT "system_u:system_r:container_t:s0"
#define FILE_DEFAULT "system_u:object_r:container_file_t:s0"
#define LABEL_XATTR "security.selinux"
#define TEXT_MAX (1U << 20)
#define CATEGORIES 1024
#define ATTEMPTS 1000

bool selinux_is_enabled(void)
{
	auto_free char *current = io_read_line_at(AT_FDCWD, "/proc/self/attr/current");

	/* Without a policy, everything is "kernel". */
	return fs_exists(AT_FDCWD, SELINUX_FILE) && current && !str_eq(current, "kernel");
}

/* --- the policy's words ----------------------------------------------------------------------------- */

/* The value of KEY=VALUE or key = "value" in a file; NULL. Caller owns. */
static char *read_setting(const char *path, const char *key)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	char *rest;
	char *line;

	if (io_read_file_at(AT_FDCWD, path, TEXT_MAX, &sb) < 0)
		return NULL;
	rest = sb.buf;
	while ((line = strsep(&rest, "\n"))) {
		char *value = strchr(line, '=');

		if (!value)
			continue;
		*value++ = '\0';
		line += strspn(line, " \t");
		line[strcspn(line, " \t")] = '\0';
		value += strspn(value, " \t\"");
		value[strcspn(value, " \t\"\r")] = '\0';
		if (str_eq(line, key))
			return xstrdup(value);
	}
	return NULL;
}

static void policy_labels(char **ret_process, char **ret_file)
{
	auto_free char *policy = read_setting(CONFIG_FILE, "SELINUXTYPE");
	auto_free char *path = xasprintf("/etc/selinux/%s/contexts/lxc_contexts",
					 policy ? policy : POLICY_DEFAULT);

	*ret_process = read_setting(path, "process");
	*ret_file = read_setting(path, "file");
	if (!*ret_process)
		*ret_process = xstrdup(PROCESS_DEFAULT);
	if (!*ret_file)
		*ret_file = xstrdup(FILE_DEFAULT);
}

/* --- labels ------------------------------------------------------------------------------------------ */

int selinux_option_parse(struct selinux_options *ret, const char *text)
{
	const struct {
		const char *prefix;
		const char **to;
	} words[] = {
		{ "user:", &ret->user },   { "role:", &ret->role },	    { "type:", &ret->type },
		{ "level:", &ret->level }, { "filetype:", &ret->filetype },
	};

	if (str_eq(text, "disable")) {
		ret->disable = true;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *value = str_skip_prefix(text, words[i].prefix);

		if (str_is_empty(value))
			continue;
		*words[i].to = value;
		return 0;
	}
	return -EINVAL;
}

/* user:role:type[:level] with some of them exchanged. */
static char *exchange(const char *label, const char *user, const char *role, const char *type,
		      const char *level)
{
	auto_strvec struct strvec parts = STRVEC_INIT;

	strvec_split(&parts, label, ':', true);
	if (parts.n < 3)
		return NULL;
	return xasprintf("%s:%s:%s:%s", user ? user : parts.v[0], role ? role : parts.v[1],
			 type ? type : parts.v[2], level);
}

int selinux_labels(const char *process, const char *file, const struct selinux_options *o,
		   const char *level, char **ret_process, char **ret_file)
{
	const char *wanted = o->level ? o->level : level;
	auto_free char *p = exchange(process, o->user, o->role, o->type, wanted);
	/* Files have no role of the user's. */
	auto_free char *f = exchange(file, o->user, NULL, o->filetype, wanted);

	if (!p || !f)
		return -EINVAL;
	*ret_process = take_ptr(p);
	*ret_file = take_ptr(f);
	return 0;
}

/* --- categories --------------------------------------------------------------------------------------- */

struct levels {
	struct strvec labels;
};

static int add_label(void *context, struct container_config *config,
		     struct container_status *status UNUSED, struct err *err UNUSED)
{
	struct levels *l = context;

	if (config->selinux_process)
		strvec_add(&l->labels, config->selinux_process);
	return 0;
}

static bool is_used(const struct levels *l, const char *level)
{
	for (size_t i = 0; i < l->labels.n; i++)
		if (str_has_suffix(l->labels.v[i], level))
			return true;
	return false;
}

/* s0:cA,cB with A < B, which no other container has. */
static int choose_level(struct engine *e, char **ret, struct err *err)
{
	struct levels l = { 0 };
	int r = record_each(e, add_label, &l, err);

	*ret = NULL;
	for (int i = 0; r == 0 && i < ATTEMPTS && !*ret; i++) {
		auto_free char *level = NULL;
		uint16_t random[2] = { 0, 0 };
		unsigned int a;
		unsigned int b;

		(void)!getrandom(random, sizeof(random), 0);
		a = random[0] % CATEGORIES;
		b = random[1] % CATEGORIES;
		if (a == b)
			continue;
		level = xasprintf("s0:c%u,c%u", MIN(a, b), MAX(a, b));
		if (!is_used(&l, level))
			*ret = take_ptr(level);
	}
	strvec_done(&l.labels);
	if (r == 0 && !*ret)
		return err_set(err, ERR_STATE, "no SELinux categories are left; remove containers");
	return r;
}

int selinux_resolve(struct engine *e, struct container_config *config, struct err *err)
{
	struct selinux_options o = { .disable = config->privileged };
	auto_free char *process = NULL;
	auto_free char *file = NULL;
	auto_free char *level = NULL;
	int r;

	for (size_t i = 0; i < config->n_security_opts; i++) {
		const char *text = str_skip_prefix(config->security_opts[i], "label");

		/* Checked when it was read. */
		if (text && (*text == '=' || *text == ':'))
			(void)selinux_option_parse(&o, text + 1);
	}
	/* Processes of others can only be seen by those who have their label. */
	if (str_eq(config->pid, "host") || str_eq(config->ipc, "host"))
		o.disable = true;
	if (!selinux_is_enabled() || o.disable)
		return 0;
	policy_labels(&process, &file);
	r = choose_level(e, &level, err);
	if (r < 0)
		return r;
	if (selinux_labels(process, file, &o, level, &config->selinux_process,
			   &config->selinux_mount) < 0)
		return err_set(
			err, ERR_INVALID,
			"the SELinux policy's labels for containers, '%s' and '%s', are none",
			process, file);
	return 0;
}

/* --- files --------------------------------------------------------------------------------------------- */

static bool is_of_the_system(const char *path)
{
	static const char *const places[] = { "/",     "/bin",	   "/boot",    "/dev",	"/etc",
					      "/home", "/lib",	   "/lib64",   "/proc", "/root",
					      "/run",  "/sbin",	   "/sys",     "/tmp",	"/usr",
					      "/var",  "/var/lib", "/var/log", "/opt",	NULL };

	return str_is_one_of(path, places);
}

int selinux_relabel(const struct container_config *config, const char *path, bool shared,
		    struct err *err)
{
	const char *mine = config->selinux_mount;
	auto_free char *label = NULL;
	auto_free char *copy = path_clean(path);
	char *const paths[] = { copy, NULL };
	FTS *fts;
	FTSENT *entry;
	int r = 0;

	if (!mine)
		return 0;
	if (is_of_the_system(copy))
		return err_set(
			err, ERR_INVALID,
			"SELinux relabeling of '%s' is not allowed: the system needs its labels",
			path);
	label = shared ? exchange(mine, NULL, NULL, NULL, "s0") : xstrdup(mine);
	fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!fts)
		return err_sys(err, -errno, "relabel '%s'", path);
	while (r == 0 && (entry = fts_read(fts))) {
		if (entry->fts_info == FTS_DP)
			continue;
		if (lsetxattr(entry->fts_path, LABEL_XATTR, label, strlen(label) + 1, 0) < 0 &&
		    errno != EOPNOTSUPP)
			r = err_sys(err, -errno, "relabel '%s'", entry->fts_path);
	}
	(void)fts_close(fts);
	return r;
}
