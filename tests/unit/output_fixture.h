/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests of outputs: in a working directory of their own, that they leave empty. Included after cmocka. */
#pragma once

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/io.h"
#include "core/str.h"
#include "core/strbuf.h"

static char directory[] = "/tmp/floe-test-output-XXXXXX";

static inline bool holds(const char *path, const char *text)
{
	auto_strbuf struct strbuf content = STRBUF_INIT;

	return io_read_file_at(AT_FDCWD, path, 100, &content) == 0 && str_eq(content.buf, text);
}

/* 0 when there is none. */
static inline mode_t type_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? 0 : st.st_mode & S_IFMT;
}

static inline int setup(void **state UNUSED)
{
	return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static inline int teardown(void **state UNUSED)
{
	return chdir("/") == 0 ? rmdir(directory) : -1;
}

#define run_output_tests(tests) cmocka_run_group_tests(tests, setup, teardown)
