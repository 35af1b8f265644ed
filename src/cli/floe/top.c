/* SPDX-License-Identifier: Apache-2.0 */
/* top: the processes of a container, by descriptors, or by the ps(1) that is in the container. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/floe/foreground.h"
#include "cli/floe/targets.h"
#include "cli/table.h"
#include "core/alloc.h"
#include "core/io.h"
#include "core/parse.h"
#include "core/str.h"
#include "engine/exec_session.h"
#include "engine/usage.h"
#include "engine/users.h"
#include "kernel/caps.h"
#include "kernel/procfs.h"

struct process {
	pid_t pid;
	struct procfs_stat stat;
	uint64_t ticks; /* user and system */
	uint64_t rss_pages;
	uint64_t vsize;
	int nice;
};

struct descriptor {
	const char *name;
	const char *heading;
	void (*add)(const struct process *p, const struct procfs *proc, struct strbuf *sb);
};

/* The last number of a line of status: what it is in the container's namespace. */
static char *last_word(const struct procfs *proc, pid_t pid, const char *field)
{
	auto_free char *text = procfs_status_field(proc, pid, field);
	const char *word = text ? strrchr(text, '\t') : NULL;

	return xstrdup(word ? word + 1 : text ? text : "?");
}

static void add_hpid(const struct process *p, const struct procfs *proc UNUSED, struct strbuf *sb)
{
	strbuf_addf(sb, "%d", p->pid);
}

static void add_pid(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	auto_free char *word = last_word(proc, p->pid, "NSpid");

	strbuf_adds(sb, word);
}

static void add_ppid(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	auto_free char *own = procfs_status_field(proc, p->pid, "NSpid");
	auto_free char *parent = procfs_status_field(proc, p->stat.ppid, "NSpid");
	size_t depth = 0;
	size_t parent_depth = 0;

	for (const char *c = own; c && *c; c++)
		depth += *c == '\t';
	for (const char *c = parent; c && *c; c++)
		parent_depth += *c == '\t';
	if (!parent || depth != parent_depth)
		strbuf_adds(sb, "0");
	else
		strbuf_adds(sb, strrchr(parent, '\t') ? strrchr(parent, '\t') + 1 : parent);
}

enum which_id { ID_REAL, ID_EFFECTIVE };

/* Uid and Gid of status: real, effective, saved and file system's. */
static uint32_t status_id(const struct procfs *proc, pid_t pid, const char *field,
			  enum which_id which)
{
	auto_free char *text = procfs_status_field(proc, pid, field);
	char *rest = text;
	uint32_t id = 0;

	for (int i = 0; rest && i < (int)which; i++)
		(void)strsep(&rest, "\t ");
	if (rest)
		rest[strcspn(rest, "\t ")] = '\0';
	return rest && parse_u32(rest, &id) == 0 ? id : 0;
}

/* By /etc/passwd or /etc/group below a root; a number where these do not know it. */
static void add_name_of(const char *path, uint32_t id, bool is_group, struct strbuf *sb)
{
	auto_rooted struct rooted root = ROOTED_INIT;
	auto_free char *name =
		rooted_open(&root, AT_FDCWD, path) == 0 ? users_name_of(&root, id, is_group) : NULL;

	if (name)
		strbuf_adds(sb, name);
	else
		strbuf_addf(sb, "%u", id);
}

/* In the container. */
static void add_name(const struct process *p, const struct procfs *proc, bool is_group,
		     enum which_id which, struct strbuf *sb)
{
	auto_free char *path = xasprintf("/proc/%d/root", p->pid);

	add_name_of(path, status_id(proc, p->pid, is_group ? "Gid" : "Uid", which), is_group, sb);
}

static void add_user(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	add_name(p, proc, false, ID_EFFECTIVE, sb);
}

static void add_group(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	add_name(p, proc, true, ID_EFFECTIVE, sb);
}

static void add_ruser(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	add_name(p, proc, false, ID_REAL, sb);
}

static void add_rgroup(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	add_name(p, proc, true, ID_REAL, sb);
}

/* On the host. */
static void add_huser(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	add_name_of("/", status_id(proc, p->pid, "Uid", ID_EFFECTIVE), false, sb);
}

static void add_hgroup(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	add_name_of("/", status_id(proc, p->pid, "Gid", ID_EFFECTIVE), true, sb);
}

static void add_all_groups(const char *path, const struct process *p, const struct procfs *proc,
			   struct strbuf *sb)
{
	auto_free char *text = procfs_status_field(proc, p->pid, "Groups");
	char *rest = text;
	char *word;
	size_t before = sb->len;

	while (rest && (word = strsep(&rest, "\t "))) {
		uint32_t id;

		if (parse_u32(word, &id) < 0)
			continue;
		if (sb->len > before)
			strbuf_addc(sb, ',');
		add_name_of(path, id, true, sb);
	}
}

static void add_groups(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	auto_free char *path = xasprintf("/proc/%d/root", p->pid);

	add_all_groups(path, p, proc, sb);
}

static void add_hgroups(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	add_all_groups("/", p, proc, sb);
}

static void add_pgid(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	auto_free char *word = last_word(proc, p->pid, "NSpgid");

	strbuf_adds(sb, word);
}

/* "full", "none", or names without CAP_. */
static void add_caps(const struct process *p, const struct procfs *proc, const char *field,
		     struct strbuf *sb)
{
	auto_free char *text = procfs_status_field(proc, p->pid, field);
	uint64_t caps = text ? strtoull(text, NULL, 16) : 0;
	uint64_t all = caps_last() >= 63 ? UINT64_MAX : (UINT64_C(1) << (caps_last() + 1)) - 1;
	bool first = true;

	if (caps == 0 || (caps & all) == all) {
		strbuf_adds(sb, caps == 0 ? "none" : "full");
		return;
	}
	for (int i = 0; i <= caps_last(); i++) {
		const char *name = caps & (UINT64_C(1) << i) ? caps_to_name(i) : NULL;

		if (!name)
			continue;
		strbuf_addf(sb, "%s%s", first ? "" : ",",
			    str_has_prefix(name, "CAP_") ? name + 4 : name);
		first = false;
	}
}

#define CAPS_COLUMN(column, field)                                                                 \
	static void add_##column(const struct process *p, const struct procfs *proc,               \
				 struct strbuf *sb)                                                \
	{                                                                                          \
		add_caps(p, proc, field, sb);                                                      \
	}

CAPS_COLUMN(capamb, "CapAmb")
CAPS_COLUMN(capbnd, "CapBnd")
CAPS_COLUMN(capeff, "CapEff")
CAPS_COLUMN(capinh, "CapInh")
CAPS_COLUMN(capprm, "CapPrm")

static void add_seccomp(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	static const char *const modes[] = { "disabled", "strict", "filter" };
	auto_free char *text = procfs_status_field(proc, p->pid, "Seccomp");
	uint32_t mode;

	strbuf_adds(sb, text && parse_u32(text, &mode) == 0 && mode < ARRAY_SIZE(modes) ?
				modes[mode] :
				"?");
}

/* SELinux's, or AppArmor's. */
static void add_label(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (procfs_read(proc, p->pid, "attr/current", &text) < 0 || text.len == 0)
		strbuf_addc(sb, '?');
	else
		strbuf_add(sb, text.buf, strcspn(text.buf, "\n"));
}

static double age_seconds(const struct process *p)
{
	auto_free char *line = io_read_line_at(AT_FDCWD, "/proc/uptime");
	double uptime = line ? strtod(line, NULL) : 0;

	return uptime - (double)p->stat.start_time / (double)sysconf(_SC_CLK_TCK);
}

static void add_time_text(double seconds, struct strbuf *sb)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	uint64_t s = seconds > 0 ? (uint64_t)seconds : 0;

	if (s >= 3600)
		strbuf_addf(&text, "%lluh", (unsigned long long)(s / 3600));
	if (s >= 60)
		strbuf_addf(&text, "%llum", (unsigned long long)(s / 60 % 60));
	strbuf_addf(&text, "%llus", (unsigned long long)(s % 60));
	strbuf_adds(sb, text.buf);
}

static void add_etime(const struct process *p, const struct procfs *proc UNUSED, struct strbuf *sb)
{
	add_time_text(age_seconds(p), sb);
}

static void add_time(const struct process *p, const struct procfs *proc UNUSED, struct strbuf *sb)
{
	add_time_text((double)p->ticks / (double)sysconf(_SC_CLK_TCK), sb);
}

static void add_pcpu(const struct process *p, const struct procfs *proc UNUSED, struct strbuf *sb)
{
	double age = age_seconds(p);

	strbuf_addf(sb, "%.3f",
		    age > 0 ? 100 * (double)p->ticks / (double)sysconf(_SC_CLK_TCK) / age : 0);
}

static void add_tty(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	struct procfs_path path = procfs_path(p->pid, "fd/0");
	char target[64];
	ssize_t n = readlinkat(proc->fd, path.text, target, sizeof(target) - 1);

	target[n > 0 ? n : 0] = '\0';
	strbuf_adds(sb, str_has_prefix(target, "/dev/pts/") ? target + 5 : "?");
}

static void add_args(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	auto_strbuf struct strbuf line = STRBUF_INIT;

	if (procfs_read(proc, p->pid, "cmdline", &line) < 0 || line.len == 0) {
		strbuf_addf(sb, "[%s]", p->stat.comm);
		return;
	}
	for (size_t i = 0; i + 1 < line.len; i++)
		strbuf_addc(sb, line.buf[i] ? line.buf[i] : ' ');
}

static void add_comm(const struct process *p, const struct procfs *proc UNUSED, struct strbuf *sb)
{
	strbuf_adds(sb, p->stat.comm);
}

static void add_state(const struct process *p, const struct procfs *proc UNUSED, struct strbuf *sb)
{
	strbuf_addc(sb, p->stat.state);
}

static void add_nice(const struct process *p, const struct procfs *proc UNUSED, struct strbuf *sb)
{
	strbuf_addf(sb, "%d", p->nice);
}

static void add_vsz(const struct process *p, const struct procfs *proc UNUSED, struct strbuf *sb)
{
	strbuf_addf(sb, "%llu", (unsigned long long)(p->vsize / 1024));
}

static void add_rss(const struct process *p, const struct procfs *proc UNUSED, struct strbuf *sb)
{
	strbuf_addf(sb, "%llu",
		    (unsigned long long)(p->rss_pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024));
}

static const struct descriptor descriptors[] = {
	{ "user", "USER", add_user },
	{ "pid", "PID", add_pid },
	{ "ppid", "PPID", add_ppid },
	{ "pcpu", "%CPU", add_pcpu },
	{ "etime", "ELAPSED", add_etime },
	{ "tty", "TTY", add_tty },
	{ "time", "TIME", add_time },
	{ "args", "COMMAND", add_args },
	{ "comm", "COMMAND", add_comm },
	{ "hpid", "HPID", add_hpid },
	{ "group", "GROUP", add_group },
	{ "state", "STATE", add_state },
	{ "nice", "NI", add_nice },
	{ "vsz", "VSZ", add_vsz },
	{ "rss", "RSS", add_rss },
	{ "capamb", "AMBIENT CAPS", add_capamb },
	{ "capbnd", "BOUNDING CAPS", add_capbnd },
	{ "capeff", "EFFECTIVE CAPS", add_capeff },
	{ "capinh", "INHERITED CAPS", add_capinh },
	{ "capprm", "PERMITTED CAPS", add_capprm },
	{ "groups", "GROUPS", add_groups },
	{ "hgroup", "HGROUP", add_hgroup },
	{ "hgroups", "HGROUPS", add_hgroups },
	{ "huser", "HUSER", add_huser },
	{ "label", "LABEL", add_label },
	{ "pgid", "PGID", add_pgid },
	{ "rgroup", "RGROUP", add_rgroup },
	{ "ruser", "RUSER", add_ruser },
	{ "seccomp", "SECCOMP", add_seccomp },
};
static const char *const default_descriptors[] = { "user",  "pid", "ppid", "pcpu",
						   "etime", "tty", "time", "args" };

static const struct descriptor *find_descriptor(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(descriptors); i++)
		if (str_eq(descriptors[i].name, name))
			return &descriptors[i];
	return NULL;
}

/* utime, stime, nice, vsize and rss: fields 14, 15, 19, 23, 24 of proc_pid_stat(5). */
static int read_process(const struct procfs *proc, pid_t pid, struct process *ret)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	unsigned long long utime = 0;
	unsigned long long stime = 0;
	unsigned long long vsize = 0;
	unsigned long long rss = 0;
	long nice_value = 0;
	const char *rest;

	*ret = (struct process){ .pid = pid };
	if (procfs_read(proc, pid, "stat", &sb) < 0 || procfs_stat_parse(&ret->stat, sb.buf) < 0)
		return -ESRCH;
	rest = strrchr(sb.buf, ')');
	if (rest)
		(void)sscanf(
			rest + 1,
			" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %ld "
			"%*d %*d %*u %llu %llu",
			&utime, &stime, &nice_value, &vsize, &rss);
	ret->ticks = utime + stime;
	ret->nice = (int)nice_value;
	ret->vsize = vsize;
	ret->rss_pages = rss;
	return 0;
}

struct top_cli {
	bool latest;
};

static int unknown_descriptor(const char *name, struct err *err)
{
	auto_strbuf struct strbuf all = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(descriptors); i++)
		strbuf_addf(&all, "%s%s", i ? ", " : "", descriptors[i].name);
	return err_set(err, ERR_UNSUPPORTED, "descriptor '%s': not supported; there are %s", name,
		       all.buf);
}

/* DESCRIPTOR,DESCRIPTOR ... or the default ones; at most one of each. */
static int choose_descriptors(const struct cli_invocation *inv, size_t first,
			      const struct descriptor **ret, size_t *ret_n, struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;

	for (size_t i = first; i < inv->n_args; i++)
		strvec_split(&names, inv->args[i], ',', false);
	if (names.n == 0)
		for (size_t i = 0; i < ARRAY_SIZE(default_descriptors); i++)
			strvec_add(&names, default_descriptors[i]);
	*ret_n = 0;
	for (size_t i = 0; i < names.n; i++) {
		const struct descriptor *d = find_descriptor(names.v[i]);

		if (!d || *ret_n == ARRAY_SIZE(descriptors))
			return unknown_descriptor(names.v[i], err);
		ret[(*ret_n)++] = d;
	}
	return 0;
}

/*
 * Options of ps(1), which need no hyphen: "aux", "axo". Letters that take a value come last. No word that is none is handed
 * on, because some programs ps make nothing of what they do not know.
 */
static bool is_for_ps(const char *text)
{
	size_t n = strspn(text, "acefghjlmnrsuvwxSTLXZ");

	if (text[0] == '-')
		return true;
	if (strchr(text, ',') || find_descriptor(text))
		return false;
	return !text[n] || (strchr("koOpqtU", text[n]) && !text[n + 1]);
}

/* `top NAME -ef`: what the container's ps makes of it, as podman does. */
static int run_ps(const struct cli_invocation *inv, struct container *c, size_t first,
		  struct err *err)
{
	auto_strvec struct strvec command = STRVEC_INIT;
	struct exec_options exec = { 0 };
	auto_free char *session = NULL;
	int code = 0;
	int r;

	strvec_add(&command, "ps");
	strvec_add_all(&command, inv->args + first, inv->n_args - first);
	exec.command = command.v;
	exec.n_command = command.n;
	r = exec_session_run(c, &exec, &code, &session, err);
	return r < 0 ? foreground_exit_code(r, err) : code;
}

static int run_top(const struct cli_invocation *inv, struct err *err)
{
	const struct top_cli *o = inv->options;
	auto_container struct container c = CONTAINER_INIT;
	const struct descriptor *columns[ARRAY_SIZE(descriptors)];
	size_t first = o->latest ? 0 : 1;
	size_t n_columns = 0;
	auto_cli_text_table struct cli_text_table table = { 0 };
	auto_strbuf struct strbuf out = STRBUF_INIT;
	auto_procfs struct procfs proc = PROCFS_INIT;
	auto_free pid_t *pids = NULL;
	size_t n_pids = 0;
	int r;

	if (inv->n_args == 0 && !o->latest)
		return err_set(err, ERR_USAGE, "top needs a container");
	r = targets_one(inv, o->latest, false, &c, err);
	if (r == 0 && !container_is_alive(&c))
		r = err_set(err, ERR_STATE,
			    "top can only be used on running containers: '%s' is %s", c.config.name,
			    container_phase_to_string(c.status.phase));
	if (r == 0 && inv->n_args > first && is_for_ps(inv->args[first]))
		return run_ps(inv, &c, first, err);
	if (r == 0)
		r = choose_descriptors(inv, first, columns, &n_columns, err);
	if (r == 0)
		r = usage_pids(&c, &pids, &n_pids, err);
	if (r == 0) {
		r = procfs_open(&proc, NULL);
		if (r < 0)
			return err_sys(err, r, "open '/proc'");
	}
	if (r < 0)
		return r;
	table.n_columns = n_columns;
	for (size_t i = 0; i < n_columns; i++)
		cli_text_table_add(&table, columns[i]->heading);
	for (size_t k = 0; k < n_pids; k++) {
		struct process p;

		if (read_process(&proc, pids[k], &p) < 0)
			continue;
		for (size_t i = 0; i < n_columns; i++) {
			auto_strbuf struct strbuf cell = STRBUF_INIT;

			columns[i]->add(&p, &proc, &cell);
			cli_text_table_add(&table, cell.buf);
		}
	}
	cli_text_table_format(&table, 12, 2, &out);
	return cli_print(out.buf, err);
}

static const struct cli_option top_rows[] = {
	OPT_FLAG(struct top_cli, latest, "latest", 'l', "the newest container"),
};

const struct cli_command floe_top_command = {
	.name = "top",
	.arguments = "CONTAINER [DESCRIPTOR...]",
	.summary = "show the processes of a container",
	.description =
		"Options of ps(1) in place of the descriptors are for the ps in the container.",
	CLI_OPTIONS(struct top_cli, top_rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.flags = CLI_STOP_AT_ARGUMENT,
	.argument_source = FLOE_CONTAINERS,
	.run = run_top,
	.error_code = FLOE_EXIT_ERROR,
};
