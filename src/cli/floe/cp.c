/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cp: between a container and the host, between two containers, or a tar archive on stdin or stdout.
 *
 * Theory of operation: a child packs what is copied into a pipe as a tar archive, we unpack it. Both
 * sides are resolved inside their roots (core/rooted.h); of a running container that is what its
 * processes see, volumes included. Nothing of a container can name a file of the host.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/floe/image_common.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/path.h"
#include "core/proc.h"
#include "core/rooted.h"
#include "core/str.h"
#include "engine/container.h"
#include "engine/userns.h"
#include "engine/users.h"
#include "engine/volume.h"
#include "storage/rootfs.h"
#include "storage/tar_writer.h"
#include "storage/unpack.h"

#define IRREGULAR "\"%s\" must be a directory or a regular file"

struct options {
	struct opt_bool archive;
	struct opt_bool pause;
	bool overwrite;
};

/* One of the two. */
struct side {
	struct container c;
	bool is_container;
	bool is_stream; /* "-" */
	struct rooted root;
	/* What is mounted in it where path leads, if nobody runs who sees it. */
	struct rooted mount;
	bool on_mount;
	char *path; /* as given, without the container's name */
	char *full; /* absolute, below root or mount; "/" or "/." of path is behind it */
	char *name; /* of the object itself; "" for a root */
	bool mounted; /* by us */
	struct stat st;
	bool exists;
};

static int open_live_root(struct side *s, struct err *err)
{
	auto_free char *path = xasprintf("/proc/%d/root", s->c.status.pid);
	int r = rooted_open(&s->root, AT_FDCWD, path);

	return r < 0 ? err_sys(err, r, "open the root of container '%s'", s->c.config.name) : 0;
}

static const struct rooted *root_of(const struct side *s)
{
	return s->on_mount ? &s->mount : &s->root;
}

/* What cleaning takes away has a meaning here. */
static char *keep_end(char *path, const char *given)
{
	const char *end = str_has_suffix(given, "/.") || str_eq(given, ".") ? "/." :
			  str_has_suffix(given, "/")			    ? "/" :
									      "";
	char *ret = xasprintf("%s%s", str_eq(path, "/") ? "" : path, *end ? end : "");

	if (!*ret)
		replace_ptr(ret, xstrdup("/"));
	free(path);
	return ret;
}

/* Its files on the host, which may be a file; NULL: a tmpfs or the like, which is not there yet. */
static int mount_source(struct side *s, const struct container_mount *m, char **ret,
			struct err *err)
{
	auto_volume struct volume v = { 0 };
	int r;

	if (str_eq(m->type, "bind")) {
		*ret = xstrdup(m->source);
		return 0;
	}
	if (!str_eq(m->type, "volume"))
		return 0;
	r = volume_load(s->c.engine, m->source, &v, err);
	if (r < 0)
		return r;
	if (v.options.n > 0 && v.n_holders == 0 && v.mount_count == 0)
		return err_set(err, ERR_STATE,
			       "copy '%s:%s': volume '%s' is not mounted; start the container "
			       "first, or run 'floe volume mount %s'",
			       s->c.config.name, s->path, v.name, v.name);
	*ret = m->subpath ? path_join(v.mountpoint, m->subpath) : xstrdup(v.mountpoint);
	return 0;
}

/* The path ends up on a mount of the container, which is mounted nowhere: there then. */
static int enter_mount(struct side *s, struct err *err)
{
	auto_free char *resolved = rooted_resolve(&s->root, s->full);
	const struct container_mount *best = NULL;
	auto_free char *source = NULL;
	const char *rest;
	struct stat st;
	int r;

	for (size_t i = 0; resolved && i < s->c.config.n_mounts; i++) {
		const struct container_mount *m = &s->c.config.mounts[i];

		if (path_is_below(resolved, m->destination) &&
		    (!best || strlen(m->destination) > strlen(best->destination)))
			best = m;
	}
	r = best ? mount_source(s, best, &source, err) : 0;
	if (r < 0 || !source)
		return r;
	rest = resolved + strlen(best->destination);
	replace_ptr(s->name, xstrdup(path_basename(resolved)));
	if (stat(source, &st) < 0)
		return err_sys(err, -errno, "open '%s'", source);
	if (!S_ISDIR(st.st_mode)) {
		auto_free char *file = take_ptr(source);

		source = path_dirname(file);
		replace_ptr(s->full, xasprintf("/%s", path_basename(file)));
	} else {
		replace_ptr(s->full, keep_end(xstrdup(*rest ? rest : "/"), s->path));
	}
	r = rooted_open(&s->mount, AT_FDCWD, source);
	s->on_mount = r >= 0;
	return r < 0 ? err_sys(err, r, "open '%s'", source) : 0;
}

static int open_container_root(struct side *s, struct store *store, struct err *err)
{
	auto_free char *merged = NULL;
	int r;

	container_sync_loaded(&s->c);
	if (container_is_alive(&s->c) && s->c.status.pid > 0)
		return open_live_root(s, err);
	if (s->c.config.rootfs) {
		merged = xstrdup(s->c.config.rootfs);
	} else {
		r = rootfs_mount(store, s->c.config.id, &merged, err);
		if (r < 0)
			return r;
		s->mounted = true;
	}
	r = rooted_open(&s->root, AT_FDCWD, merged);
	return r < 0 ? err_sys(err, r, "open '%s'", merged) : enter_mount(s, err);
}

/* "NAME:PATH" is a container's; "/a:b" and "./a:b" are the host's. */
static int open_side(const struct cli_invocation *inv, struct store *store, const char *text,
		     struct side *s, struct err *err)
{
	const char *colon = strchr(text, ':');
	auto_free char *name = NULL;
	int fd;
	int r;

	if (str_eq(text, "-")) {
		s->is_stream = true;
		return 0;
	}
	if (!colon || *text == '/' || *text == '.') {
		s->path = xstrdup(text);
		s->full = path_absolute(text, NULL);
		if (!s->full)
			return err_sys(err, -errno, "make '%s' absolute", text);
		/* By this name it is copied, even if it is a link. */
		s->name = xstrdup(path_basename(s->full));
		s->full = keep_end(s->full, text);
		fd = fd_open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
		if (fd < 0)
			return err_sys(err, fd, "open '/'");
		rooted_from_fd(&s->root, fd);
		return 0;
	}
	name = xstrndup(text, (size_t)(colon - text));
	s->path = xstrdup(colon + 1);
	r = container_open(&s->c, floe_engine(inv), name, err);
	if (r < 0)
		return r;
	s->is_container = true;
	if (!*s->path)
		return err_set(err, ERR_USAGE, "invalid argument \"%s\": you must specify paths",
			       text);
	/* Links may be before a "..", so that it stays as it is. */
	s->full =
		*s->path == '/' ?
			xstrdup(s->path) :
			xasprintf("%s/%s", s->c.config.workdir ? s->c.config.workdir : "", s->path);
	return open_container_root(s, store, err);
}

static void close_side(struct side *s, struct store *store)
{
	rooted_close(&s->root);
	rooted_close(&s->mount);
	if (s->mounted)
		(void)rootfs_unmount(store, s->c.config.id, false, NULL);
	if (s->is_container)
		container_close(&s->c);
	free(s->path);
	free(s->full);
	free(s->name);
}

static int not_found(const struct side *s, struct err *err)
{
	if (s->is_container)
		return err_set(err, ERR_NOT_FOUND,
			       "\"%s\" could not be found on container %s: no such file or "
			       "directory",
			       s->path, s->c.config.name);
	return err_set(err, ERR_NOT_FOUND,
		       "\"%s\" could not be found on the host: no such file or directory", s->path);
}

/* The object at path, or where it would be; a link is what it leads to. */
static int look_at(struct side *s, struct err *err)
{
	auto_close int fd = rooted_openat(root_of(s), s->full, O_PATH);
	char *resolved;

	s->exists = fd >= 0;
	/* Symlinks of procfs lead out of the file system: /dev/stdout and the like. */
	if (fd == -ELOOP)
		return err_set(err, ERR_INVALID, IRREGULAR, s->path);
	if (fd != -ENOENT && (fd < 0 || fstat(fd, &s->st) < 0))
		return err_sys(err, fd < 0 ? fd : -errno, "copy '%s'", s->path);
	resolved = rooted_resolve(root_of(s), s->full);
	if (!resolved)
		return s->exists ? err_sys(err, -errno, "copy '%s'", s->path) : 0;
	if (!s->name)
		s->name = xstrdup(path_basename(resolved));
	replace_ptr(s->full, keep_end(resolved, s->path));
	return 0;
}

/* What is in a directory, without itself. */
static bool is_contents(const struct side *s)
{
	return str_has_suffix(s->path, "/.") || str_eq(s->path, ".") || !*s->name ||
	       str_eq(s->name, "/");
}

/* --- packing --- */

/* Split into the directory, opened, and the name in it; the root is "" in itself. */
static int open_source(const struct side *s, int *ret_dir, char **ret_name, struct err *err)
{
	auto_free char *clean = path_join("/", s->full);
	auto_free char *dir = path_dirname(clean);
	bool is_root = str_eq(clean, "/");
	int fd = rooted_openat(root_of(s), is_root ? "/" : dir, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return err_sys(err, fd, "open '%s'", dir);
	*ret_dir = fd;
	*ret_name = xstrdup(is_root ? "" : path_basename(clean));
	return 0;
}

static int pack(const struct side *s, const char *name_in_tar, int out, struct err *err)
{
	auto_tar_writer struct tar_writer *w = NULL;
	auto_close int dir = -EBADF;
	auto_free char *name = NULL;
	int r = open_source(s, &dir, &name, err);

	if (r == 0)
		r = tar_writer_open(&w, tar_sink_fd, &out, err);
	if (r == 0)
		r = tar_writer_add_tree(w, dir, name, name_in_tar, false, err);
	return r < 0 ? r : tar_writer_finish(w, err);
}

/* The same in a child, whose error is left in memory that both see. */
static int start_packing(const struct side *s, const char *name_in_tar, struct err *shared,
			 pid_t *ret_pid, struct err *err)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "make a pipe");
	pid = fork();
	if (pid < 0) {
		close_fd(&fds[0]);
		close_fd(&fds[1]);
		return err_sys(err, -errno, "fork");
	}
	if (pid == 0) {
		close_fd(&fds[0]);
		_exit(pack(s, name_in_tar, fds[1], shared) < 0 ? 1 : 0);
	}
	close_fd(&fds[1]);
	*ret_pid = pid;
	return fds[0];
}

/* --- unpacking --- */

/* Where the first component of the archive goes: a path inside the destination's root. */
static int choose_target(const struct side *from, struct side *to, char **ret, struct err *err)
{
	auto_free char *clean = path_join("/", to->full);
	bool source_is_dir = S_ISDIR(from->st.st_mode);

	/* A device of the host's is not replaced by a file. */
	if (to->exists && !S_ISDIR(to->st.st_mode) && !S_ISREG(to->st.st_mode))
		return err_set(err, ERR_INVALID, "invalid destination: " IRREGULAR, to->path);
	if (to->exists && S_ISDIR(to->st.st_mode)) {
		*ret = is_contents(from) ? xstrdup(clean) : path_join(clean, from->name);
		return 0;
	}
	if (to->exists && source_is_dir)
		return err_set(err, ERR_INVALID,
			       "destination must be a directory when copying a directory");
	if (!source_is_dir && (str_has_suffix(to->path, "/") || str_has_suffix(to->path, "/.")))
		return not_found(to, err);
	if (!to->exists) {
		auto_free char *parent = path_dirname(clean);
		auto_close int fd = rooted_openat(root_of(to), parent, O_PATH | O_DIRECTORY);

		if (fd == -ENOENT)
			return not_found(to, err);
		if (fd < 0)
			return err_sys(err, fd, "copy to '%s': open '%s'", to->path, parent);
	}
	*ret = xstrdup(clean);
	return 0;
}

/* Files in a container are its user's, unless --archive=false. */
static int set_owner(const struct cli_invocation *inv, const struct side *to,
		     struct unpack_options *o, struct err *err)
{
	const struct options *cli = inv->options;
	struct spec_user user = { 0 };
	int r;

	o->owner = true;
	o->no_replace_dir = !cli->overwrite;
	o->keep_existing_dirs = true;
	if (!to->is_container || (cli->archive.set && !cli->archive.v))
		return 0;
	r = container_users_lookup(&to->c, &to->root, false, to->c.config.user, &user, err);
	if (r < 0)
		return r;
	o->force_owner = true;
	free(user.groups);
	free(user.home);
	if (userns_outside(&to->c.config, false, user.uid, &o->force_uid) < 0 ||
	    userns_outside(&to->c.config, true, user.gid, &o->force_gid) < 0)
		return err_set(err, ERR_INVALID,
			       "copy to '%s': user %u or group %u is not mapped into the container",
			       to->c.config.name, user.uid, user.gid);
	return 0;
}

static int receive(int fd, const struct side *to, const struct unpack_options *options,
		   struct err *err)
{
	auto_tar_reader struct tar_reader *reader = NULL;
	char digest[STORE_DIGEST_MAX];
	int r = tar_reader_open(&reader, fd, "what is copied", err);

	if (r < 0 && err->kind == ERR_CORRUPT && fd == STDIN_FILENO)
		return err_set(err, ERR_INVALID,
			       "source must be a (compressed) tar archive when copying from stdin");
	if (r == 0)
		r = unpack(reader, root_of(to), options, NULL, err);
	/* Whoever packs shall not find the pipe closed. */
	return r < 0 ? r : tar_reader_finish(reader, TAR_END_MARKED, digest, err);
}

static int copy_from_stream(const struct cli_invocation *inv, struct side *to, struct err *err)
{
	struct unpack_options options = { .rename_from = "." };
	auto_free char *clean = NULL;
	int r = look_at(to, err);

	if (r < 0)
		return r;
	if (!to->exists || !S_ISDIR(to->st.st_mode))
		return err_set(err, ERR_INVALID,
			       "destination must be a directory when copying from stdin");
	clean = path_join("/", to->full);
	r = set_owner(inv, to, &options, err);
	if (r < 0)
		return r;
	/* Names of the archive become names below it. */
	options.rename_to = str_eq(clean, "/") ? "." : clean + 1;
	options.rename_from = str_eq(clean, "/") ? NULL : ".";
	return receive(STDIN_FILENO, to, &options, err);
}

static int copy_between(const struct cli_invocation *inv, struct side *from, struct side *to,
			struct err *err)
{
	struct unpack_options options = { .rename_from = "it" };
	struct err *shared;
	auto_free char *target = NULL;
	auto_close int fd = -EBADF;
	pid_t pid;
	int status = 0;
	int r = look_at(to, err);

	if (r == 0)
		r = choose_target(from, to, &target, err);
	if (r == 0)
		r = set_owner(inv, to, &options, err);
	if (r < 0)
		return r;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return err_sys(err, -errno, "map memory");
	options.rename_to = str_eq(target, "/") ? "." : target + 1;
	fd = start_packing(from, "it", shared, &pid, err);
	if (fd >= 0) {
		r = receive(fd, to, &options, err);
		close_fd(&fd);
		if (RETRY_EINTR(waitpid(pid, &status, 0)) < 0 || (status != 0 && r == 0))
			r = err_set(err, ERR_SYSTEM, "pack '%s': %s", from->path,
				    proc_status_to_string(status));
		/* The sentence of where it began. */
		if (err_is_set(shared) && shared->code != -EPIPE) {
			*err = *shared;
			r = shared->code;
		}
	} else {
		r = fd;
	}
	(void)munmap(shared, sizeof(*shared));
	return r;
}

static int copy(const struct cli_invocation *inv, struct side *from, struct side *to,
		struct err *err)
{
	int r;

	if (!from->is_container && !to->is_container)
		return err_set(err, ERR_USAGE,
			       "cp: neither side is a container; write NAME:PATH for one");
	if (from->is_stream)
		return copy_from_stream(inv, to, err);
	r = look_at(from, err);
	if (r < 0)
		return r;
	if (!from->exists)
		return not_found(from, err);
	if (to->is_stream)
		return pack(from, is_contents(from) ? "." : from->name, STDOUT_FILENO, err);
	return copy_between(inv, from, to, err);
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	auto_store struct store store = STORE_INIT;
	struct side from = { .c = CONTAINER_INIT, .root = ROOTED_INIT, .mount = ROOTED_INIT };
	struct side to = { .c = CONTAINER_INIT, .root = ROOTED_INIT, .mount = ROOTED_INIT };
	int r = image_store_open(inv, &store, err);

	if (r < 0)
		return r;
	r = open_side(inv, &store, inv->args[0], &from, err);
	if (r == 0)
		r = open_side(inv, &store, inv->args[1], &to, err);
	if (r == 0)
		r = copy(inv, &from, &to, err);
	close_side(&from, &store);
	close_side(&to, &store);
	return r;
}

#define T struct options
static const struct cli_option rows[] = {
	OPT_OPTBOOL(T, archive, "archive", 'a',
		    "give what is copied into a container to its user (default: true)"),
	OPT_OPTBOOL_F(T, pause, "pause", 0, "of no effect", CLI_HIDDEN),
	OPT_FLAG(T, overwrite, "overwrite", 0,
		 "let a directory be replaced by something else, and the reverse"),
};
#undef T

const struct cli_command floe_cp_command = {
	.name = "cp",
	.arguments = "SOURCE DESTINATION",
	.summary = "copy files into a container, out of it, or between two",
	.description =
		"A directory is copied into one that exists under its own name, and with '/.' "
		"behind SOURCE without it. - is a tar archive on stdin or stdout.",
	CLI_OPTIONS(struct options, rows),
	.min_args = 2,
	.max_args = 2,
	.run = run,
	.error_code = FLOE_EXIT_ERROR,
};
