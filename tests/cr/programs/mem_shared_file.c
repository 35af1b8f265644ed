/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#define SIZE (1 << 20)

/* A file of the root file system and one of a tmpfs; what is written to the mapping is the file's. */
static void *map_path(const char *path)
{
	int fd = open_file(path, O_RDWR | O_CREAT);
	void *p;

	must(ftruncate(fd, SIZE));
	p = map_file(SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	must(close(fd));
	fill(p, SIZE, 1);
	return p;
}

static void check_path(const char *path, void *memory)
{
	int fd = open_file(path, O_RDWR);
	void *other = map_file(SIZE, PROT_READ, MAP_SHARED, fd);

	check(is_filled(memory, SIZE, 1), "the mapping of '%s' has changed", path);
	check(is_filled(other, SIZE, 1), "'%s' has not what was written to its mapping", path);
	fill(memory, SIZE, 2);
	check(is_filled(other, SIZE, 2), "the mapping of '%s' is not the file any more", path);
	must(close(fd));
	must(unlink(path));
}

static void run(void)
{
	void *disk = map_path("file");
	void *tmpfs = map_path("/dev/shm/mem_shared_file");

	wait_for_restore();
	check_path("file", disk);
	check_path("/dev/shm/mem_shared_file", tmpfs);
}
PROGRAM(mem_shared_file, run, .subject = "shared mappings of files, on disk and on a tmpfs")
