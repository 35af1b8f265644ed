/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/auto.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/strbuf.h"

static struct log_config log_state = { .level = LOG_LEVEL_WARNING, .fd = STDERR_FILENO };

static const char *const level_names[] = { "error", "warning", "info", "debug" };
/* syslog(3) */
static const int level_priorities[] = { 3, 4, 6, 7 };
#define FACILITY_USER (1 << 3)

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

const char *log_socket_path(enum log_format format)
{
	return format == LOG_FORMAT_JOURNAL ? "/run/systemd/journal/socket" : "/dev/log";
}

int log_connect(enum log_format format)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", log_socket_path(format));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return take_fd(fd);
}

void log_add_journal_field(struct strbuf *entry, const char *name, const char *value)
{
	uint64_t size = htole64(strlen(value));

	strbuf_addf(entry, "%s\n", name);
	strbuf_add(entry, &size, sizeof(size));
	strbuf_addf(entry, "%s\n", value);
}

static void format_journal(struct strbuf *line, enum log_level level, const char *msg)
{
	strbuf_addf(line, "PRIORITY=%d\n", level_priorities[level]);
	log_add_journal_field(line, "MESSAGE", msg);
	log_add_journal_field(line, "SYSLOG_IDENTIFIER", log_state.identifier);
	/* crun's, which its users look for. */
	log_add_journal_field(line, "ID", log_state.identifier);
}

static void format_syslog(struct strbuf *line, enum log_level level, const char *msg)
{
	strbuf_addf(line, "<%d>%s[%d]: %s", FACILITY_USER | level_priorities[level],
		    log_state.identifier, getpid(), msg);
}

static void format_stream(struct strbuf *line, enum log_level level, const char *msg)
{
	char now[CLOCK_TEXT_MAX];

	clock_format_utc(clock_now_realtime_ns(), 0, now);
	if (log_state.format == LOG_FORMAT_JSON) {
		strbuf_addf(line, "{\"level\":\"%s\",\"msg\":", level_names[level]);
		add_quoted(line, msg);
		strbuf_addf(line, ",\"time\":\"%s\"}\n", now);
	} else {
		strbuf_addf(line, "time=\"%s\" level=%s msg=", now, level_names[level]);
		add_quoted(line, msg);
		strbuf_addc(line, '\n');
	}
}

void log_write(enum log_level level, const char *fmt, ...)
{
	auto_strbuf struct strbuf msg = STRBUF_INIT;
	auto_strbuf struct strbuf line = STRBUF_INIT;
	int saved_errno = errno;
	va_list ap;

	if (!log_is_enabled(level))
		return;
	va_start(ap, fmt);
	strbuf_vaddf(&msg, fmt, ap);
	va_end(ap);
	if (log_state.format == LOG_FORMAT_JOURNAL)
		format_journal(&line, level, msg.buf);
	else if (log_state.format == LOG_FORMAT_SYSLOG)
		format_syslog(&line, level, msg.buf);
	else
		format_stream(&line, level, msg.buf);
	/* One write per event, so that lines of several processes do not mix. */
	(void)!RETRY_EINTR(write(log_state.fd, line.buf, line.len));
	errno = saved_errno;
}
