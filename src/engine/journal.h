/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd's journal: entries go to its socket in its native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL), and
 * journalctl(1) reads them.
 */
#pragma once

#include "core/err.h"
#include "core/proc.h"
#include "core/strbuf.h"

struct json_object;

struct journal_field {
	const char *name;
	const char *value; /* NULL: left out */
};

/* Whether somebody takes entries: the socket is there. */
bool journal_is_there(void);
/* One entry; a negative errno. */
int journal_send(const struct journal_field *fields, size_t n);
/* Have what was sent before written down, so that a reader finds it. Only root can ask for that; failures are nobody's
 * business, since entries arrive without it too. */
void journal_sync(void);

struct journal_query {
	const struct journal_field *matches; /* all of them */
	size_t n_matches;
	const char *
		cursor; /* of an entry to begin at; NULL: at the first, or the last one backwards */
	int64_t since_ns; /* leave out what is older by a second and more; 0: nothing. Not with a cursor: journalctl refuses both */
	bool after_cursor; /* begin behind it */
	bool backwards;
	bool follow; /* wait for more */
};

struct journal_reader {
	struct proc proc;
	int fd;
	int messages_fd;
	struct strbuf pending; /* has come, from `at` on not yet looked at */
	size_t at;
	char *program;
};

#define JOURNAL_READER_INIT                                                                        \
	{                                                                                          \
		.proc = PROC_INIT, .fd = -EBADF, .messages_fd = -EBADF, .pending = STRBUF_INIT     \
	}

/* ERR_NOT_FOUND: there is no journalctl. */
int journal_open(struct journal_reader *ret, const struct journal_query *query, struct err *err);
/*
 * The next entry as journalctl's JSON has it: 1, *ret is the caller's (json_object_put). 0: there are no more. -ETIMEDOUT
 * without *err: none has come in this time (-1: for ever). ERR_REMOTE with journalctl's words.
 */
int journal_next(struct journal_reader *reader, int timeout_ms, struct json_object **ret,
		 struct err *err);
void journal_close(struct journal_reader *reader);

/* A field as text, also of one that is no UTF-8, appended; false: the entry has none. */
bool journal_text(struct json_object *entry, const char *name, struct strbuf *ret);
/* Borrowed; NULL: there is none. For fields that are plain text. */
const char *journal_get(struct json_object *entry, const char *name);
/* When it was written down; 0: the entry does not say. */
int64_t journal_time_ns(struct json_object *entry);

DEFINE_AUTO_VAL(journal_reader, struct journal_reader, journal_close)
#define auto_journal_reader auto_cleanup(journal_reader_cleanup_val)
