/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/procfs_fdinfo.h"

#include <errno.h>
#include <string.h>

#include "core/alloc.h"
#include "core/io.h"
#include "core/parse.h"
#include "core/str.h"
#include "core/strbuf.h"

/* An epoll or inotify descriptor has a line for each of its targets. */
#define FDINFO_MAX ((size_t)16 << 20)

/* The word after `key` in a line of "key:value" words; false when it is not there or too long. */
static bool find_word(const char *line, const char *key, char *ret, size_t size)
{
	size_t key_len = strlen(key);

	for (const char *s = strstr(line, key); s; s = strstr(s + 1, key)) {
		const char *value = s + key_len;
		size_t len = strcspn(value, " \t\n");

		if (s != line && s[-1] != ' ')
			continue;
		if (len >= size)
			return false;
		memcpy(ret, value, len);
		ret[len] = '\0';
		return true;
	}
	return false;
}

static bool find_number(const char *line, const char *key, int base, uint64_t *ret)
{
	char word[32];

	return find_word(line, key, word, sizeof(word)) && parse_u64_base(word, base, ret) == 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void parse_handle(const char *line, struct procfs_watch *watch)
{
	char hex[2 * PROCFS_HANDLE_MAX + 1];
	uint64_t type;
	uint64_t len;

	if (!find_number(line, "fhandle-bytes:", 16, &len) || len > PROCFS_HANDLE_MAX ||
	    !find_number(line, "fhandle-type:", 16, &type) || type > UINT32_MAX ||
	    !find_word(line, "f_handle:", hex, sizeof(hex)) || strlen(hex) < 2 * len)
		return;
	for (size_t i = 0; i < len; i++) {
		int high = hex_digit(hex[2 * i]);
		int low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return;
		watch->handle[i] = (unsigned char)(high << 4 | low);
	}
	watch->handle_type = (unsigned int)type;
	watch->handle_len = len;
}

/* The kernel's own dev_t: 20 bits of minor. */
static void set_device(struct procfs_watch *watch, uint64_t sdev)
{
	watch->major = (unsigned int)(sdev >> 20);
	watch->minor = (unsigned int)(sdev & 0xfffff);
}

/* "inotify wd:1 ino:.. sdev:.. ..", "fanotify ino:.. sdev:.. ..", "fanotify mnt_id:..",
 * "fanotify sdev:..", and "fanotify flags:.. event-flags:..", which is no mark. */
static bool parse_watch(const char *line, struct procfs_fdinfo *info)
{
	struct procfs_watch watch = { .mnt_id = -1 };
	uint64_t number;

	if (find_number(line, "mnt_id:", 16, &number) && number <= INT32_MAX) {
		watch.of_mount = true;
		watch.mnt_id = (int)number;
	} else if (find_number(line, "sdev:", 16, &number)) {
		set_device(&watch, number);
		watch.of_file_system = !find_number(line, "ino:", 16, &watch.ino);
		parse_handle(line, &watch);
	} else {
		return find_number(line, "flags:", 16, &number);
	}
	*array_push(info->watches, info->n_watches) = watch;
	return true;
}

/* "lock:	1: FLOCK  ADVISORY  WRITE 42 fe:00:1234 0 EOF" */
static void parse_lock(const char *value, struct procfs_fdinfo *info)
{
	const char *words = strchr(value, ':');
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (info->n_locks++ > 0 || !words)
		return;
	words++;
	for (int i = 0; i < 3; i++) {
		size_t len;

		words += strspn(words, " ");
		len = strcspn(words, " \n");
		strbuf_addf(&text, "%s%.*s", i ? " " : "", (int)len, words);
		words += len;
	}
	info->lock = strbuf_take(&text);
}

static int parse_flags(const char *value, struct procfs_fdinfo *info)
{
	uint64_t flags;
	auto_free char *word = xstrndup(value, strcspn(value, " \n"));

	if (parse_u64_base(word, 8, &flags) < 0 || flags > UINT32_MAX)
		return -EBADMSG;
	info->flags = (unsigned int)flags;
	return 0;
}

static int parse_int(const char *value, int *ret)
{
	auto_free char *word = xstrndup(value, strcspn(value, " \n"));
	int64_t number;

	if (parse_i64(word, &number) < 0 || number < INT32_MIN || number > INT32_MAX)
		return -EBADMSG;
	*ret = (int)number;
	return 0;
}

static int parse_line(const char *line, struct procfs_fdinfo *info)
{
	const char *value;

	if ((value = str_skip_prefix(line, "flags:\t")))
		return parse_flags(value, info);
	if ((value = str_skip_prefix(line, "mnt_id:\t")))
		return parse_int(value, &info->mnt_id);
	if ((value = str_skip_prefix(line, "Pid:\t")))
		return parse_int(value, &info->pid);
	if ((value = str_skip_prefix(line, "lock:\t")))
		parse_lock(value, info);
	else if ((value = str_skip_prefix(line, "iff:\t")) && *value && *value != '\n')
		replace_ptr(info->tun_device, xstrndup(value, strcspn(value, "\n")));
	else if ((value = str_skip_prefix(line, "inotify ")) ||
		 (value = str_skip_prefix(line, "fanotify ")))
		return parse_watch(value, info) ? 0 : -EBADMSG;
	return 0;
}

int procfs_fdinfo_parse(struct procfs_fdinfo *ret, const char *text)
{
	auto_procfs_fdinfo struct procfs_fdinfo info = PROCFS_FDINFO_INIT;
	auto_strbuf struct strbuf line = STRBUF_INIT;

	while (*text) {
		size_t len = strcspn(text, "\n");
		int r;

		strbuf_clear(&line);
		strbuf_add(&line, text, len);
		r = parse_line(line.buf, &info);
		if (r < 0)
			return r;
		text += len;
		if (*text)
			text++;
	}
	*ret = info;
	info = (struct procfs_fdinfo)PROCFS_FDINFO_INIT;
	return 0;
}

int procfs_fdinfo_read(struct procfs_fdinfo *ret, int dir_fd, const char *path)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = io_read_file_at(dir_fd, path, FDINFO_MAX, &text);

	return r < 0 ? r : procfs_fdinfo_parse(ret, text.buf);
}

void procfs_fdinfo_done(struct procfs_fdinfo *info)
{
	free(info->lock);
	free(info->watches);
	free(info->tun_device);
	*info = (struct procfs_fdinfo)PROCFS_FDINFO_INIT;
}
