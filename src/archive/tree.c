/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/tree.h"

#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "archive/tree_internal.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/path.h"
#include "core/str.h"
#include "core/strvec.h"
#include "storage/xattr.h"

#define DEPTH_MAX 1024
#define XATTR_MAX ((size_t)64 << 10)

/* An inode with several names, and the entry of the first of them. */
struct seen {
	bool used;
	dev_t dev;
	ino_t ino;
	size_t entry;
};

struct archive_tree *archive_tree_new(void)
{
	return xcalloc(1, sizeof(struct archive_tree));
}

static void entry_done(struct tree_entry *entry)
{
	free(entry->path);
	free(entry->name);
	free(entry->link);
	for (size_t i = 0; i < entry->n_xattrs; i++) {
		free(entry->xattrs[i].name);
		free(entry->xattrs[i].value);
	}
	free(entry->xattrs);
}

void archive_tree_free(struct archive_tree *tree)
{
	if (!tree)
		return;
	for (size_t i = 0; i < tree->n_entries; i++)
		entry_done(&tree->entries[i]);
	for (size_t i = 0; i < tree->n_bases; i++)
		rooted_close(&tree->bases[i]);
	free(tree->entries);
	free(tree->bases);
	free(tree->table);
	free(tree);
}

size_t archive_tree_count(const struct archive_tree *tree)
{
	return tree->n_entries;
}

uint64_t archive_tree_size(const struct archive_tree *tree)
{
	return tree->size + TAR_END;
}

/* --- links --- */

static size_t seen_slot(const struct seen *table, size_t n, dev_t dev, ino_t ino)
{
	size_t i = (size_t)(ino * 0x9e3779b97f4a7c15ULL ^ dev) & (n - 1);

	while (table[i].used && (table[i].dev != dev || table[i].ino != ino))
		i = (i + 1) & (n - 1);
	return i;
}

static void seen_grow(struct archive_tree *tree)
{
	size_t n = tree->n_table ? tree->n_table * 2 : 64;
	struct seen *table = xcalloc(n, sizeof(*table));

	for (size_t i = 0; i < tree->n_table; i++) {
		const struct seen *old = &tree->table[i];

		if (old->used)
			table[seen_slot(table, n, old->dev, old->ino)] = *old;
	}
	free(tree->table);
	tree->table = table;
	tree->n_table = n;
}

/* The path of this inode's first entry; NULL: this is it, and will be entry `next`. */
static const char *first_path(struct archive_tree *tree, const struct stat *st, size_t next)
{
	struct seen *seen;

	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return NULL;
	if (tree->n_seen * 2 >= tree->n_table)
		seen_grow(tree);
	seen = &tree->table[seen_slot(tree->table, tree->n_table, st->st_dev, st->st_ino)];
	if (seen->used)
		return tree->entries[seen->entry].path;
	*seen = (struct seen){ true, st->st_dev, st->st_ino, next };
	tree->n_seen++;
	return NULL;
}

/* --- one object --- */

static void add_xattrs(struct tree_entry *entry, int dir_fd, const char *name)
{
	auto_free char *path = xasprintf("%s/%s", fd_path(dir_fd).text, *name ? name : ".");
	auto_free char *names = NULL;
	ssize_t n = llistxattr(path, NULL, 0);

	if (n <= 0 || (size_t)n > XATTR_MAX)
		return;
	names = xmalloc(XATTR_MAX);
	n = llistxattr(path, names, XATTR_MAX);
	for (const char *p = names; n > 0 && p < names + n; p += strlen(p) + 1) {
		auto_free char *value = NULL;
		ssize_t len;

		if (!xattr_is_content_or_acl(p))
			continue;
		value = xmalloc(XATTR_MAX);
		len = lgetxattr(path, p, value, XATTR_MAX);
		if (len >= 0)
			*array_push(entry->xattrs, entry->n_xattrs) =
				(struct tar_xattr){ xstrdup(p), xmemdup(value, (size_t)len + 1),
						    (size_t)len };
	}
}

static char type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return '0';
	case S_IFLNK:
		return '2';
	case S_IFCHR:
		return '3';
	case S_IFBLK:
		return '4';
	case S_IFDIR:
		return '5';
	case S_IFIFO:
		return '6';
	default:
		return '\0';
	}
}

static int read_link(struct tree_entry *entry, int dir_fd, const char *name)
{
	char target[4096];
	ssize_t len = readlinkat(dir_fd, name, target, sizeof(target) - 1);

	if (len < 0)
		return -errno;
	entry->link = xstrndup(target, (size_t)len);
	return 0;
}

void tree_entry_format(const struct tree_entry *entry, struct strbuf *sb)
{
	bool private = entry->flags & ARCHIVE_TREE_PRIVATE;
	bool is_device = entry->type == '3' || entry->type == '4';
	struct tar_header header = {
		.path = entry->path,
		.link = entry->link,
		.type = entry->type,
		.mode = private ? (entry->type == '5' ? 0700 : 0600) : entry->st.st_mode & 07777,
		.uid = private ? 0 : entry->st.st_uid,
		.gid = private ? 0 : entry->st.st_gid,
		.size = entry->type == '0' ? (uint64_t)entry->st.st_size : 0,
		.mtime = entry->st.st_mtim,
		.major = is_device ? major(entry->st.st_rdev) : 0,
		.minor = is_device ? minor(entry->st.st_rdev) : 0,
		.xattrs = entry->xattrs,
		.n_xattrs = entry->n_xattrs,
	};

	if (private)
		header.mtime.tv_nsec = 0;
	tar_header_format(sb, &header);
}

/* The object dir_fd/name, which is `below` the base. 1: it is an entry now, 0: it is left out. */
static int add_object(struct archive_tree *tree, int dir_fd, const char *name, size_t base,
		      const char *below, const char *path, unsigned int flags, struct err *err)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	struct tree_entry entry = { .base = base, .flags = flags };
	const char *first;
	int r = 0;

	if (fstatat(dir_fd, name, &entry.st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0)
		return errno == ENOENT ? 0 : err_sys(err, -errno, "read '%s'", path);
	entry.type = type_of(entry.st.st_mode);
	if (!entry.type)
		return 0;
	first = first_path(tree, &entry.st, tree->n_entries);
	if (first) {
		entry.type = '1';
		entry.link = xstrdup(first);
	} else if (entry.type == '2') {
		r = read_link(&entry, dir_fd, name);
	}
	if (r < 0)
		return r == -ENOENT ? 0 : err_sys(err, r, "read '%s'", path);
	if (!first && !(flags & ARCHIVE_TREE_PRIVATE))
		add_xattrs(&entry, dir_fd, name);
	entry.path = entry.type == '5' && !str_has_suffix(path, "/") ? xasprintf("%s/", path) :
								       xstrdup(path);
	entry.name = xstrdup(below);
	tree_entry_format(&entry, &sb);
	tree->size += sb.len;
	if (entry.type == '0')
		tree->size += tar_padded((uint64_t)entry.st.st_size);
	*array_push(tree->entries, tree->n_entries) = entry;
	return 1;
}

/* --- trees --- */

struct walk {
	struct archive_tree *tree;
	size_t base;
	dev_t dev;
	unsigned int flags;
	unsigned int depth;
};

static int walk_below(struct walk *w, int dir_fd, const char *below, const char *path,
		      struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = fs_list(dir_fd, ".", &names);

	if (r < 0)
		return err_sys(err, r, "read directory '%s'", path);
	if (++w->depth > DEPTH_MAX)
		return err_set(err, ERR_INVALID, "read '%.200s...': more than %d directories deep",
			       path, DEPTH_MAX);
	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		const char *name = names.v[i];
		auto_free char *child = *path ? xasprintf("%s/%s", path, name) : xstrdup(name);
		auto_free char *child_below = *below ? xasprintf("%s/%s", below, name) :
						       xstrdup(name);
		auto_close int fd = -EBADF;
		struct stat st;

		r = add_object(w->tree, dir_fd, name, w->base, child_below, child, w->flags, err);
		if (r <= 0 || w->tree->entries[w->tree->n_entries - 1].type != '5')
			continue;
		fd = fd_open_at(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		if (fd < 0 || fstat(fd, &st) < 0 ||
		    ((w->flags & ARCHIVE_TREE_ONE_FS) && st.st_dev != w->dev))
			continue;
		r = walk_below(w, fd, child_below, child, err);
	}
	w->depth--;
	return MIN(r, 0);
}

/* The base for dir_fd: the last one when it is the same directory. */
static int add_base(struct archive_tree *tree, int dir_fd, size_t *ret)
{
	struct rooted base = ROOTED_INIT;
	struct stat a;
	struct stat b;
	int fd;

	if (tree->n_bases > 0 && fstatat(dir_fd, "", &a, AT_EMPTY_PATH) == 0 &&
	    fstat(tree->bases[tree->n_bases - 1].fd, &b) == 0 && fs_is_same_file(&a, &b)) {
		*ret = tree->n_bases - 1;
		return 0;
	}
	fd = fd_open_at(dir_fd, ".", O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	rooted_from_fd(&base, fd);
	*ret = tree->n_bases;
	*array_push(tree->bases, tree->n_bases) = base;
	return 0;
}

/* The entry of dir_fd/name: 1, 0 when there is none. *ret_parent: the directory that it is in. */
static int add_named(struct archive_tree *tree, int dir_fd, const char *name, const char *path,
		     unsigned int flags, size_t *ret_base, struct err *err)
{
	auto_free char *parent = path_dirname(name);
	auto_close int parent_fd = -EBADF;
	int r = add_base(tree, dir_fd, ret_base);

	if (r < 0)
		return err_sys(err, r, "read '%s'", path);
	if (!strchr(name, '/'))
		return add_object(tree, tree->bases[*ret_base].fd, name, *ret_base, name, path,
				  flags, err);
	parent_fd = rooted_openat(&tree->bases[*ret_base], parent, O_PATH | O_DIRECTORY);
	if (parent_fd < 0)
		return parent_fd == -ENOENT ? 0 : err_sys(err, parent_fd, "read '%s'", path);
	return add_object(tree, parent_fd, path_basename(name), *ret_base, name, path, flags, err);
}

int archive_tree_add(struct archive_tree *tree, int dir_fd, const char *name, const char *path,
		     unsigned int flags, struct err *err)
{
	size_t base;

	return MIN(0, add_named(tree, dir_fd, name, str_is_empty(path) ? "." : path, flags, &base,
				err));
}

int archive_tree_add_all(struct archive_tree *tree, int dir_fd, const char *name, const char *path,
			 unsigned int flags, struct err *err)
{
	struct walk w = { .tree = tree, .flags = flags };
	auto_close int fd = -EBADF;
	struct stat st;
	int r = add_named(tree, dir_fd, name, str_is_empty(path) ? "." : path, flags, &w.base, err);

	if (r <= 0 || tree->entries[tree->n_entries - 1].type != '5')
		return MIN(r, 0);
	fd = rooted_openat(&tree->bases[w.base], *name ? name : "/",
			   O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, fd < 0 ? fd : -errno, "read directory '%s'", path);
	w.dev = st.st_dev;
	return walk_below(&w, fd, name, path, err);
}

/* --- for the writer --- */

int tree_entry_open(const struct archive_tree *tree, const struct tree_entry *entry,
		    struct err *err)
{
	auto_close int fd = rooted_openat(&tree->bases[entry->base], entry->name,
					  O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0 && fd != -ENOENT && fd != -ELOOP && fd != -ENOTDIR)
		return err_sys(err, fd, "read '%s'", entry->path);
	if (fd < 0 || fstat(fd, &st) < 0 || !fs_is_same_file(&st, &entry->st) ||
	    st.st_size < entry->st.st_size)
		return err_set(err, ERR_STATE,
			       "read '%s': it was changed meanwhile; archive what is not being "
			       "changed",
			       entry->path);
	return take_fd(fd);
}
