/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests that change namespaces or mounts: root only, each in a process of its own. Included after cmocka. */
#pragma once

#include <sys/wait.h>
#include <unistd.h>

/* fn returns 0, or the number of the step that went wrong. */
static inline void run_as_root(int (*fn)(void))
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}
