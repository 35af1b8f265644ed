/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static void run(void)
{
	int null = open_file("/dev/null", O_RDWR);
	int zero = open_file("/dev/zero", O_RDWR);
	int full = open_file("/dev/full", O_RDWR);
	int random = open_file("/dev/urandom", O_RDONLY);
	char data[16];
	unsigned char *p = map_file(page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE, zero);
	unsigned char *shared = map_file(page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, zero);

	p[0] = 7;
	shared[0] = 8;
	wait_for_restore();
	check(write(null, "x", 1) == 1 && read(null, data, 1) == 0, "/dev/null has changed");
	check(read(zero, data, sizeof(data)) == sizeof(data) && is_zero(data, sizeof(data)),
	      "/dev/zero has changed");
	must_fail(write(full, "x", 1), ENOSPC);
	check(read(random, data, sizeof(data)) == sizeof(data), "/dev/urandom gives nothing");
	check(p[0] == 7 && shared[0] == 8, "mappings of /dev/zero have changed");
}
PROGRAM(fd_devices, run, .subject = "the devices /dev/null, zero, full and urandom")
