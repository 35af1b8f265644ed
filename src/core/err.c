/* SPDX-License-Identifier: Apache-2.0 */
#include "core/err.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/macro.h"

#undef err_sys
#undef err_set
#undef err_wrap

static const struct {
	const char *text;
	int code;
} kinds[ERR_KIND_MAX_] = {
	[ERR_NONE] = { "no error", -EIO },
	[ERR_SYSTEM] = { "system error", -EIO },
	[ERR_USAGE] = { "usage", -EINVAL },
	[ERR_INVALID] = { "invalid", -EINVAL },
	[ERR_NOT_FOUND] = { "not found", -ENOENT },
	[ERR_EXISTS] = { "exists", -EEXIST },
	[ERR_STATE] = { "wrong state", -EBUSY },
	[ERR_UNSUPPORTED] = { "unsupported", -EOPNOTSUPP },
	[ERR_DENIED] = { "denied", -EPERM },
	[ERR_CORRUPT] = { "corrupt", -EBADMSG },
	[ERR_REMOTE] = { "remote", -EREMOTEIO },
	[ERR_TIMEOUT] = { "timeout", -ETIMEDOUT },
	[ERR_COMMAND] = { "command", -EACCES },
	[ERR_INTERNAL] = { "internal error", -EINVAL },
};

void err_clear(struct err *err)
{
	if (!err)
		return;
	err->code = 0;
	err->kind = ERR_NONE;
	err->msg[0] = '\0';
}

int err_kind_errno(enum err_kind kind)
{
	return (unsigned int)kind < ERR_KIND_MAX_ ? kinds[kind].code : -EIO;
}

const char *err_kind_to_string(enum err_kind kind)
{
	return (unsigned int)kind < ERR_KIND_MAX_ ? kinds[kind].text : "unknown";
}

const char *errno_text(int code)
{
	static char text[96];
	const char *known = strerrordesc_np(code < 0 ? -code : code);

	if (!known)
		(void)snprintf(text, sizeof(text), "error %d", code < 0 ? -code : code);
	else
		(void)snprintf(text, sizeof(text), "%s", known);
	/* "Permission denied" becomes "permission denied"; an abbreviation such as "RFS" stays. */
	if (isupper((unsigned char)text[0]) && !isupper((unsigned char)text[1]))
		text[0] = (char)tolower((unsigned char)text[0]);
	return text;
}

static enum err_kind kind_of_errno(int code)
{
	return code == -EPERM || code == -EACCES ? ERR_DENIED : ERR_SYSTEM;
}

/* Append to msg; what does not fit is cut, the head being worth more than the tail. */
static void msg_append_v(struct err *err, const char *fmt, va_list ap)
{
	size_t len = strlen(err->msg);

	(void)vsnprintf(err->msg + len, sizeof(err->msg) - len, fmt, ap);
}

PRINTF_LIKE(2, 3) static void msg_append(struct err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	msg_append_v(err, fmt, ap);
	va_end(ap);
}

static int sys_v(struct err *err, int code, const char *fmt, va_list ap)
{
	if (code >= 0)
		code = -EIO;
	if (!err)
		return code;
	err->code = code;
	err->kind = kind_of_errno(code);
	err->msg[0] = '\0';
	msg_append_v(err, fmt, ap);
	msg_append(err, ": %s", errno_text(code));
	return code;
}

int err_sys(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = sys_v(err, code, fmt, ap);
	va_end(ap);
	return r;
}

int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return err_kind_errno(kind);
	err->code = err_kind_errno(kind);
	err->kind = kind;
	err->msg[0] = '\0';
	va_start(ap, fmt);
	msg_append_v(err, fmt, ap);
	va_end(ap);
	return err->code;
}

int err_wrap(struct err *err, int code, const char *fmt, ...)
{
	char tail[ERR_MSG_MAX];
	va_list ap;
	int r;

	if (!err)
		return code < 0 ? code : -EIO;
	va_start(ap, fmt);
	if (!err_is_set(err)) {
		r = sys_v(err, code, fmt, ap);
		va_end(ap);
		return r;
	}
	memcpy(tail, err->msg, sizeof(tail));
	err->msg[0] = '\0';
	msg_append_v(err, fmt, ap);
	va_end(ap);
	msg_append(err, ": %s", tail);
	return err->code;
}

void err_append(struct err *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	msg_append_v(err, fmt, ap);
	va_end(ap);
}
