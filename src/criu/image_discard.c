/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/image_discard.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/str.h"
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

int criu_images_discard_memory(int dir_fd)
{
	auto_close int fd = fd_open_at(dir_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	auto_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int result = 0;

	if (!dir)
		return fd < 0 ? fd : -errno;
	(void)take_fd(fd);
	while ((entry = readdir(dir))) {
		int r = 0;

		if (str_has_prefix(entry->d_name, "pagemap-") &&
		    str_has_suffix(entry->d_name, ".img"))
			r = discard_pagemap(dir_fd, entry->d_name);
		if (r < 0)
			result = r;
	}
	return result;
}
