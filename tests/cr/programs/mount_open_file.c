/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/mount.h>
#include <sys/stat.h>

#include "test.h"

/* Files that are covered by a mount, and of a mount that was detached. */
static void run(void)
{
	int covered;

	must(mkdir("directory", 0755));
	write_file("directory/file", "covered");
	covered = open_file("directory/file", O_RDWR);
	must(mount("over", "directory", "tmpfs", 0, NULL));
	wait_for_restore();
	must_read(covered, "covered");
	must(umount("directory"));
}
PROGRAM(mount_open_file, run, .subject = "open files that a later mount covers",
	.refused = "use --link-remap")
