/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/members.h"

#include <string.h>

#include "core/alloc.h"
#include "core/json_table.h"
#include "core/path.h"
#include "core/str.h"
#include "storage/unpack.h"

/* Logs are kept whole, but a stranger's is not to fill the disk. */
#define LOG_MAX ((uint64_t)4 << 30)

enum place {
	FILE_ALONE, /* the file itself */
	DIR_FLAT, /* a directory with files */
	DIR_DEEP, /* a directory with anything below */
	DIR_TARS, /* a directory with NAME.tar */
};

struct rule {
	const char *name;
	enum archive_member_kind kind;
	enum place place;
	uint64_t max; /* size of each file */
};

/* The first of a kind is its usual name. */
static const struct rule rules[] = {
	{ "config.dump", ARCHIVE_CONFIG, FILE_ALONE, JSON_TEXT_MAX },
	{ "spec.dump", ARCHIVE_SPEC, FILE_ALONE, JSON_TEXT_MAX },
	{ "network.status", ARCHIVE_NETWORK_STATUS, FILE_ALONE, JSON_TEXT_MAX },
	{ "deleted.files", ARCHIVE_DELETED_FILES, FILE_ALONE, JSON_TEXT_MAX },
	{ "bind.mounts", ARCHIVE_BIND_MOUNTS, FILE_ALONE, JSON_TEXT_MAX },
	{ "status.dump", ARCHIVE_CRI_STATUS, FILE_ALONE, JSON_TEXT_MAX },
	{ "status", ARCHIVE_STATUS, FILE_ALONE, JSON_TEXT_MAX },
	{ "pod.options", ARCHIVE_POD_OPTIONS, FILE_ALONE, JSON_TEXT_MAX },
	{ "pod.dump", ARCHIVE_POD_DUMP, FILE_ALONE, JSON_TEXT_MAX },
	{ "stats-dump", ARCHIVE_STATS, FILE_ALONE, 1 << 20 },
	{ "dump.log", ARCHIVE_DUMP_LOG, FILE_ALONE, LOG_MAX },
	{ "ctr.log", ARCHIVE_LOG, FILE_ALONE, LOG_MAX },
	{ "container.log", ARCHIVE_LOG, FILE_ALONE, LOG_MAX },
	{ "io.kubernetes.cri-o.LogPath", ARCHIVE_LOG, FILE_ALONE, LOG_MAX },
	{ "checkpoint", ARCHIVE_CHECKPOINT, DIR_FLAT, UNPACK_BYTES_MAX },
	{ "pre-checkpoint", ARCHIVE_PRE_CHECKPOINT, DIR_FLAT, UNPACK_BYTES_MAX },
	{ "artifacts", ARCHIVE_ARTIFACT, DIR_DEEP, UNPACK_BYTES_MAX },
	{ "devshm-checkpoint.tar", ARCHIVE_SHM_TAR, FILE_ALONE, UNPACK_BYTES_MAX },
	{ "rootfs-diff.tar", ARCHIVE_ROOTFS_TAR, FILE_ALONE, UNPACK_BYTES_MAX },
	{ "volumes", ARCHIVE_VOLUME_TAR, DIR_TARS, UNPACK_BYTES_MAX },
};

#define PARENT_NAME "checkpoint/parent"
#define PARENT_TARGET "../pre-checkpoint"

static const struct rule *find_rule(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const char *rest = str_skip_prefix(name, rules[i].name);

		if (rest && (!*rest || (*rest == '/' && rules[i].place != FILE_ALONE)))
			return &rules[i];
	}
	return NULL;
}

/* rest: what is behind the directory's name and a slash. */
static bool is_fine_below(const struct rule *rule, const char *rest, enum archive_member_type type)
{
	size_t len = strlen(rest);

	if (rule->place == DIR_DEEP)
		return true;
	if (type != ARCHIVE_REGULAR || strchr(rest, '/'))
		return false;
	return rule->place == DIR_FLAT || (len > 4 && str_has_suffix(rest, ".tar"));
}

int archive_member_classify(const char *name, enum archive_member_type type, const char *link,
			    enum archive_member_kind *ret, uint64_t *ret_max, struct err *err)
{
	const struct rule *rule = find_rule(name);
	const char *rest = rule ? name + strlen(rule->name) : NULL;
	bool fits;

	if (!rule)
		return err_set(err, ERR_INVALID, "member '%.200s' belongs in no checkpoint archive",
			       name);
	if (type == ARCHIVE_SYMLINK)
		fits = str_eq(name, PARENT_NAME) && str_eq(link, PARENT_TARGET);
	else if (*rest)
		fits = is_fine_below(rule, rest + 1, type);
	else
		fits = (type == ARCHIVE_DIRECTORY) == (rule->place != FILE_ALONE);
	if (!fits)
		return err_set(err, ERR_INVALID,
			       "member '%.200s' is not what a checkpoint archive has there", name);
	*ret = rule->kind;
	*ret_max = rule->max;
	return 0;
}

const char *archive_member_kind_to_string(enum archive_member_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].kind == kind)
			return rules[i].name;
	return "unknown";
}

char *archive_member_volume(const struct archive_member *member)
{
	const char *file = str_skip_prefix(member->name, "volumes/");

	if (member->kind != ARCHIVE_VOLUME_TAR || !file)
		return NULL;
	return xstrndup(file, strlen(file) - strlen(".tar"));
}
