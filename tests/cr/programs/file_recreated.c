/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

/* Deleted while open, and another file made of that name: the two must stay apart. */
static void run(void)
{
	int old = open_file("file", O_RDWR | O_CREAT);
	int new;

	write_all(old, "old", 3);
	must(unlink("file"));
	new = open_file("file", O_RDWR | O_CREAT);
	write_all(new, "new", 3);
	wait_for_restore();
	must(lseek(old, 0, SEEK_SET));
	must(lseek(new, 0, SEEK_SET));
	must_read(old, "old");
	must_read(new, "new");
	must_read(open_file("file", O_RDONLY), "new");
}
PROGRAM(file_recreated, run, .subject = "a deleted file beside a new one of the same name")
