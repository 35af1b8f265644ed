/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/mountflags.h"

#include <string.h>
#include <sys/statvfs.h>

#include "core/alloc.h"
#include "core/strbuf.h"

#ifndef ST_NOSYMFOLLOW
#define ST_NOSYMFOLLOW 0x2000 /* include/linux/statfs.h, Linux 5.10 */
#endif

#define SET(name, flag)                                                                            \
	{                                                                                          \
		(name), (flag), false                                                              \
	}
#define CLEAR(name, flag)                                                                          \
	{                                                                                          \
		(name), (flag), true                                                               \
	}

static const struct mountflag_word plain_words[] = {
	CLEAR("async", MS_SYNCHRONOUS),
	CLEAR("atime", MS_NOATIME),
	SET("bind", MS_BIND),
	SET("defaults", 0),
	CLEAR("dev", MS_NODEV),
	CLEAR("diratime", MS_NODIRATIME),
	SET("dirsync", MS_DIRSYNC),
	CLEAR("exec", MS_NOEXEC),
	SET("iversion", MS_I_VERSION),
	SET("lazytime", MS_LAZYTIME),
	CLEAR("loud", MS_SILENT),
	SET("mand", MS_MANDLOCK),
	SET("noatime", MS_NOATIME),
	SET("nodev", MS_NODEV),
	SET("nodiratime", MS_NODIRATIME),
	SET("noexec", MS_NOEXEC),
	CLEAR("noiversion", MS_I_VERSION),
	CLEAR("nolazytime", MS_LAZYTIME),
	CLEAR("nomand", MS_MANDLOCK),
	CLEAR("norelatime", MS_RELATIME),
	CLEAR("nostrictatime", MS_STRICTATIME),
	SET("nosuid", MS_NOSUID),
	SET("nosymfollow", MS_NOSYMFOLLOW),
	SET("rbind", MS_BIND | MS_REC),
	SET("relatime", MS_RELATIME),
	SET("remount", MS_REMOUNT),
	SET("ro", MS_RDONLY),
	CLEAR("rw", MS_RDONLY),
	SET("silent", MS_SILENT),
	SET("strictatime", MS_STRICTATIME),
	CLEAR("suid", MS_NOSUID),
	CLEAR("symfollow", MS_NOSYMFOLLOW),
	SET("sync", MS_SYNCHRONOUS),
	/* crun's: of a superblock's flags there is no recursive form. */
	CLEAR("rasync", MS_SYNCHRONOUS),
	SET("rdirsync", MS_DIRSYNC),
	SET("rmand", MS_MANDLOCK),
	CLEAR("rnomand", MS_MANDLOCK),
	SET("rsync", MS_SYNCHRONOUS),
};

static const struct mountflag_word propagation_words[] = {
	SET("private", MS_PRIVATE),
	SET("rprivate", MS_PRIVATE | MS_REC),
	SET("rshared", MS_SHARED | MS_REC),
	SET("rslave", MS_SLAVE | MS_REC),
	SET("runbindable", MS_UNBINDABLE | MS_REC),
	SET("shared", MS_SHARED),
	SET("slave", MS_SLAVE),
	SET("unbindable", MS_UNBINDABLE),
};

static const struct mountflag_word recursive_words[] = {
	CLEAR("ratime", MOUNT_ATTR_NOATIME),	   CLEAR("rdev", MOUNT_ATTR_NODEV),
	CLEAR("rdiratime", MOUNT_ATTR_NODIRATIME), CLEAR("rexec", MOUNT_ATTR_NOEXEC),
	SET("rnoatime", MOUNT_ATTR_NOATIME),	   SET("rnodev", MOUNT_ATTR_NODEV),
	SET("rnodiratime", MOUNT_ATTR_NODIRATIME), SET("rnoexec", MOUNT_ATTR_NOEXEC),
	CLEAR("rnorelatime", MOUNT_ATTR_RELATIME), CLEAR("rnostrictatime", MOUNT_ATTR_STRICTATIME),
	SET("rnosuid", MOUNT_ATTR_NOSUID),	   SET("rnosymfollow", MOUNT_ATTR_NOSYMFOLLOW),
	SET("rrelatime", MOUNT_ATTR_RELATIME),	   SET("rro", MOUNT_ATTR_RDONLY),
	CLEAR("rrw", MOUNT_ATTR_RDONLY),	   SET("rstrictatime", MOUNT_ATTR_STRICTATIME),
	CLEAR("rsuid", MOUNT_ATTR_NOSUID),	   CLEAR("rsymfollow", MOUNT_ATTR_NOSYMFOLLOW),
};

const struct mountflag_table mountflags_plain = { plain_words, ARRAY_SIZE(plain_words) };
const struct mountflag_table mountflags_propagation = { propagation_words,
							ARRAY_SIZE(propagation_words) };
const struct mountflag_table mountflags_recursive = { recursive_words,
						      ARRAY_SIZE(recursive_words) };

const struct mountflag_parameter mountflags_superblock[] = {
	{ MS_RDONLY, "ro" },	 { MS_SYNCHRONOUS, "sync" },  { MS_DIRSYNC, "dirsync" },
	{ MS_MANDLOCK, "mand" }, { MS_LAZYTIME, "lazytime" }, { 0, NULL },
};

const struct mountflag_word *mountflags_find(const struct mountflag_table *table, const char *name)
{
	for (size_t i = 0; i < table->n; i++)
		if (strcmp(table->v[i].name, name) == 0)
			return &table->v[i];
	return NULL;
}

static const struct {
	unsigned long flag;
	uint64_t attr;
	unsigned long st_flag;
} attrs[] = {
	{ MS_RDONLY, MOUNT_ATTR_RDONLY, ST_RDONLY },
	{ MS_NOSUID, MOUNT_ATTR_NOSUID, ST_NOSUID },
	{ MS_NODEV, MOUNT_ATTR_NODEV, ST_NODEV },
	{ MS_NOEXEC, MOUNT_ATTR_NOEXEC, ST_NOEXEC },
	{ MS_NOATIME, MOUNT_ATTR_NOATIME, ST_NOATIME },
	{ MS_NODIRATIME, MOUNT_ATTR_NODIRATIME, ST_NODIRATIME },
	{ MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW, ST_NOSYMFOLLOW },
};

uint64_t mountflags_to_attr(unsigned long flags)
{
	uint64_t attr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++)
		if (flags & attrs[i].flag)
			attr |= attrs[i].attr;
	/* mount(2) takes strict over the other two. */
	if (flags & MS_STRICTATIME)
		attr = (attr & ~(uint64_t)MOUNT_ATTR__ATIME) | MOUNT_ATTR_STRICTATIME;
	return attr;
}

unsigned long mountflags_from_attr(uint64_t attr)
{
	unsigned long flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++)
		if (attr & attrs[i].attr)
			flags |= attrs[i].flag;
	if ((attr & MOUNT_ATTR__ATIME) == MOUNT_ATTR_STRICTATIME)
		flags |= MS_STRICTATIME;
	else if ((attr & MOUNT_ATTR__ATIME) == MOUNT_ATTR_RELATIME)
		flags |= MS_RELATIME;
	return flags;
}

uint64_t mountflags_attr_from_statfs(unsigned long st_flags)
{
	uint64_t attr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++)
		if (st_flags & attrs[i].st_flag)
			attr |= attrs[i].attr;
	if (!(st_flags & (ST_NOATIME | ST_RELATIME)))
		attr |= MOUNT_ATTR_STRICTATIME;
	return attr;
}

/* The words that set a single flag name it. */
static char *words_to_text(const struct mountflag_table *table, uint64_t flags, size_t skip)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < table->n; i++) {
		const struct mountflag_word *word = &table->v[i];

		if (word->clear || !word->flag || (flags & word->flag) != word->flag)
			continue;
		if (sb.len)
			strbuf_addc(&sb, ',');
		strbuf_adds(&sb, word->name + skip);
		flags &= ~word->flag;
	}
	if (flags)
		strbuf_addf(&sb, "%s0x%llx", sb.len ? "," : "", (unsigned long long)flags);
	return sb.len ? strbuf_take(&sb) : xstrdup("-");
}

char *mountflags_to_text(unsigned long flags)
{
	return words_to_text(&mountflags_plain, flags, 0);
}

char *mountflags_attr_to_text(uint64_t attr)
{
	/* The names of recursive attributes are those of plain ones with an "r" in front. */
	return words_to_text(&mountflags_recursive, attr, 1);
}
