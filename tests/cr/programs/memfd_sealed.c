/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#define SIZE 65536

static void run(void)
{
	int fd = (int)must(memfd_create("sealed", MFD_ALLOW_SEALING | MFD_CLOEXEC));
	int open_fd = (int)must(memfd_create("open", MFD_CLOEXEC));
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	static unsigned char data[SIZE];
	char name[64] = "";
	unsigned char *p;

	fill(data, SIZE, 1);
	write_all(fd, data, SIZE);
	write_all(open_fd, data, SIZE);
	must(lseek(fd, 100, SEEK_SET));
	must(fcntl(fd, F_ADD_SEALS, seals));
	p = map_file(SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, open_fd);
	wait_for_restore();
	check(fcntl(fd, F_GET_SEALS) == seals, "the seals are %#x",
	      (unsigned)fcntl(fd, F_GET_SEALS));
	check(lseek(fd, 0, SEEK_CUR) == 100, "the offset has changed");
	must_fail(write(fd, "x", 1), EPERM);
	must_fail(ftruncate(fd, 1), EPERM);
	memset(data, 0, SIZE);
	check(pread(fd, data, SIZE, 0) == SIZE && is_filled(data, SIZE, 1), "the content is lost");
	must(readlink("/proc/self/fd/3", name, sizeof(name) - 1));
	check(strstr(name, "memfd:sealed"), "the name has become '%s'", name);
	check(is_filled(p, SIZE, 1), "the mapping has changed");
	p[0] ^= 0xff;
	must(pread(open_fd, data, 1, 0));
	check(data[0] == p[0], "the mapping is not that of the memfd any more");
}
PROGRAM(memfd_sealed, run, .subject = "memfd files with seals, and mappings of them")
