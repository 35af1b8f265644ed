/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/fanotify.h>

#include "test.h"

static void run(void)
{
	struct fanotify_event_metadata event;
	int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY);

	if (fd < 0)
		skip("fanotify is not allowed here: %s", strerror(errno));
	write_file("file", "x");
	must(fanotify_mark(fd, FAN_MARK_ADD, FAN_CLOSE_WRITE, AT_FDCWD, "file"));
	wait_for_restore();
	write_file("file", "y");
	check(read(fd, &event, sizeof(event)) == sizeof(event) && event.mask == FAN_CLOSE_WRITE,
	      "no event comes");
}
PROGRAM(fanotify_marks, run, .subject = "watched files (fanotify)")
