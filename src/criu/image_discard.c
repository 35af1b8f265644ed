/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/image_discard.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/str.h"
#include "core/strvec.h"
#include "criu/image_file.h"
#include "criu/images.pb-c.h"

static int remove_file(int dir_fd, const char *name)
{
	return unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* Memory files have no magic: only what a page map names is one. */
static int discard_pages(int dir_fd, const struct image_file *file)
{
	CriuPagemapHead *head = criu_pagemap_head__unpack(NULL, file->len, file->entry);
	auto_free char *name = NULL;

	if (!head)
		return 0;
	name = xasprintf("pages-%" PRIu32 ".img", head->pages_id);
	criu_pagemap_head__free_unpacked(head, NULL);
	return remove_file(dir_fd, name);
}

static int discard_pagemap(int dir_fd, const char *name)
{
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	int r = image_file_open(&file, dir_fd, name, IMAGE_MAGIC_PAGEMAP);

	/* Not even a beginning: CRIU was killed when it had just made it. */
	if (r == -ENODATA)
		return remove_file(dir_fd, name);
	if (r < 0)
		return r == -EBADMSG ? 0 : r;
	r = image_file_next(&file) > 0 ? discard_pages(dir_fd, &file) : 0;
	return r < 0 ? r : remove_file(dir_fd, name);
}

/* What fs_write_atomic() was about to make of files.img (image_sockets.h) when it was killed. */
static bool is_beginning(const char *name)
{
	return str_has_prefix(name, ".files.img.") && str_has_suffix(name, "~");
}

int criu_images_discard_memory(int dir_fd)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int result = fs_list(dir_fd, ".", &names);

	for (size_t i = 0; i < names.n; i++) {
		int r = 0;

		if (str_has_prefix(names.v[i], "pagemap-") && str_has_suffix(names.v[i], ".img"))
			r = discard_pagemap(dir_fd, names.v[i]);
		else if (is_beginning(names.v[i]))
			r = remove_file(dir_fd, names.v[i]);
		if (r < 0)
			result = r;
	}
	return result;
}
