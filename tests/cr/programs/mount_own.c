/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "test.h"

/* Mounts that a program of the container has made, in its mount namespace. */
static void run(void)
{
	struct statvfs vfs;
	char text[64] = "";

	must(mkdir("tmpfs", 0755));
	must(mkdir("proc", 0755));
	must(mount("mine", "tmpfs", "tmpfs", MS_NOEXEC, "size=1m,mode=700"));
	must(mkdir("tmpfs/inner", 0755));
	must(mount("inner", "tmpfs/inner", "tmpfs", 0, "size=2m"));
	write_file("tmpfs/file", "outer");
	write_file("tmpfs/inner/file", "inner");
	must(mount("proc", "proc", "proc", MS_NOSUID, NULL));
	wait_for_restore();
	check(read_file("tmpfs/file", text, sizeof(text)) == 5 && strcmp(text, "outer") == 0,
	      "a file of a tmpfs has '%s'", text);
	check(read_file("tmpfs/inner/file", text, sizeof(text)) == 5 && strcmp(text, "inner") == 0,
	      "a file of a tmpfs on a tmpfs has '%s'", text);
	must(statvfs("tmpfs", &vfs));
	check(vfs.f_blocks * vfs.f_frsize == 1 << 20 && (vfs.f_flag & ST_NOEXEC) != 0,
	      "the tmpfs has %llu bytes, flags %#lx",
	      (unsigned long long)(vfs.f_blocks * vfs.f_frsize), vfs.f_flag);
	check(read_file("proc/self/comm", text, sizeof(text)) > 0 &&
		      strcmp(text, "mount_own\n") == 0,
	      "the second /proc is gone");
	must(umount("tmpfs/inner"));
	must(umount("tmpfs"));
	must(umount("proc"));
}
PROGRAM(mount_own, run, .subject = "mounts that programs of the container make: tmpfs and proc")
