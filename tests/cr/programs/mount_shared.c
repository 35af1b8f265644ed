/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/mount.h>
#include <sys/stat.h>

#include "test.h"

/* A shared mount and its peer: what is mounted on one shows on the other. */
static void run(void)
{
	must(mkdir("a", 0755));
	must(mkdir("b", 0755));
	must(mkdir("slave", 0755));
	must(mount("a", "a", "tmpfs", 0, NULL));
	must(mount(NULL, "a", NULL, MS_SHARED, NULL));
	must(mount("a", "b", NULL, MS_BIND, NULL));
	must(mount("a", "slave", NULL, MS_BIND, NULL));
	must(mount(NULL, "slave", NULL, MS_SLAVE, NULL));
	must(mkdir("a/on", 0755));
	wait_for_restore();
	must(mount("later", "a/on", "tmpfs", 0, NULL));
	write_file("a/on/file", "x");
	must(access("b/on/file", F_OK));
	must(access("slave/on/file", F_OK));
	must(umount("b/on"));
	must_fail(access("a/on/file", F_OK), ENOENT);
	must(mount("later", "slave/on", "tmpfs", 0, NULL));
	write_file("slave/on/file", "x");
	must_fail(access("a/on/file", F_OK), ENOENT);
	must(umount("slave/on"));
	must(umount("slave"));
	must(umount("b"));
	must(umount("a"));
}
PROGRAM(mount_shared, run, .subject = "shared and slave mounts within the container")
