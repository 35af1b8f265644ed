/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/log_tail.h"

#include <ctype.h>
#include <regex.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/str.h"
#include "core/strbuf.h"

/* Longer lines are cut; CRIU's own buffer for a line is of this order. */
#define LINE_MAX_LEN 4096
#define QUOTE_BEFORE 5
#define GROUPS_MAX 5 /* of a rule's pattern, the whole match included */
#define EXPLAIN_MAX 100 /* error lines that are tried: the cause is among the first */

/* Errors that appear also when all goes well. */
static const char *const noise[] = {
	/* Without CAP_SYS_RESOURCE; CRIU goes on with the limit that it has. */
	"Can't setup RLIMIT_NOFILE for self",
	/* /run is no tmpfs: the kernel is probed each time. */
	"criu.kdat",
};

/* Errors that only tell that one told before had this consequence. */
static const char *const consequences[] = {
	"umping FAILED.",
	"Restoring FAILED.",
	"Can't send response",
	"RPC client reported script error",
	"One of more action scripts failed",
	"Killing processes because of failure on restore",
	" exited, status=",
	" killed by signal ",
	"Unable to detach from ",
};

/* "(00.012345) " at every line; "   123: " in the lines of restored tasks. */
static const char *skip_stamp(const char *p)
{
	const char *q = p;

	if (*p == '(' && isdigit((unsigned char)p[1])) {
		q = strchr(p, ')');
		q = q ? q + 1 : p;
	}
	while (*q == ' ')
		q++;
	p = q;
	while (isdigit((unsigned char)*q))
		q++;
	if (q > p && q[0] == ':' && q[1] == ' ')
		p = q + 2;
	return p;
}

/* "pie: 123: " in the lines of code that runs inside the tasks. */
static const char *skip_pie(const char *p)
{
	const char *q = str_skip_prefix(p, "pie: ");

	return q ? skip_stamp(q) : p;
}

/* "Error (criu/tty.c:1861): " */
static const char *skip_level(const char *p)
{
	const char *q = str_skip_prefix(p, "Error");

	if (!q)
		q = str_skip_prefix(p, "Warn");
	if (!q)
		return p;
	while (*q == ' ')
		q++;
	if (*q != '(')
		return p;
	q = strstr(q, "): ");
	return q ? q + 3 : p;
}

char *criu_log_strip(const char *line)
{
	const char *p = skip_level(skip_pie(skip_stamp(line)));
	size_t n = strcspn(p, "\r\n");

	while (n > 0 && p[n - 1] == ' ')
		n--;
	return xstrndup(p, n);
}

static bool has_one_of(const char *line, const char *const *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(line, parts[i]))
			return true;
	return false;
}

bool criu_log_is_noise(const char *line)
{
	return has_one_of(line, noise, ARRAY_SIZE(noise));
}

/* text with $1 to $4 replaced by what the groups matched in line; NULL gives NULL. */
static char *expand(const char *text, const char *line, const regmatch_t *groups)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	if (!text)
		return NULL;
	for (const char *p = text; *p; p++) {
		const regmatch_t *g;

		if (p[0] != '$' || p[1] < '1' || p[1] >= '0' + GROUPS_MAX) {
			strbuf_addc(&sb, *p);
			continue;
		}
		g = &groups[*++p - '0'];
		if (g->rm_so >= 0)
			strbuf_add(&sb, line + g->rm_so, (size_t)(g->rm_eo - g->rm_so));
	}
	return strbuf_take(&sb);
}

static bool apply_rule(const struct criu_log_rule *rule, const char *line,
		       struct criu_log_finding *ret)
{
	regmatch_t groups[GROUPS_MAX];
	regex_t regex;
	int r;

	if (regcomp(&regex, rule->pattern, REG_EXTENDED) != 0)
		return false;
	r = regexec(&regex, line, GROUPS_MAX, groups, 0);
	regfree(&regex);
	if (r != 0)
		return false;
	ret->cause = expand(rule->cause, line, groups);
	ret->option = expand(rule->option, line, groups);
	ret->remedy = rule->remedy;
	return true;
}

int criu_log_explain_line(const char *line, struct criu_log_finding *ret)
{
	*ret = (struct criu_log_finding){ .line = criu_log_strip(line) };
	for (size_t i = 0; i < criu_log_n_rules; i++)
		if (apply_rule(&criu_log_rules[i], ret->line, ret))
			return 1;
	return 0;
}

void criu_log_finding_done(struct criu_log_finding *finding)
{
	free(finding->line);
	free(finding->cause);
	free(finding->option);
	*finding = (struct criu_log_finding)CRIU_LOG_FINDING_INIT;
}

typedef void line_fn(const char *line, size_t number, void *context);

/* fgets() without its limits: lines longer than the buffer are cut, NUL bytes end a line's text. */
static int each_line(int dir_fd, const char *name, line_fn *fn, void *context)
{
	char line[LINE_MAX_LEN];
	auto_close int fd = fd_open_at(dir_fd, name, O_RDONLY | O_NONBLOCK, 0);
	auto_fclose FILE *f = NULL;
	size_t number = 0;
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	f = fdopen(fd, "re");
	if (!f)
		return -errno;
	(void)take_fd(fd);
	while (fgets(line, sizeof(line), f)) {
		size_t n = strcspn(line, "\n");
		bool is_cut = line[n] != '\n' && n == sizeof(line) - 1;

		line[n] = '\0';
		fn(line, ++number, context);
		while (is_cut) {
			int c = getc_unlocked(f);

			is_cut = c != '\n' && c != EOF;
		}
	}
	return ferror(f) ? -EIO : 0;
}

struct search {
	size_t n_errors;
	struct criu_log_finding by_rule;
	struct criu_log_finding first; /* that is no consequence */
	struct criu_log_finding last;
};

static void replace_finding(struct criu_log_finding *to, struct criu_log_finding *from)
{
	criu_log_finding_done(to);
	*to = *from;
	*from = (struct criu_log_finding)CRIU_LOG_FINDING_INIT;
}

/* Some messages that end an operation are written without the word. */
static bool is_error_line(const char *line)
{
	const char *text = skip_pie(skip_stamp(line));

	return str_has_prefix(text, "Error (") || str_has_prefix(text, "Can't connect to server ");
}

static void search_line(const char *line, size_t number UNUSED, void *context)
{
	struct search *search = context;
	auto_criu_log_finding struct criu_log_finding found = CRIU_LOG_FINDING_INIT;

	if (search->by_rule.line || !is_error_line(line) || criu_log_is_noise(line) ||
	    ++search->n_errors > EXPLAIN_MAX)
		return;
	if (criu_log_explain_line(line, &found) > 0)
		replace_finding(&search->by_rule, &found);
	else if (!search->first.line && !has_one_of(line, consequences, ARRAY_SIZE(consequences)))
		replace_finding(&search->first, &found);
	else
		replace_finding(&search->last, &found);
}

int criu_log_explain(int dir_fd, const char *name, struct criu_log_finding *ret)
{
	struct search search = { 0 };
	struct criu_log_finding *best;
	int r = each_line(dir_fd, name, search_line, &search);

	best = search.by_rule.line ? &search.by_rule :
	       search.first.line   ? &search.first :
				     &search.last;
	if (r == 0 && best->line) {
		*ret = *best;
		*best = (struct criu_log_finding)CRIU_LOG_FINDING_INIT;
		r = 1;
	}
	criu_log_finding_done(&search.by_rule);
	criu_log_finding_done(&search.first);
	criu_log_finding_done(&search.last);
	return r;
}

/* The last lines, of which those not quoted yet are taken when an error comes. */
struct quote {
	struct strvec *lines;
	char *before[QUOTE_BEFORE];
	size_t quoted; /* number of the last line that was quoted */
};

static void quote_line(struct quote *quote, const char *line, size_t number)
{
	if (quote->quoted > 0 && number > quote->quoted + 1)
		strvec_add(quote->lines, "...");
	strvec_addf(quote->lines, "%zu:%s", number, line);
	quote->quoted = number;
	while (quote->lines->n > CRIU_LOG_QUOTE_MAX)
		strvec_remove(quote->lines, 0);
}

static void look_at_line(const char *line, size_t number, void *context)
{
	struct quote *quote = context;
	char **slot;

	if (strstr(line, "Error") && !criu_log_is_noise(line)) {
		size_t first = number > QUOTE_BEFORE ? number - QUOTE_BEFORE : 1;

		for (size_t i = first > quote->quoted ? first : quote->quoted + 1; i < number; i++)
			quote_line(quote, quote->before[i % QUOTE_BEFORE], i);
		quote_line(quote, line, number);
	}
	slot = &quote->before[number % QUOTE_BEFORE];
	replace_ptr(*slot, xstrdup(line));
}

int criu_log_quote(int dir_fd, const char *name, struct strvec *ret)
{
	struct quote quote = { .lines = ret };
	int r = each_line(dir_fd, name, look_at_line, &quote);

	for (size_t i = 0; i < QUOTE_BEFORE; i++)
		free(quote.before[i]);
	return r;
}
