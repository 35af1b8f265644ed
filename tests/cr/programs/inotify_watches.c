/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/inotify.h>
#include <sys/stat.h>

#include "test.h"

static void run(void)
{
	char buffer[4096] __attribute__((aligned(8)));
	const struct inotify_event *event = (const void *)buffer;
	int fd = (int)must(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
	int directory;
	int file;

	must(mkdir("directory", 0755));
	write_file("file", "x");
	directory = (int)must(inotify_add_watch(fd, "directory", IN_CREATE | IN_DELETE));
	file = (int)must(inotify_add_watch(fd, "file", IN_MODIFY));
	wait_for_restore();
	must_fail(read(fd, buffer, sizeof(buffer)), EAGAIN);
	write_file("directory/new", "");
	must(read(fd, buffer, sizeof(buffer)));
	check(event->wd == directory && event->mask == IN_CREATE && strcmp(event->name, "new") == 0,
	      "the event of a directory is %#x '%s' for watch %d", event->mask, event->name,
	      event->wd);
	write_file("file", "y");
	must(read(fd, buffer, sizeof(buffer)));
	check(event->wd == file && event->mask == IN_MODIFY,
	      "the event of a file is %#x for watch %d", event->mask, event->wd);
	must(inotify_rm_watch(fd, directory));
	check(inotify_add_watch(fd, "directory", IN_ALL_EVENTS) > file, "a watch number is reused");
}
PROGRAM(inotify_watches, run, .subject = "watched files and directories (inotify)")
