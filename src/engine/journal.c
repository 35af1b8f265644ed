/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/journal.h"

#include <json-c/json.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/capture.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/log.h"
#include "core/parse.h"
#include "core/program.h"
#include "core/str.h"
#include "core/strvec.h"

#define SYNC_MS 30000
#define MESSAGES_MAX 4096
#define CHUNK 65536

bool journal_is_there(void)
{
	struct stat st;

	return stat(log_socket_path(LOG_FORMAT_JOURNAL), &st) == 0 && S_ISSOCK(st.st_mode);
}

int journal_send(const struct journal_field *fields, size_t n)
{
	auto_close int fd = log_connect(LOG_FORMAT_JOURNAL);
	auto_strbuf struct strbuf entry = STRBUF_INIT;

	if (fd < 0)
		return fd;
	for (size_t i = 0; i < n; i++)
		if (fields[i].value)
			log_add_journal_field(&entry, fields[i].name, fields[i].value);
	return RETRY_EINTR(write(fd, entry.buf, entry.len)) < 0 ? -errno : 0;
}

void journal_sync(void)
{
	auto_capture struct capture run = CAPTURE_INIT;
	auto_free char *program = journal_is_there() ? program_find("journalctl") : NULL;
	char option[] = "--sync";
	char *argv[] = { program, option, NULL };
	struct err err = ERR_INIT;

	run.argv = argv;
	run.timeout_ms = SYNC_MS;
	if (program && capture_run(&run, &err) != 0)
		log_debug("%s --sync failed: %s", program, err.msg);
}

/* --- reading ---------------------------------------------------------------------------------------- */

static void plan(const char *program, const struct journal_query *q, struct strvec *argv)
{
	strvec_add(argv, program);
	strvec_add(argv, "--quiet");
	/* Long messages too. */
	strvec_add(argv, "--all");
	strvec_add(argv, "--output=json");
	strvec_add(argv, "--no-tail");
	if (q->cursor)
		strvec_addf(argv, "--%s=%s", q->after_cursor ? "after-cursor" : "cursor",
			    q->cursor);
	if (q->since_ns > 0)
		strvec_addf(argv, "--since=@%lld",
			    (long long)(q->since_ns / (int64_t)NSEC_PER_SEC));
	if (q->backwards)
		strvec_add(argv, "--reverse");
	if (q->follow)
		strvec_add(argv, "--follow");
	for (size_t i = 0; i < q->n_matches; i++)
		strvec_addf(argv, "%s=%s", q->matches[i].name, q->matches[i].value);
}

int journal_open(struct journal_reader *ret, const struct journal_query *query, struct err *err)
{
	auto_journal_reader struct journal_reader reader = JOURNAL_READER_INIT;
	struct proc_spawn_opts spawn = { .die_with_parent = true, .stdio = { -1, -1, -1 } };
	auto_strvec struct strvec argv = STRVEC_INIT;
	auto_close int write_fd = -EBADF;
	int fds[2];
	int r;

	reader.program = program_find("journalctl");
	if (!reader.program)
		return err_set(err, ERR_NOT_FOUND,
			       "journalctl is needed to read the journal; install the package "
			       "'systemd'");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "make a pipe");
	reader.fd = fds[0];
	write_fd = fds[1];
	reader.messages_fd = io_memory_file("stderr", NULL);
	if (reader.messages_fd < 0)
		return err_sys(err, reader.messages_fd, "make a file for messages");
	plan(reader.program, query, &argv);
	spawn.argv = argv.v;
	spawn.stdio[1] = write_fd;
	spawn.stdio[2] = reader.messages_fd;
	r = proc_spawn(&reader.proc, &spawn);
	if (r < 0)
		return err_sys(err, r, "execute '%s'", reader.program);
	*ret = reader;
	reader = (struct journal_reader)JOURNAL_READER_INIT;
	return 0;
}

void journal_close(struct journal_reader *reader)
{
	proc_kill(&reader->proc);
	close_fd(&reader->fd);
	close_fd(&reader->messages_fd);
	strbuf_done(&reader->pending);
	free(reader->program);
	*reader = (struct journal_reader)JOURNAL_READER_INIT;
}

/* A line of what has come; NULL: there is no whole one. Valid until the next call. */
static char *pending_line(struct journal_reader *reader)
{
	char *from = reader->pending.buf + reader->at;
	char *end = memchr(from, '\n', reader->pending.len - reader->at);

	if (!end)
		return NULL;
	*end = '\0';
	reader->at += (size_t)(end - from) + 1;
	return from;
}

static void forget_read(struct journal_reader *reader)
{
	size_t rest = reader->pending.len - reader->at;

	if (reader->at == 0)
		return;
	memmove(reader->pending.buf, reader->pending.buf + reader->at, rest);
	strbuf_truncate(&reader->pending, rest);
	reader->at = 0;
}

/* It has closed its output. */
static int ended(struct journal_reader *reader, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int status = 0;
	int r = proc_wait(&reader->proc, -1, &status);

	if (r < 0)
		return err_sys(err, r, "wait for '%s'", reader->program);
	if (lseek(reader->messages_fd, 0, SEEK_SET) == 0)
		(void)io_read_all(reader->messages_fd, MESSAGES_MAX, &text);
	/* 1 without a word: no entry matches. */
	if (status == 0 || (WIFEXITED(status) && text.len == 0))
		return 0;
	return err_set(err, ERR_REMOTE, "read the journal: %.*s",
		       text.len ? (int)strcspn(text.buf, "\n") : 200,
		       text.len ? text.buf : proc_status_to_string(status));
}

int journal_next(struct journal_reader *reader, int timeout_ms, struct json_object **ret,
		 struct err *err)
{
	for (;;) {
		struct pollfd at = { .fd = reader->fd, .events = POLLIN };
		char chunk[CHUNK];
		char *line;
		ssize_t n;
		int r;

		while ((line = pending_line(reader))) {
			*ret = json_tokener_parse(line);
			if (json_object_is_type(*ret, json_type_object))
				return 1;
			json_object_put(*ret);
		}
		forget_read(reader);
		r = RETRY_EINTR(poll(&at, 1, timeout_ms));
		if (r == 0)
			return -ETIMEDOUT;
		n = r < 0 ? -1 : RETRY_EINTR(read(reader->fd, chunk, sizeof(chunk)));
		if (n < 0)
			return err_sys(err, -errno, "read what journalctl prints");
		if (n == 0)
			return ended(reader, err);
		strbuf_add(&reader->pending, chunk, (size_t)n);
	}
}

/* --- fields ----------------------------------------------------------------------------------------- */

bool journal_text(struct json_object *entry, const char *name, struct strbuf *ret)
{
	struct json_object *value;

	if (!json_object_object_get_ex(entry, name, &value) || !value)
		return false;
	/* Bytes as numbers: not UTF-8, or not printable. */
	if (json_object_is_type(value, json_type_array))
		for (size_t i = 0; i < json_object_array_length(value); i++)
			strbuf_addc(ret,
				    (char)json_object_get_int(json_object_array_get_idx(value, i)));
	else
		strbuf_add(ret, json_object_get_string(value),
			   (size_t)json_object_get_string_len(value));
	return true;
}

const char *journal_get(struct json_object *entry, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(entry, name, &value) &&
			       json_object_is_type(value, json_type_string) ?
		       json_object_get_string(value) :
		       NULL;
}

int64_t journal_time_ns(struct json_object *entry)
{
	const char *text = journal_get(entry, "__REALTIME_TIMESTAMP");
	uint64_t us;

	return text && parse_u64(text, &us) == 0 ? (int64_t)(us * 1000) : 0;
}
