/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/oom.h"

#include <errno.h>
#include <string.h>

#include "core/io.h"
#include "core/parse.h"
#include "core/str.h"
#include "core/strbuf.h"

#define SMALL_FILE_MAX 4096
#define CONTROL_V1 "memory.oom_control"

/* The number behind the key in one of the files that are lines of a key and a number. */
static int read_number(int dir_fd, const char *file, const char *key, uint64_t *ret)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = io_read_file_at(dir_fd, file, SMALL_FILE_MAX, &text);
	char *rest = text.buf;
	char *line;

	if (r < 0)
		return r;
	while ((line = strsep(&rest, "\n"))) {
		const char *number = str_skip_prefix(line, key);

		if (number && *number == ' ')
			return parse_u64(number + 1, ret);
	}
	return -ENODATA;
}

int cgroup_oom_kills(int dir_fd, bool is_v2, uint64_t *ret)
{
	return read_number(dir_fd, is_v2 ? "memory.events" : CONTROL_V1, "oom_kill", ret);
}

bool cgroup_oom_waits(int dir_fd)
{
	uint64_t disabled = 0;
	uint64_t waiting = 0;

	return read_number(dir_fd, CONTROL_V1, "oom_kill_disable", &disabled) == 0 && disabled &&
	       read_number(dir_fd, CONTROL_V1, "under_oom", &waiting) == 0 && waiting;
}
