/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static void run(void)
{
	int fd = shm_open("/posix_shm", O_RDWR | O_CREAT | O_EXCL, 0600);
	void *p;

	must(fd);
	must(ftruncate(fd, 65536));
	p = map_file(65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	fill(p, 65536, 1);
	wait_for_restore();
	check(is_filled(p, 65536, 1), "the shared memory has changed");
	p = map_file(65536, PROT_READ, MAP_SHARED, shm_open("/posix_shm", O_RDONLY, 0));
	check(is_filled(p, 65536, 1), "the object of that name has changed");
	must(shm_unlink("/posix_shm"));
}
PROGRAM(posix_shm, run, .subject = "POSIX shared memory")
