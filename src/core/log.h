/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's log: the one process-wide state. Levels and formats are runc's, so that callers can
 * parse it: text `time="..." level=error msg="..."`, JSON `{"level":...,"msg":...,"time":...}` with
 * exactly one object per event. Libraries log at debug level only (and warn about what a user must
 * know although the operation succeeded); errors are returned, and main prints them once.
 */
#pragma once

#include "core/macro.h"

struct strbuf;

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
/* The last two are protocols of sockets, with an entry to a datagram. */
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON, LOG_FORMAT_JOURNAL, LOG_FORMAT_SYSLOG };

struct log_config {
	enum log_level level; /* messages above are dropped; default warning */
	enum log_format format;
	int fd; /* borrowed; stderr (2) by default */
	const char *identifier; /* of entries of sockets; borrowed */
};

void log_configure(const struct log_config *config);
/* A socket that takes entries of that format: of systemd's journal, or /dev/log; or a negative errno. */
int log_connect(enum log_format format);
/* Where log_connect() connects to. */
const char *log_socket_path(enum log_format format);
/* A field in the form that takes any text (https://systemd.io/JOURNAL_NATIVE_PROTOCOL), appended to an entry for the journal. */
void log_add_journal_field(struct strbuf *entry, const char *name, const char *value);
/* Current level and descriptor; the latter so that a child can keep it open. */
bool log_is_enabled(enum log_level level);
int log_fd(void);

void log_write(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                                             \
	do {                                                                                       \
		if (log_is_enabled(LOG_LEVEL_DEBUG))                                               \
			log_write(LOG_LEVEL_DEBUG, __VA_ARGS__);                                   \
	} while (0)
