/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/mount.h>
#include <sys/stat.h>

#include "test.h"

/* A directory of the root file system, mounted elsewhere by a program. The root is a slave of
 * the host's, so that the new mount is one as well. */
static void run(void)
{
	char text[64] = "";

	must(mkdir("bind", 0755));
	must(mkdir("source", 0755));
	write_file("source/file", "content");
	must(mount("source", "bind", NULL, MS_BIND, NULL));
	must(mount(NULL, "bind", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
	wait_for_restore();
	check(read_file("bind/file", text, sizeof(text)) == 7, "the bind mount is gone");
	must_fail(open("bind/new", O_CREAT | O_WRONLY, 0600), EROFS);
	write_file("source/file", "changed");
	check(read_file("bind/file", text, sizeof(text)) == 7 && strcmp(text, "changed") == 0,
	      "the two are apart");
	must(umount("bind"));
}
PROGRAM(mount_bind_slave, run,
	.subject = "bind mounts that programs of the container make, where its root is a slave of "
		   "the host's")
