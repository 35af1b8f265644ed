/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <sys/stat.h>

#include "test.h"

#define N 300

/* Read half of it before and the rest after: each name once. */
static void run(void)
{
	static bool seen[N];
	char name[64];
	DIR *directory;
	size_t n = 0;

	must(mkdir("directory", 0755));
	for (int i = 0; i < N; i++) {
		format(name, sizeof(name), "directory/%d", i);
		write_file(name, "");
	}
	directory = opendir("directory");
	check(directory, "opendir: %s", strerror(errno));
	for (const struct dirent *e; n < N && (e = readdir(directory)) != NULL;) {
		long i = strtol(e->d_name, NULL, 10);

		if (e->d_name[0] != '.') {
			check(!seen[i], "'%s' comes twice", e->d_name);
			seen[i] = true;
			n++;
		}
		if (n == N / 2)
			break;
	}
	wait_for_restore();
	for (const struct dirent *e; (e = readdir(directory)) != NULL;) {
		long i = strtol(e->d_name, NULL, 10);

		if (e->d_name[0] == '.')
			continue;
		check(!seen[i], "'%s' comes twice", e->d_name);
		seen[i] = true;
		n++;
	}
	check(n == N, "%zu names of %d were read", n, N);
}
PROGRAM(directory_position, run, .subject = "how far a directory has been read")
