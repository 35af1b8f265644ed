/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a container's k8s-file log: "TIME stdout|stderr F|P TEXT" lines, P being the part of a line. */
#pragma once

#include "core/err.h"
#include "engine/container.h"

struct log_read_options {
	bool follow; /* until the container ends */
	int64_t tail; /* last lines; -1: all */
	int64_t since_ns; /* 0: from the beginning */
	int64_t until_ns; /* 0: to the end */
};

struct log_line {
	const char *time; /* as written; RFC 3339 with nanoseconds */
	bool is_stderr;
	bool partial;
	const char *text; /* without newline; may hold any byte but NUL and newline */
	size_t len;
};

/* Path of the log; caller owns. NULL when the driver writes no file. */
char *log_file_path(const struct container *c);
/* Who is told of lines. */
struct log_listener {
	int (*each)(void *context, const struct log_line *line, struct err *err);
	void *context;
};

struct log_file;
/* Tell of every line that is there and that the options leave. The container and the options are borrowed until
 * log_file_close(). */
int log_file_open(struct container *c, const struct log_read_options *options,
		  const struct log_listener *listener, struct log_file **ret, struct err *err);
/* What has come since: 1 when there may be more later, 0 when the log has ended. Does not wait. */
int log_file_more(struct log_file *f, struct err *err);
/* NULL is none. */
void log_file_close(struct log_file *f);
/* Whether there may be more to come: it runs, or is about to. Takes note of what has happened to it meanwhile, so its
 * configuration may be read anew. */
bool log_is_alive(struct container *c);
/* Whether nothing that is said from now on is asked for. */
bool log_is_over(const struct log_read_options *options);
