/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/userns.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/lock.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/facts.h"
#include "engine/image_use.h"
#include "engine/records.h"
#include "kernel/subid.h"
#include "storage/layer.h"

/* podman's: how many ids a container gets at least and at most. */
#define AUTO_SIZE_MIN 1024
#define AUTO_SIZE_MAX 65536
#define USERS_FILE_MAX (4U << 20)

struct maps {
	struct container_idmap **v;
	size_t *n;
};

static struct maps uid_maps(struct container_config *c)
{
	return (struct maps){ &c->uid_maps, &c->n_uid_maps };
}

static struct maps gid_maps(struct container_config *c)
{
	return (struct maps){ &c->gid_maps, &c->n_gid_maps };
}

static void add_range(struct maps to, uint32_t container, uint32_t host, uint32_t size)
{
	*to.v = array_reserve_one(*to.v, *to.n, sizeof(**to.v));
	(*to.v)[(*to.n)++] = (struct container_idmap){ container, host, size };
}

static void copy_ranges(const struct container_idmap *from, size_t n, struct maps to)
{
	for (size_t i = 0; i < n; i++)
		add_range(to, from[i].container, from[i].host, from[i].size);
}

static void fill(struct idmap *to, const struct container_idmap *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		idmap_add(to, from[i].container, from[i].host, from[i].size);
}

void userns_maps(const struct container_config *config, struct idmap *ret_uids,
		 struct idmap *ret_gids)
{
	*ret_uids = (struct idmap)IDMAP_INIT;
	*ret_gids = (struct idmap)IDMAP_INIT;
	fill(ret_uids, config->uid_maps, config->n_uid_maps);
	fill(ret_gids, config->gid_maps, config->n_gid_maps);
}

int userns_outside(const struct container_config *config, bool is_group, uint32_t id, uint32_t *ret)
{
	auto_idmap struct idmap map = IDMAP_INIT;

	*ret = id;
	if (config->n_uid_maps == 0)
		return 0;
	if (is_group)
		fill(&map, config->gid_maps, config->n_gid_maps);
	else
		fill(&map, config->uid_maps, config->n_uid_maps);
	return idmap_to_outside(&map, id, ret);
}

int userns_owner_outside(const struct container_config *config, uint32_t uid, uint32_t gid,
			 uint32_t *ret_uid, uint32_t *ret_gid)
{
	int r = userns_outside(config, false, uid, ret_uid);

	return r < 0 ? r : userns_outside(config, true, gid, ret_gid);
}

int userns_own_by_root(const struct container_config *config, int fd)
{
	uint32_t uid;
	uint32_t gid;

	if (config->n_uid_maps == 0)
		return 0;
	if (userns_owner_outside(config, 0, 0, &uid, &gid) < 0)
		return -ERANGE;
	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

bool userns_is_own(const struct container_config *config)
{
	return config->n_uid_maps > 0 && !facts_mode_container(config->userns);
}

/* --- auto ------------------------------------------------------------------------------------------- */

struct auto_options {
	uint32_t size; /* 0: by the image */
	struct container_config fixed; /* uidmapping=, gidmapping= */
};

static int parse_range(const char *text, struct maps to, struct err *err)
{
	auto_strvec struct strvec parts = STRVEC_INIT;
	uint32_t v[3] = { 0, 0, 1 };
	int r = 0;

	strvec_split(&parts, text, ':', true);
	for (size_t i = 0; r == 0 && i < parts.n && i < ARRAY_SIZE(v); i++)
		r = parse_u32(parts.v[i], &v[i]);
	if (r < 0 || parts.n < 2 || parts.n > 3)
		return err_set(err, ERR_INVALID,
			       "--userns 'auto': mapping '%s': expected CONTAINER:HOST[:SIZE]",
			       text);
	add_range(to, v[0], v[1], v[2]);
	return 0;
}

static int parse_auto(const char *mode, struct auto_options *ret, struct err *err)
{
	auto_free char *text = xstrdup(mode[4] == ':' ? mode + 5 : "");
	char *rest = text;
	char *word;
	int r = 0;

	while (r == 0 && (word = strsep(&rest, ","))) {
		const char *value;

		if (!*word)
			continue;
		if ((value = str_skip_prefix(word, "size=")))
			r = parse_u32(value, &ret->size) < 0 || ret->size == 0 ?
				    err_set(err, ERR_INVALID,
					    "--userns '%s': size '%s' is no number", mode, value) :
				    0;
		else if ((value = str_skip_prefix(word, "uidmapping=")))
			r = parse_range(value, uid_maps(&ret->fixed), err);
		else if ((value = str_skip_prefix(word, "gidmapping=")))
			r = parse_range(value, gid_maps(&ret->fixed), err);
		else
			r = err_set(err, ERR_INVALID, "--userns '%s': unknown option '%s'", mode,
				    word);
	}
	return r;
}

/* The highest id in a file of users or groups (the third field), of those that are not "nobody". */
static uint32_t highest_id(const char *path)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	uint32_t highest = 0;
	char *rest;
	char *line;

	if (io_read_file_at(AT_FDCWD, path, USERS_FILE_MAX, &sb) < 0)
		return 0;
	rest = sb.buf;
	while ((line = strsep(&rest, "\n"))) {
		const char *field = NULL;
		uint32_t id;

		for (int i = 0; line && i < 3; i++)
			field = strsep(&line, ":");
		if (field && parse_u32(field, &id) == 0 && id < AUTO_SIZE_MAX - 2)
			highest = MAX(highest, id);
	}
	return highest;
}

/* Of the files in the highest layer that has them; what a layer below says is hidden. */
static int image_size(struct engine *e, const struct container_config *c, const char *top,
		      uint32_t *ret, struct err *err)
{
	static const char *const names[] = { "etc/passwd", "etc/group" };
	auto_layers struct layers layers = { 0 };
	auto_strvec struct strvec trees = STRVEC_INIT;
	uint32_t highest = 0;
	struct store *store;
	int r = 0;

	if (c->rootfs) {
		strvec_add(&trees, c->rootfs);
	} else {
		r = engine_store(e, &store, err);
		if (r == 0)
			r = layers_load(store, top, &layers, err);
		for (size_t i = layers.n; r == 0 && i-- > 0;)
			strvec_add_take(&trees, layer_diff_path(store, layers.v[i].chain_id));
	}
	for (size_t k = 0; r == 0 && k < ARRAY_SIZE(names); k++)
		for (size_t i = 0; i < trees.n; i++) {
			auto_free char *path = path_join(trees.v[i], names[k]);
			struct stat st;

			if (lstat(path, &st) < 0)
				continue;
			if (S_ISREG(st.st_mode))
				highest = MAX(highest, highest_id(path));
			break;
		}
	*ret = MIN(MAX(highest + 1, (uint32_t)AUTO_SIZE_MIN), (uint32_t)AUTO_SIZE_MAX);
	return r;
}

struct taken {
	struct container_idmap *v;
	size_t n;
};

static int add_taken(void *context, struct container_config *config,
		     struct container_status *status UNUSED, struct err *err UNUSED)
{
	struct taken *t = context;

	copy_ranges(config->uid_maps, config->n_uid_maps, (struct maps){ &t->v, &t->n });
	copy_ranges(config->gid_maps, config->n_gid_maps, (struct maps){ &t->v, &t->n });
	return 0;
}

/* The end of a taken range that reaches into these ids; 0: they are free. */
static uint64_t taken_until(const struct taken *taken, uint64_t from, uint64_t size)
{
	for (size_t i = 0; i < taken->n; i++) {
		uint64_t begin = taken->v[i].host;
		uint64_t end = begin + taken->v[i].size;

		if (from < end && begin < from + size)
			return end;
	}
	return 0;
}

/* The first ids that are in both lists and nobody has. */
static int find_free(const struct idmap *uids, const struct idmap *gids, const struct taken *taken,
		     uint32_t size, uint32_t *ret)
{
	for (size_t i = 0; i < uids->n; i++) {
		uint64_t at = MAX(uids->v[i].outside, 1U);
		uint64_t end = (uint64_t)uids->v[i].outside + uids->v[i].size;

		while (at + size <= end) {
			uint64_t next = taken_until(taken, at, size);

			if (next == 0 && idmap_covers_outside(gids, (uint32_t)at, size)) {
				*ret = (uint32_t)at;
				return 0;
			}
			at = next ? next : at + size;
		}
	}
	return -ENOSPC;
}

/* The range, with the fixed mappings in front of it. */
static void lay_out(const struct container_idmap *fixed, size_t n, uint32_t host, uint32_t size,
		    struct maps to)
{
	uint32_t at = 0;

	copy_ranges(fixed, n, to);
	while (at < size) {
		uint32_t end = size;
		bool inside = false;

		for (size_t i = 0; i < n; i++) {
			if (at >= fixed[i].container && at - fixed[i].container < fixed[i].size) {
				at = fixed[i].container + fixed[i].size;
				inside = true;
			} else if (fixed[i].container > at) {
				end = MIN(end, fixed[i].container);
			}
		}
		if (inside)
			continue;
		add_range(to, at, host + at, end - at);
		at = end;
	}
}

int userns_lock(const struct engine *e, struct err *err)
{
	auto_free char *path = xasprintf("%s/userns.lock", e->tmpdir);
	int fd = lock_open(AT_FDCWD, path, LOCK_MODE_EXCLUSIVE, -1);

	return fd < 0 ? err_sys(err, fd, "lock '%s'", path) : fd;
}

bool userns_is_auto(const struct container_config *c)
{
	return str_eq(c->userns, "auto") || (c->userns && str_has_prefix(c->userns, "auto:"));
}

struct overlap {
	const struct container_config *config;
	struct container_idmap with; /* of the other */
	char *name; /* owned */
};

static int look_for_overlap(void *context, struct container_config *other,
			    struct container_status *status UNUSED, struct err *err UNUSED)
{
	struct overlap *o = context;
	const struct container_config *c = o->config;
	struct taken theirs = { 0 };

	if (o->name || str_eq(c->id, other->id) || !(userns_is_auto(c) || userns_is_auto(other)))
		return 0;
	(void)add_taken(&theirs, other, NULL, NULL);
	for (size_t i = 0; i < theirs.n && !o->name; i++) {
		const struct taken one = { &theirs.v[i], 1 };
		bool both = false;

		for (size_t k = 0; k < c->n_uid_maps; k++)
			both = both || taken_until(&one, c->uid_maps[k].host, c->uid_maps[k].size);
		for (size_t k = 0; k < c->n_gid_maps; k++)
			both = both || taken_until(&one, c->gid_maps[k].host, c->gid_maps[k].size);
		if (both) {
			o->with = theirs.v[i];
			o->name = xstrdup(other->name);
		}
	}
	free(theirs.v);
	return 0;
}

int userns_find_overlap(struct engine *e, const struct container_config *c,
			struct container_idmap *ret_with, char **ret_name, struct err *err)
{
	struct overlap o = { .config = c };
	int r = c->n_uid_maps + c->n_gid_maps > 0 ? record_each(e, look_for_overlap, &o, err) : 0;

	*ret_with = o.with;
	*ret_name = o.name;
	return r;
}

static int resolve_auto(struct engine *e, struct container_config *c, const char *top,
			int *ret_lock, struct err *err)
{
	auto_idmap struct idmap uids = IDMAP_INIT;
	auto_idmap struct idmap gids = IDMAP_INIT;
	struct auto_options o = { 0 };
	struct taken taken = { 0 };
	uint32_t host;
	int r = parse_auto(c->userns, &o, err);

	if (r == 0 && o.size == 0)
		r = image_size(e, c, top, &o.size, err);
	if (r == 0 && (subid_load(&uids, "/etc/subuid", USERNS_AUTO_USER, (uid_t)-1) < 0 ||
		       subid_load(&gids, "/etc/subgid", USERNS_AUTO_USER, (uid_t)-1) < 0 ||
		       uids.n == 0 || gids.n == 0))
		r = err_set(err, ERR_NOT_FOUND,
			    "--userns 'auto': no ids for user '" USERNS_AUTO_USER
			    "' in /etc/subuid and /etc/subgid; add a line such as "
			    "'" USERNS_AUTO_USER ":2147483647:2147483648' to both");
	if (r == 0) {
		*ret_lock = userns_lock(e, err);
		r = MIN(*ret_lock, 0);
	}
	if (r == 0)
		r = record_each(e, add_taken, &taken, err);
	if (r == 0 && find_free(&uids, &gids, &taken, o.size, &host) < 0)
		r = err_set(err, ERR_STATE,
			    "--userns 'auto': no %u ids in a row are left of those of user "
			    "'" USERNS_AUTO_USER
			    "'; remove containers, or give it more in /etc/subuid "
			    "and /etc/subgid",
			    o.size);
	if (r == 0) {
		lay_out(o.fixed.uid_maps, o.fixed.n_uid_maps, host, o.size, uid_maps(c));
		lay_out(o.fixed.gid_maps, o.fixed.n_gid_maps, host, o.size, gid_maps(c));
	}
	container_config_done(&o.fixed);
	free(taken.v);
	return r;
}

/* --- the modes --------------------------------------------------------------------------------------- */

static int resolve_container(struct engine *e, struct container_config *c, const char *id,
			     struct err *err)
{
	auto_container struct container other = CONTAINER_INIT;
	int r = container_open(&other, e, id, err);

	if (r < 0)
		return r;
	copy_ranges(other.config.uid_maps, other.config.n_uid_maps, uid_maps(c));
	copy_ranges(other.config.gid_maps, other.config.n_gid_maps, gid_maps(c));
	return 0;
}

static int check_maps(const struct container_config *c, struct err *err)
{
	auto_idmap struct idmap uids = IDMAP_INIT;
	auto_idmap struct idmap gids = IDMAP_INIT;
	uint32_t root;

	fill(&uids, c->uid_maps, c->n_uid_maps);
	fill(&gids, c->gid_maps, c->n_gid_maps);
	if (idmap_check(&uids) < 0)
		return err_set(err, ERR_INVALID,
			       "--uidmap: ranges are empty, overlap or reach too far");
	if (idmap_check(&gids) < 0)
		return err_set(err, ERR_INVALID,
			       "--gidmap: ranges are empty, overlap or reach too far");
	if (idmap_to_outside(&uids, 0, &root) < 0 || idmap_to_outside(&gids, 0, &root) < 0)
		return err_set(
			err, ERR_INVALID,
			"user and group 0 of the container are not mapped; add --uidmap 0:ID:1 "
			"and --gidmap 0:ID:1");
	return 0;
}

static int keep_id_option(const char *text, struct opt_u32 *uid, struct opt_u32 *gid,
			  struct err *err)
{
	const char *value = strchr(text, '=');
	auto_free char *key = xstrndup(text, strcspn(text, "="));
	struct opt_u32 *to = str_eq(key, "uid") ? uid : str_eq(key, "gid") ? gid : NULL;

	if (str_eq(key, "size"))
		return err_set(err, ERR_UNSUPPORTED,
			       "--userns keep-id: cannot set max size for user namespace when not "
			       "running rootless");
	if (!to)
		return err_set(err, ERR_INVALID,
			       "--userns keep-id: unknown option specified: \"%s\"", key);
	if (!value || parse_u32(value + 1, &to->v) < 0)
		return err_set(err, ERR_INVALID, "--userns keep-id: '%s': expected a number", text);
	if (to->v > INT32_MAX)
		return err_set(err, ERR_INVALID,
			       "--userns keep-id: uids and gids must be in range 0-2147483647");
	to->set = true;
	return 0;
}

/*
 * root keeps its ids without a user namespace, as with podman 5. keep-id:uid=,gid= are then who the process is where
 * neither the user nor the image says that, and the group is one of its groups in any case.
 */
static int resolve_keep_id(struct container_config *c, struct err *err)
{
	const char *options = str_skip_prefix(c->userns, "keep-id:");
	auto_strvec struct strvec list = STRVEC_INIT;
	struct opt_u32 uid = { 0 };
	struct opt_u32 gid = { 0 };
	int r = 0;

	if (!str_is_empty(options))
		strvec_split(&list, options, ',', true);
	for (size_t i = 0; r == 0 && i < list.n; i++)
		r = keep_id_option(list.v[i], &uid, &gid, err);
	if (r < 0)
		return r;
	if ((uid.set || gid.set) && str_is_empty(c->user))
		replace_ptr(c->user, xasprintf("%u:%u", uid.v, gid.v));
	if (gid.set) {
		auto_free char *group = xasprintf("%u", gid.v);

		json_strings_add(&c->groups, &c->n_groups, group);
	}
	replace_ptr(c->userns, NULL);
	return 0;
}

int userns_resolve(struct engine *e, struct container_config *c, const char *image_top,
		   int *ret_lock, struct err *err)
{
	const char *mode = c->userns;
	const char *other = facts_mode_container(mode);
	bool mapped = c->n_uid_maps + c->n_gid_maps > 0;

	if (mode && str_has_prefix(mode, "keep-id") && !mapped) {
		int r = resolve_keep_id(c, err);

		if (r < 0)
			return r;
		mode = NULL;
	}
	if (str_eq(mode, "nomap"))
		return err_set(err, ERR_UNSUPPORTED, "nomap is only supported in rootless mode");
	if (mapped && mode && !str_eq(mode, "private"))
		return err_set(
			err, ERR_INVALID,
			"--userns '%s' cannot be used with --uidmap, --gidmap, --subuidname or "
			"--subgidname",
			mode);
	if (str_eq(mode, "private") && !mapped)
		return err_set(
			err, ERR_INVALID,
			"--userns 'private' needs --uidmap and --gidmap; without them use 'auto'");
	if (userns_is_auto(c)) {
		int r = resolve_auto(e, c, image_top, ret_lock, err);

		return r < 0 ? r : check_maps(c, err);
	}
	if (other)
		return resolve_container(e, c, other, err);
	if (!mapped && c->rootfs_idmap)
		return err_set(
			err, ERR_INVALID,
			"root file system '%s': option idmap needs a user namespace; give --uidmap "
			"and --gidmap, or --userns auto",
			c->rootfs);
	if (!mapped)
		return 0;
	if (c->rootfs_idmap && c->rootfs_overlay)
		return err_set(err, ERR_UNSUPPORTED,
			       "root file system '%s': options O and idmap cannot be used together",
			       c->rootfs);
	if (c->n_gid_maps == 0)
		copy_ranges(c->uid_maps, c->n_uid_maps, gid_maps(c));
	if (c->n_uid_maps == 0)
		copy_ranges(c->gid_maps, c->n_gid_maps, uid_maps(c));
	replace_ptr(c->userns, xstrdup("private"));
	return check_maps(c, err);
}

/* --- the way to the files --------------------------------------------------------------------------- */

static int make_searchable(const char *root, const char *path, struct err *err)
{
	auto_free char *at = xstrdup(path);

	/* From the directory itself up to the engine's own, which is the last. */
	while (path_is_below(at, root)) {
		char *parent;
		struct stat st;

		if (stat(at, &st) < 0)
			return err_sys(err, -errno, "read '%s'", at);
		if ((st.st_mode & 0111) != 0111 && chmod(at, (st.st_mode & 07777) | 0111) < 0)
			return err_sys(err, -errno, "let the container's user search '%s'", at);
		if (str_eq(at, root))
			break;
		parent = path_dirname(at);
		replace_ptr(at, parent);
	}
	return 0;
}

int userns_make_accessible(const struct engine *e, const char *const *paths, size_t n,
			   struct err *err)
{
	const char *const roots[] = { e->root, e->runroot };
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		for (size_t k = 0; r == 0 && k < ARRAY_SIZE(roots); k++)
			if (path_is_below(paths[i], roots[k]))
				r = make_searchable(roots[k], paths[i], err);
	return r;
}
