/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation: conmon writes one entry for each line with CONTAINER_ID_FULL, the text in MESSAGE and PRIORITY 3 for
 * stderr; of a line that is longer than its buffer all pieces but the last have CONTAINER_PARTIAL_MESSAGE.
 *
 * The last N lines are found backwards. What is there is read to its end; then, to follow, another journalctl waits behind the
 * last entry. When the container has ended, the journal is asked to write down what was sent, and the rest is read once more
 * from behind the last entry that was seen: so nothing is lost, and nothing depends on time.
 */
#include "engine/log_journal.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/str.h"
#include "engine/journal.h"

#define FOLLOW_MS 100

/* So many entries of one container at most before it is another's turn. */
#define ENTRIES_AT_ONCE 256

struct log_journal {
	struct container *c;
	const struct log_read_options *options;
	struct log_listener listener;
	char *id; /* the container's own may be read anew meanwhile */
	struct journal_field match;
	struct journal_reader follower;
	bool follows;
	char *cursor; /* of the last entry; NULL: none yet */
};

static void remember(struct log_journal *r, struct json_object *entry)
{
	const char *cursor = journal_get(entry, "__CURSOR");

	if (cursor)
		replace_ptr(r->cursor, xstrdup(cursor));
}

static int deliver(struct log_journal *r, struct json_object *entry, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int64_t at = journal_time_ns(entry);
	char time[CLOCK_TEXT_MAX];
	struct log_line line = {
		.time = time,
		.is_stderr = str_eq(journal_get(entry, "PRIORITY"), "3"),
		.partial = str_eq(journal_get(entry, "CONTAINER_PARTIAL_MESSAGE"), "true"),
	};

	if (at < r->options->since_ns || (r->options->until_ns && at > r->options->until_ns))
		return 0;
	(void)journal_text(entry, "MESSAGE", &text);
	/* conmon 2.1 leaves it there. */
	if (text.len > 0 && text.buf[text.len - 1] == '\n')
		strbuf_truncate(&text, text.len - 1);
	clock_format_utc((uint64_t)at, 9, time);
	line.text = text.buf;
	line.len = text.len;
	return r->listener.each(r->listener.context, &line, err);
}

/* Whatever is there behind the last entry, or from `first` on. */
static int read_there(struct log_journal *r, const char *first, struct err *err)
{
	auto_journal_reader struct journal_reader journal = JOURNAL_READER_INIT;
	const struct journal_query query = {
		.matches = &r->match,
		.n_matches = 1,
		.cursor = first ? first : r->cursor,
		.since_ns = first || r->cursor ? 0 : r->options->since_ns,
		.after_cursor = !first,
	};
	struct json_object *entry;
	int ret = journal_open(&journal, &query, err);

	while (ret >= 0 && (ret = journal_next(&journal, -1, &entry, err)) > 0) {
		remember(r, entry);
		ret = deliver(r, entry, err);
		json_object_put(entry);
	}
	return ret;
}

/* Where the last n lines begin: *ret is a cursor (owned by the caller), NULL: at the very beginning. */
static int find_tail(struct log_journal *r, int64_t n, char **ret, struct err *err)
{
	auto_journal_reader struct journal_reader journal = JOURNAL_READER_INIT;
	const struct journal_query query = {
		.matches = &r->match,
		.n_matches = 1,
		.backwards = true,
	};
	auto_free char *begin = NULL;
	struct json_object *entry;
	int64_t lines = 0;
	int ret_code = journal_open(&journal, &query, err);

	while (ret_code >= 0 && (ret_code = journal_next(&journal, -1, &entry, err)) > 0) {
		bool ends_line = !str_eq(journal_get(entry, "CONTAINER_PARTIAL_MESSAGE"), "true");

		/* The newest counts in any case: a line may still be coming. */
		if (ends_line || !r->cursor)
			lines++;
		if (!r->cursor)
			remember(r, entry);
		if (lines <= n)
			replace_ptr(begin, xstrdup(journal_get(entry, "__CURSOR")));
		json_object_put(entry);
		if (lines > n) {
			*ret = take_ptr(begin);
			return 0;
		}
	}
	return ret_code;
}

/* What was there when this began; without any of it the last entry is known all the same. */
static int read_begin(struct log_journal *r, struct err *err)
{
	auto_free char *first = NULL;
	int ret;

	if (r->options->tail < 0)
		return read_there(r, NULL, err);
	ret = find_tail(r, r->options->tail, &first, err);
	if (ret < 0 || r->options->tail == 0)
		return ret;
	if (!first)
		replace_ptr(r->cursor, NULL);
	return read_there(r, first, err);
}

/* What was sent by now is written down first. */
static int read_end(struct log_journal *r, struct err *err)
{
	journal_close(&r->follower);
	r->follower = (struct journal_reader)JOURNAL_READER_INIT;
	r->follows = false;
	journal_sync();
	return read_there(r, NULL, err);
}

static bool is_alive(struct log_journal *r)
{
	return !log_is_over(r->options) && log_is_alive(r->c);
}

static int begin_following(struct log_journal *r, struct err *err)
{
	const struct journal_query query = {
		.matches = &r->match,
		.n_matches = 1,
		.cursor = r->cursor,
		.since_ns = r->cursor ? 0 : r->options->since_ns,
		.after_cursor = true,
		.follow = true,
	};
	int ret = journal_open(&r->follower, &query, err);

	r->follows = ret == 0;
	return ret;
}

int log_journal_more(struct log_journal *r, struct err *err)
{
	struct json_object *entry;
	int ret = 0;

	if (!r->follows) {
		if (!is_alive(r))
			return read_end(r, err);
		ret = begin_following(r, err);
	}
	for (size_t n = 0; ret >= 0 && n < ENTRIES_AT_ONCE; n++) {
		ret = journal_next(&r->follower, FOLLOW_MS, &entry, err);
		/* One that is silent may have ended: nothing needs to be asked of one that speaks. */
		if (ret == -ETIMEDOUT)
			return is_alive(r) ? 1 : read_end(r, err);
		if (ret == 0)
			return err_set(err, ERR_REMOTE, "journalctl has ended");
		if (ret < 0)
			break;
		remember(r, entry);
		ret = deliver(r, entry, err);
		json_object_put(entry);
	}
	return ret < 0 ? ret : 1;
}

int log_journal_open(struct container *c, const struct log_read_options *options,
		     const struct log_listener *listener, struct log_journal **ret, struct err *err)
{
	struct log_journal *r = xcalloc(1, sizeof(*r));
	int ret_code;

	*r = (struct log_journal){
		.c = c,
		.options = options,
		.listener = *listener,
		.id = xstrdup(c->config.id),
		.follower = JOURNAL_READER_INIT,
	};
	r->match = (struct journal_field){ "CONTAINER_ID_FULL", r->id };
	journal_sync();
	ret_code = read_begin(r, err);
	if (ret_code < 0)
		log_journal_close(r);
	else
		*ret = r;
	return ret_code;
}

void log_journal_close(struct log_journal *r)
{
	if (!r)
		return;
	if (r->follows)
		journal_close(&r->follower);
	free(r->cursor);
	free(r->id);
	free(r);
}
