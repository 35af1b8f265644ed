/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/procfs_maps.h"

#include <errno.h>
#include <string.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/parse.h"

/* "7f00-7f01 rw-p 00001000 fe:00 1234    /path"; "MAJOR:MINOR" in hexadecimal, the inode is not. */
static int parse_range(char *text, struct procfs_mapping *ret)
{
	const char *start = strsep(&text, "-");

	if (!text || parse_u64_base(start, 16, &ret->start) < 0 ||
	    parse_u64_base(text, 16, &ret->end) < 0)
		return -EBADMSG;
	return 0;
}

static int parse_device(char *text, struct procfs_mapping *ret)
{
	const char *major_text = strsep(&text, ":");
	uint64_t major_nr;
	uint64_t minor_nr;

	if (!text || parse_u64_base(major_text, 16, &major_nr) < 0 ||
	    parse_u64_base(text, 16, &minor_nr) < 0 || major_nr > UINT32_MAX ||
	    minor_nr > UINT32_MAX)
		return -EBADMSG;
	ret->major = (unsigned int)major_nr;
	ret->minor = (unsigned int)minor_nr;
	return 0;
}

int procfs_maps_next(char **cursor, struct procfs_mapping *ret)
{
	char *line = strsep(cursor, "\n");
	struct procfs_mapping m = { 0 };
	char *word[5];

	if (!line || !*line)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(word); i++) {
		word[i] = strsep(&line, " ");
		if (!word[i])
			return -EBADMSG;
	}
	if (parse_range(word[0], &m) < 0 || strlen(word[1]) != 4 ||
	    parse_u64_base(word[2], 16, &m.offset) < 0 || parse_device(word[3], &m) < 0 ||
	    parse_u64(word[4], &m.ino) < 0)
		return -EBADMSG;
	m.readable = word[1][0] == 'r';
	m.writable = word[1][1] == 'w';
	m.executable = word[1][2] == 'x';
	m.shared = word[1][3] == 's';
	m.path = line ? line + strspn(line, " ") : "";
	*ret = m;
	return 1;
}

static bool parse_kilobytes(const char *text, const char *name, uint64_t *ret)
{
	const char *line = strstr(text, name);
	auto_free char *number = NULL;
	uint64_t v;

	if (!line || (line != text && line[-1] != '\n'))
		return false;
	line += strlen(name);
	line += strspn(line, " ");
	number = xstrndup(line, strcspn(line, " \n"));
	if (parse_u64(number, &v) < 0 || v > UINT64_MAX / 1024)
		return false;
	*ret = v * 1024;
	return true;
}

int procfs_memory_parse(struct procfs_memory *ret, const char *smaps_rollup)
{
	struct procfs_memory memory = { 0 };

	/* Swap and huge pages are not in every kernel's. */
	if (!parse_kilobytes(smaps_rollup, "Anonymous:", &memory.anonymous))
		return -ENODATA;
	(void)parse_kilobytes(smaps_rollup, "Swap:", &memory.swap);
	(void)parse_kilobytes(smaps_rollup, "Private_Hugetlb:", &memory.private_hugetlb);
	*ret = memory;
	return 0;
}
