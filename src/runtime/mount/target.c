/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/path.h"
#include "core/str.h"
#include "runtime/mount/exec_parts.h"

#define TARGET_MODE 0755

void mount_target_done(struct mount_target *target)
{
	close_fd(&target->fd);
	replace_ptr(target->path, NULL);
}

/*
 * Where the descriptor ended up, as the kernel says: it must be below the root, whatever was renamed
 * while it was looked up, and it must not be the root itself.
 */
static int locate(const struct mount_context *ctx, struct mount_target *target, struct err *err)
{
	size_t len = strcmp(ctx->root_text, "/") == 0 ? 0 : strlen(ctx->root_text);
	auto_free char *text = fd_readlink(target->fd);

	if (!text)
		return err_sys(err, -errno, "find out where the target is");
	if (strncmp(text, ctx->root_text, len) != 0 || (text[len] != '/' && text[len] != '\0'))
		return err_set(err, ERR_DENIED,
			       "the target is not inside the root file system '%s' but at '%s'",
			       ctx->root_text, text);
	if (text[len] == '\0' || text[len + 1] == '\0')
		return err_set(err, ERR_INVALID, "a mount cannot cover the root file system");
	target->path = xstrdup(text + len);
	return 0;
}

/* Open it, or make it and what is missing above. A dangling symlink counts as missing: what it points to is made, inside the
 * root, as runc does. */
static int create(const struct mount_context *ctx, const char *destination, bool directory)
{
	auto_free char *resolved = NULL;
	int fd = directory ? rooted_mkdir_all(&ctx->root, destination, TARGET_MODE) :
			     rooted_create_file(&ctx->root, destination, TARGET_MODE);

	if (fd != -ENOENT)
		return fd;
	resolved = rooted_resolve(&ctx->root, destination);
	if (!resolved)
		return -errno;
	return directory ? rooted_mkdir_all(&ctx->root, resolved, TARGET_MODE) :
			   rooted_create_file(&ctx->root, resolved, TARGET_MODE);
}

int mount_target_directory(const struct mount_context *ctx, const char *destination,
			   struct mount_target *ret, struct err *err)
{
	ret->fd = create(ctx, destination, true);
	if (ret->fd < 0)
		return err_sys(err, ret->fd, "open target directory in the root file system");
	return locate(ctx, ret, err);
}

int mount_target_plain_directory(const struct mount_context *ctx, const char *destination,
				 struct mount_target *ret, struct err *err)
{
	auto_free char *clean = path_clean(destination);
	int r = mount_target_directory(ctx, destination, ret, err);

	if (r < 0)
		return r;
	if (strcmp(ret->path, clean) != 0)
		return err_set(err, ERR_DENIED,
			       "it must be mounted on ordinary directory, but the image leads to"
			       " '%s' by a symlink",
			       ret->path);
	return 0;
}

int mount_target_for_bind(const struct mount_context *ctx, const struct mount_op *op, int source_fd,
			  struct mount_target *ret, struct err *err)
{
	struct stat st;

	ret->fd = rooted_openat(&ctx->root, op->destination,
				O_PATH | (op->dest_nofollow ? O_NOFOLLOW : 0));
	if (ret->fd == -ENOENT) {
		if (fstat(source_fd, &st) < 0)
			return err_sys(err, -errno, "examine source '%s'", op->source);
		ret->fd = create(ctx, op->destination, S_ISDIR(st.st_mode));
	}
	if (ret->fd < 0)
		return err_sys(err, ret->fd, "open target in the root file system");
	return locate(ctx, ret, err);
}

int mount_target_existing(const struct mount_context *ctx, const char *destination,
			  struct mount_target *ret, struct err *err)
{
	ret->fd = rooted_openat(&ctx->root, destination, O_PATH);
	if (ret->fd < 0)
		return err_sys(err, ret->fd, "open target in the root file system");
	return locate(ctx, ret, err);
}
