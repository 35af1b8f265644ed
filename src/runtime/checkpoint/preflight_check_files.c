/* SPDX-License-Identifier: Apache-2.0 */
/* Open files that have a name: where that name is, whether it still leads there, who locks them. */
#include "runtime/checkpoint/preflight_check.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/str.h"

#define MQUEUE_SUPER_MAGIC 0x19800202

static bool is_descriptor(const struct preflight_use *u)
{
	return u->descriptor >= 0;
}

/* A name in a file system: neither of the kernel's own things nor a socket. */
static bool has_path(const struct preflight_file *f)
{
	return f->path[0] == '/' && !f->is_internal && !S_ISSOCK(f->mode);
}

static bool is_outside(const struct preflight_file *f)
{
	return has_path(f) && !f->mount && f->mnt_id >= 0;
}

/* The devices that CRIU has a terminal driver for (tty.c): consoles from 1 on, serial lines, the
 * controlling terminal, the console, pseudo terminals, USB serial lines. */
bool preflight_is_terminal(const struct preflight_file *f)
{
	if (!S_ISCHR(f->mode))
		return false;
	switch (f->rdev_major) {
	case TTY_MAJOR:
		return f->rdev_minor > 0;
	case TTYAUX_MAJOR:
		return f->rdev_minor <= 2;
	case 188: /* USB serial */
	case 204: /* on-chip serial */
		return true;
	default:
		return f->rdev_major >= UNIX98_PTY_MASTER_MAJOR &&
		       f->rdev_major < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT;
	}
}

static bool is_pty_slave(const struct preflight_file *f)
{
	return S_ISCHR(f->mode) && f->rdev_major >= UNIX98_PTY_SLAVE_MAJOR &&
	       f->rdev_major < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT;
}

const char *preflight_use_word(const struct preflight_use *u)
{
	switch (u->descriptor) {
	case PREFLIGHT_MAPPED:
		return "is mapped";
	case PREFLIGHT_PROGRAM:
		return "is the program";
	case PREFLIGHT_CWD:
		return "is the current directory";
	case PREFLIGHT_ROOT:
		return "is the root directory";
	default:
		return "is open";
	}
}

static const char *outside_remedy(const struct preflight_use *u)
{
	if (u->descriptor >= 0 && u->descriptor <= 2)
		return "give the container a pipe, /dev/null or a terminal instead when it is "
		       "started";
	return is_descriptor(u) ? "close it, or mount what it is on into the container" :
				  "do not take it from outside of the container";
}

static void check_outside(const struct preflight_snapshot *s, struct preflight_report *report,
			  const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	{
		if (!is_outside(f) || is_pty_slave(f) || f->fs_magic == SECRETMEM_MAGIC)
			continue;
		if (f->fs_magic == MQUEUE_SUPER_MAGIC) {
			preflight_add(report, s, check,
				      (struct preflight_item){
					      .use = u,
					      .message = xasprintf("POSIX message queue '%s' is "
								   "open, which CRIU cannot keep",
								   f->path),
					      .remedy = "close it before the checkpoint" });
			continue;
		}
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .use = u,
				      .message = xasprintf("'%s' %s, which is on no mount of the "
							   "container",
							   f->path, preflight_use_word(u)),
				      .remedy = outside_remedy(u) });
	}
}

/* With the option CRIU 4.2 dumps it; restoring it in a mount namespace it fails an assertion. */
static void warn_of_restore(const struct preflight_snapshot *s, struct preflight_report *report,
			    const char *check, const struct preflight_use *use, const char *path)
{
	if (s->options.by[PREFLIGHT_SHELL_JOB])
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .severity = PREFLIGHT_WARNING,
				      .use = use,
				      .message = xasprintf("terminal '%s' of the caller can be "
							   "frozen, but CRIU does not restore it",
							   path),
				      .remedy = "give the container a terminal of its own "
						"(process.terminal)",
				      .is_separate = true });
}

static void check_outside_terminal(const struct preflight_snapshot *s,
				   struct preflight_report *report, const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	if (is_outside(f) && is_pty_slave(f)) {
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .use = u,
				      .message = xasprintf("terminal '%s' of the caller is "
							   "open",
							   f->path),
				      .option = PREFLIGHT_SHELL_JOB,
				      .remedy = "or give the container a terminal of its own "
						"(process.terminal)" });
		warn_of_restore(s, report, check, u, f->path);
	}
}

static bool needs_ghost(const struct preflight_file *f)
{
	return has_path(f) && f->mount && preflight_is_deleted(f) && S_ISREG(f->mode);
}

static void check_deleted(const struct preflight_snapshot *s, struct preflight_report *report,
			  const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	{
		auto_free char *name = NULL;

		/* CRIU counts what is allocated, not the holes. */
		if (!needs_ghost(f) || f->stored_bytes <= s->options.ghost_limit)
			continue;
		name = preflight_name_of(f);
		preflight_add(
			report, s, check,
			(struct preflight_item){
				.use = u,
				.message = xasprintf(
					"'%s' %s but deleted, and its %" PRIu64
					" bytes are more than CRIU puts into an image (%" PRIu64
					")",
					name, preflight_use_word(u), f->stored_bytes,
					s->options.ghost_limit),
				.criu_option =
					xasprintf("ghost-limit %" PRIu64, f->stored_bytes) });
	}
}

static bool is_read_only(const struct mountinfo_entry *m)
{
	return mountinfo_list_has(m->options, "ro") || mountinfo_list_has(m->super_options, "ro");
}

/* Silly names of NFS disappear with the last process that has the file open. */
static bool is_nfs_leftover(const struct preflight_file *f)
{
	return str_has_prefix(f->mount->fs_type, "nfs") &&
	       str_has_prefix(strrchr(f->path, '/') + 1, ".nfs");
}

/* What covers the place where this name is: another mount than the file's. NULL: nothing. */
static const struct mountinfo_entry *cover_of(const struct preflight_snapshot *s,
					      const struct preflight_file *f)
{
	const struct mountinfo_entry *m;
	auto_free char *name = preflight_name_of(f);

	if (s->n_mount_namespaces == 0)
		return NULL;
	m = mountinfo_find_containing(&s->mount_namespaces[0].mounts, name);
	return m && m->id != f->mnt_id &&
			       mountinfo_find_id(&s->mount_namespaces[0].mounts, f->mnt_id) ?
		       m :
		       NULL;
}

static void add_hidden(const struct preflight_snapshot *s, struct preflight_report *report,
		       const char *check, const struct preflight_use *u, const char *cover)
{
	auto_free char *name = preflight_name_of(preflight_file_of(s, u));

	preflight_add(report, s, check,
		      (struct preflight_item){
			      .use = u,
			      .message = xasprintf("'%s' %s, but the mount at '%s' covers it", name,
						   preflight_use_word(u), cover),
			      .remedy = "close it, or remove that mount" });
}

static void check_link(const struct preflight_snapshot *s, struct preflight_report *report,
		       const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	{
		auto_free char *name = NULL;

		if (!has_path(f) || !f->mount || preflight_is_deleted(f) || cover_of(s, f) ||
		    (f->name != PREFLIGHT_NAME_GONE && !is_nfs_leftover(f)))
			continue;
		name = preflight_name_of(f);
		preflight_add(
			report, s, check,
			(struct preflight_item){
				.use = u,
				.message = xasprintf("'%s' %s under a name that was deleted, while "
						     "other names of it exist%s",
						     name, preflight_use_word(u),
						     is_read_only(f->mount) ?
							     ", and its mount is read-only" :
							     ""),
				.option = is_read_only(f->mount) ? PREFLIGHT_NO_OPTION :
								   PREFLIGHT_LINK_REMAP,
				.remedy =
					is_read_only(f->mount) ?
						"close it, or make the mount writable: it needs a "
						"temporary name" :
						NULL });
	}
}

/* A mount on top of exactly this one. */
static const struct mountinfo_entry *mounted_over(const struct preflight_snapshot *s,
						  const struct mountinfo_entry *m)
{
	for (size_t i = 0; i < s->n_mount_namespaces; i++) {
		const struct mountinfo *mounts = &s->mount_namespaces[i].mounts;

		for (size_t k = 0; k < mounts->n; k++)
			if (mounts->v[k].parent_id == m->id && mounts->v[k].id != m->id &&
			    str_eq(mounts->v[k].mount_point, m->mount_point))
				return &mounts->v[k];
	}
	return NULL;
}

static void check_covered(const struct preflight_snapshot *s, struct preflight_report *report,
			  const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	{
		const struct mountinfo_entry *cover;
		auto_free char *name = NULL;

		if (!has_path(f) || !f->mount || preflight_is_deleted(f) ||
		    mounted_over(s, f->mount) ||
		    (f->name != PREFLIGHT_NAME_GONE && f->name != PREFLIGHT_NAME_OTHER))
			continue;
		cover = cover_of(s, f);
		if (cover) {
			add_hidden(s, report, check, u, cover->mount_point);
			continue;
		}
		if (f->name == PREFLIGHT_NAME_GONE)
			continue;
		name = preflight_name_of(f);
		preflight_add(
			report, s, check,
			(struct preflight_item){
				.use = u,
				.message = xasprintf("'%s' %s, but another file has that name "
						     "now",
						     name, preflight_use_word(u)),
				.remedy = "close it, or give it its name back" });
	}
}

static void check_overmounted(const struct preflight_snapshot *s, struct preflight_report *report,
			      const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	if (has_path(f) && f->mount && mounted_over(s, f->mount))
		add_hidden(s, report, check, u, f->mount->mount_point);
}

static void check_locks(const struct preflight_snapshot *s, struct preflight_report *report,
			const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	if (u->lock)
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .use = u,
				      .message = xasprintf("a lock on '%s' (%s)", f->path, u->lock),
				      .option = PREFLIGHT_FILE_LOCKS });
}

const struct preflight_check preflight_file_checks[] = {
	{ "file-outside", check_outside }, { "terminal-outside", check_outside_terminal },
	{ "file-deleted", check_deleted }, { "file-name-deleted", check_link },
	{ "file-covered", check_covered }, { "file-overmounted", check_overmounted },
	{ "file-lock", check_locks },	   { NULL, NULL },
};
