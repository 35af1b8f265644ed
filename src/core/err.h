/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The error of domain code: a value on the caller's stack. It owns nothing, so it cannot leak; it
 * needs no memory, so it can be filled after clone(2); it is plain bytes, so a child sends it whole
 * to its parent.
 *
 * Leaf code (core, most of kernel) returns a negative errno and knows no struct err. Domain code
 * returns the same negative errno and fills *err, which may be NULL when the caller only wants the
 * number. The text is complete when it is made: operation and object first, reason last, in lower
 * case; a wrap puts its own context in front. main prints it once.
 */
#pragma once

#include <errno.h>
#include <stdarg.h>

#include "core/macro.h"

/* What an error means to a caller. Behaviour and exit codes follow the kind, never the errno. */
enum err_kind {
	ERR_NONE = 0,
	ERR_SYSTEM, /* a system call failed; code says how */
	ERR_USAGE, /* the command line is wrong */
	ERR_INVALID, /* a document or a value of the user's is wrong */
	ERR_NOT_FOUND, /* the named object does not exist */
	ERR_EXISTS, /* the name is taken */
	ERR_STATE, /* the object is in the wrong state for this */
	ERR_UNSUPPORTED, /* this system or build cannot do it */
	ERR_DENIED, /* not allowed */
	ERR_CORRUPT, /* data of ours, or an image, is damaged or truncated */
	ERR_REMOTE, /* another program (criu, a hook) failed */
	ERR_TIMEOUT,
	ERR_COMMAND, /* the container has not what its command needs */
	ERR_INTERNAL, /* a bug */
	ERR_KIND_MAX_
};

#define ERR_MSG_MAX 1024

struct err {
	int code; /* negative errno; 0 while unset */
	enum err_kind kind;
	char msg[ERR_MSG_MAX];
};

#define ERR_INIT                                                                                   \
	{                                                                                          \
		0                                                                                  \
	}

static inline bool err_is_set(const struct err *err)
{
	return err && err->code < 0;
}

void err_clear(struct err *err);

/*
 * Each of these fills *err (when not NULL) and returns the negative errno, so that a failing
 * function ends in `return err_sys(err, -errno, "open '%s'", path);`. A code that is not negative
 * is a bug of the caller and becomes -EIO. They never return 0.
 */

/* kind ERR_SYSTEM (or DENIED for EPERM and EACCES); the text gets ": reason of code" appended. */
int err_sys(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The text is complete as given; code is -EINVAL, -ENOENT or the like, as fits the kind. */
int err_set(struct err *err, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Put "context: " in front of what is there; without anything there it acts as err_sys. */
int err_wrap(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Append to what is there: a remedy, the log's path. */
void err_append(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The negative errno that err_set() gives a kind. */
int err_kind_errno(enum err_kind kind);
/* "not found" and so on, for debug output and tests. */
const char *err_kind_to_string(enum err_kind kind);
/* The system's text for an errno (either sign), in lower case as the field's runtimes print it. */
const char *errno_text(int code);

/* The compiler cannot see that err_sys() is never 0; these wrappers tell it. */
#define ERR_NEGATIVE_(expr)                                                                        \
	({                                                                                         \
		int err_r_ = (expr);                                                               \
		if (err_r_ >= 0)                                                                   \
			__builtin_unreachable();                                                   \
		err_r_;                                                                            \
	})
#define err_sys(err, code, ...) ERR_NEGATIVE_(err_sys((err), (code), __VA_ARGS__))
#define err_set(err, kind, ...) ERR_NEGATIVE_(err_set((err), (kind), __VA_ARGS__))
#define err_wrap(err, code, ...) ERR_NEGATIVE_(err_wrap((err), (code), __VA_ARGS__))
