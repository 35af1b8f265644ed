/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/bundle.h"

#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/path.h"
#include "runtime/annotations.h"
#include "runtime/namespace/userns.h"
#include "runtime/passed_over.h"
#include "spec/validate.h"

static int read_config(struct bundle *b, const char *config, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *name = path_absolute(config, b->path);
	int r = io_read_file_at(AT_FDCWD, name, JSON_TEXT_MAX, &text);

	if (r == -ENOENT)
		return err_set(
			err, ERR_NOT_FOUND,
			"JSON specification file '%s' not found; 'floe-runtime spec' writes one",
			name);
	if (r == -EFBIG)
		return err_set(err, ERR_INVALID, "'%s' is larger than %u MiB", name,
			       JSON_TEXT_MAX >> 20);
	if (r < 0)
		return err_sys(err, r, "read '%s'", name);
	r = json_decode(&runtime_spec_desc, &b->spec, text.buf, text.len, name, err);
	if (r < 0)
		return r;
	b->config_len = text.len;
	b->config_text = strbuf_take(&text);
	r = annotations_apply(&b->spec, err);
	if (r == 0)
		r = runtime_spec_validate(&b->spec, err);
	if (r == 0 && geteuid() != 0)
		r = runtime_spec_validate_rootless(&b->spec, err);
	if (r == 0)
		r = userns_settle_mappings(b->spec.linux_, err);
	if (r < 0)
		return err_wrap(err, r, "%s", name);
	warn_of_passed_over(&b->spec);
	return 0;
}

static int check_rootfs(struct bundle *b, struct err *err)
{
	struct stat st;

	b->rootfs = path_absolute(b->spec.root->path, b->path);
	if (lstat(b->rootfs, &st) < 0)
		return err_sys(err, -errno, "root file system '%s' (root.path)", b->rootfs);
	/* As in runc: who can rename in its parent directory could make it lead to "/". */
	if (S_ISLNK(st.st_mode))
		return err_set(err, ERR_INVALID,
			       "root file system '%s' (root.path): a symlink; name the directory "
			       "that it leads to",
			       b->rootfs);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID,
			       "root file system '%s' (root.path): not a directory", b->rootfs);
	b->rootfs_id = (struct mount_root_id){ .dev = st.st_dev, .ino = st.st_ino };
	return 0;
}

int bundle_load(struct bundle *ret, const char *path, const char *config, struct err *err)
{
	auto_bundle struct bundle b = BUNDLE_INIT;
	int r;

	b.path = path_absolute(path ? path : ".", NULL);
	if (!b.path)
		return err_sys(err, -errno, "find the current directory");
	b.dir_fd = fd_open_at(AT_FDCWD, b.path, O_RDONLY | O_DIRECTORY, 0);
	if (b.dir_fd < 0)
		return err_sys(err, b.dir_fd, "open bundle '%s'", b.path);
	r = read_config(&b, config ? config : "config.json", err);
	if (r < 0)
		return r;
	r = check_rootfs(&b, err);
	if (r < 0)
		return r;
	*ret = b;
	b = (struct bundle)BUNDLE_INIT;
	return 0;
}

void bundle_done(struct bundle *b)
{
	free(b->path);
	free(b->config_text);
	free(b->rootfs);
	runtime_spec_done(&b->spec);
	close_fd(&b->dir_fd);
	*b = (struct bundle)BUNDLE_INIT;
}
