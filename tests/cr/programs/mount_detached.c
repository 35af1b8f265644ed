/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/mount.h>
#include <sys/stat.h>

#include "test.h"

static void run(void)
{
	int fd;

	must(mkdir("directory", 0755));
	must(mount("gone", "directory", "tmpfs", 0, NULL));
	write_file("directory/file", "content");
	fd = open_file("directory/file", O_RDWR);
	must(umount2("directory", MNT_DETACH));
	wait_for_restore();
	must_read(fd, "content");
}
PROGRAM(mount_detached, run, .subject = "open files of a mount that was detached (umount -l)",
	.refused = "which is on no mount of the container")
