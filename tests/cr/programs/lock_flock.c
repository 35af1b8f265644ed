/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/file.h>

#include "test.h"

static void run(void)
{
	int exclusive = open_file("exclusive", O_RDWR | O_CREAT);
	int shared = open_file("shared", O_RDWR | O_CREAT);
	int inherited = (int)must(dup(exclusive));
	int other;

	must(flock(exclusive, LOCK_EX));
	must(flock(shared, LOCK_SH));
	must(close(exclusive));
	wait_for_restore();
	other = open_file("exclusive", O_RDWR);
	must_fail(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	must(flock(inherited, LOCK_UN));
	must(flock(other, LOCK_EX | LOCK_NB));
	other = open_file("shared", O_RDWR);
	must_fail(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	must(flock(other, LOCK_SH | LOCK_NB));
	must(flock(shared, LOCK_UN));
	must(flock(other, LOCK_EX | LOCK_NB));
}
PROGRAM(lock_flock, run, .subject = "file locks of open files (flock)", .options = "--file-locks")
