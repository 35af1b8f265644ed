/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/inotify.h>

#include "test.h"

static void run(void)
{
	char buffer[4096];
	int fd = (int)must(inotify_init1(IN_NONBLOCK));

	must(inotify_add_watch(fd, ".", IN_CREATE));
	write_file("file", "x");
	wait_for_restore();
	check(read(fd, buffer, sizeof(buffer)) > 0, "an event that was not read yet is gone");
}
PROGRAM(inotify_events, run, .subject = "inotify events that were not read yet",
	.lost = "the events are gone; the watches stay")
