/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/strbuf.h"

static struct log_config log_state = { .level = LOG_LEVEL_WARNING, .fd = STDERR_FILENO };

static const char *const level_names[] = { "error", "warning", "info", "debug" };

void log_configure(const struct log_config *config)
{
	log_state = *config;
}

bool log_is_enabled(enum log_level level)
{
	return level <= log_state.level;
}

int log_fd(void)
{
	return log_state.fd;
}

/* Escape for a quoted string; the same rules serve JSON and logfmt. */
static void add_quoted(struct strbuf *sb, const char *s)
{
	strbuf_addc(sb, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			strbuf_addf(sb, "\\%c", c);
		else if (c == '\n')
			strbuf_adds(sb, "\\n");
		else if (c == '\t')
			strbuf_adds(sb, "\\t");
		else if (c < 0x20 || c == 0x7f)
			strbuf_addf(sb, "\\u%04x", c);
		else
			strbuf_addc(sb, (char)c);
	}
	strbuf_addc(sb, '"');
}

void log_write(enum log_level level, const char *fmt, ...)
{
	auto_strbuf struct strbuf msg = STRBUF_INIT;
	auto_strbuf struct strbuf line = STRBUF_INIT;
	char now[CLOCK_TEXT_MAX];
	int saved_errno = errno;
	va_list ap;

	if (!log_is_enabled(level))
		return;
	va_start(ap, fmt);
	strbuf_vaddf(&msg, fmt, ap);
	va_end(ap);
	clock_format_utc(clock_now_realtime_ns(), 0, now);
	if (log_state.format == LOG_FORMAT_JSON) {
		strbuf_addf(&line, "{\"level\":\"%s\",\"msg\":", level_names[level]);
		add_quoted(&line, msg.buf);
		strbuf_addf(&line, ",\"time\":\"%s\"}\n", now);
	} else {
		strbuf_addf(&line, "time=\"%s\" level=%s msg=", now, level_names[level]);
		add_quoted(&line, msg.buf);
		strbuf_addc(&line, '\n');
	}
	/* One write per event, so that lines of several processes do not mix. */
	(void)!RETRY_EINTR(write(log_state.fd, line.buf, line.len));
	errno = saved_errno;
}
