/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/gotemplate_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/str.h"

struct parser {
	const char *text;
	const char *p;
	unsigned int depth;
	unsigned int loops; /* range, for break and continue */
	struct err *err;
};

/* What ended a list of nodes. */
enum end { END_TEXT, END_END, END_ELSE };

static int fail(struct parser *ps, const char *what, const char *at)
{
	return err_set(ps->err, ERR_USAGE, "parse template '%s': %s at '%.20s'", ps->text, what,
		       at);
}

/* --- freeing --- */

static void free_list(struct gt_list *list);

static void free_pipe(struct gt_pipe *pipe)
{
	if (!pipe)
		return;
	for (size_t i = 0; i < pipe->n; i++) {
		struct gt_command *command = &pipe->commands[i];

		for (size_t k = 0; k < command->n; k++) {
			free(command->args[k].name);
			strvec_done(&command->args[k].fields);
			json_object_put(command->args[k].literal);
			free_pipe(command->args[k].pipe);
		}
		free(command->args);
	}
	free(pipe->commands);
	free(pipe->variables[0]);
	free(pipe->variables[1]);
	free(pipe);
}

static void free_list(struct gt_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->v[i].text);
		free_pipe(list->v[i].pipe);
		free_list(&list->v[i].body);
		free_list(&list->v[i].otherwise);
	}
	free(list->v);
}

void gotemplate_free(struct gotemplate *t)
{
	if (!t)
		return;
	free_list(&t->nodes);
	free(t->text);
	free(t);
}

/* --- words --- */

static void skip_space(struct parser *ps)
{
	ps->p += strspn(ps->p, " \t\r\n");
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static char *read_word(struct parser *ps)
{
	const char *start = ps->p;

	while (is_word(*ps->p))
		ps->p++;
	return xstrndup(start, (size_t)(ps->p - start));
}

/* Whether the action ends here: "}}" or " -}}". */
static bool at_end(const struct parser *ps)
{
	return str_has_prefix(ps->p, "}}") || str_has_prefix(ps->p, "-}}");
}

static bool word_is_next(const struct parser *ps, const char *word)
{
	const char *rest = str_skip_prefix(ps->p, word);

	return rest && !is_word(*rest);
}

/* --- literals --- */

static int read_escape(struct parser *ps, struct strbuf *sb)
{
	static const char from[] = "nrtabfv\\\"'";
	static const char to[] = "\n\r\t\a\b\f\v\\\"'";
	const char *found = *ps->p ? strchr(from, *ps->p) : NULL;

	if (!found)
		return fail(ps, "unknown escape", ps->p);
	strbuf_addc(sb, to[found - from]);
	ps->p++;
	return 0;
}

static int read_string(struct parser *ps, struct json_object **ret)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	const char *start = ps->p;
	char quote = *ps->p++;

	while (*ps->p && *ps->p != quote) {
		if (*ps->p == '\\' && quote == '"') {
			int r;

			ps->p++;
			r = read_escape(ps, &sb);
			if (r < 0)
				return r;
		} else {
			strbuf_addc(&sb, *ps->p++);
		}
	}
	if (!*ps->p)
		return fail(ps, "unterminated string", start);
	ps->p++;
	*ret = json_object_new_string_len(sb.buf, (int)sb.len);
	return 0;
}

static int read_number(struct parser *ps, struct json_object **ret)
{
	const char *start = ps->p;
	char *end;
	long long i = strtoll(start, &end, 0);

	if (*end == '.' || *end == 'e' || *end == 'E')
		*ret = json_object_new_double(strtod(start, &end));
	else
		*ret = json_object_new_int64(i);
	ps->p = end;
	return end == start || is_word(*end) ? fail(ps, "bad number", start) : 0;
}

/* --- operands and pipelines --- */

static int read_pipe(struct parser *ps, struct gt_pipe **ret);

static void read_fields(struct parser *ps, struct strvec *ret)
{
	while (*ps->p == '.' && is_word(ps->p[1])) {
		ps->p++;
		strvec_add_take(ret, read_word(ps));
	}
}

static int read_word_operand(struct parser *ps, struct gt_operand *o)
{
	const char *start = ps->p;
	auto_free char *word = read_word(ps);

	o->kind = GT_LITERAL;
	if (str_eq(word, "true") || str_eq(word, "false")) {
		o->literal = json_object_new_boolean(word[0] == 't');
	} else if (!str_eq(word, "nil")) {
		o->kind = GT_FUNCTION;
		if (!gt_function_exists(word))
			return fail(ps, "no such function", start);
		o->name = take_ptr(word);
	}
	return 0;
}

static int read_operand(struct parser *ps, struct gt_operand *o)
{
	int r = 0;

	if (*ps->p == '.' && !isdigit((unsigned char)ps->p[1])) {
		o->kind = GT_DOT;
		if (!is_word(ps->p[1]))
			ps->p++;
		read_fields(ps, &o->fields);
	} else if (*ps->p == '$') {
		ps->p++;
		o->kind = GT_VARIABLE;
		o->name = read_word(ps);
		read_fields(ps, &o->fields);
	} else if (*ps->p == '"' || *ps->p == '`') {
		o->kind = GT_LITERAL;
		r = read_string(ps, &o->literal);
	} else if (isdigit((unsigned char)*ps->p) || *ps->p == '-' || *ps->p == '+') {
		o->kind = GT_LITERAL;
		r = read_number(ps, &o->literal);
	} else if (*ps->p == '(') {
		ps->p++;
		o->kind = GT_PAREN;
		r = read_pipe(ps, &o->pipe);
		skip_space(ps);
		if (r == 0 && *ps->p++ != ')')
			r = fail(ps, "expected ')'", ps->p - 1);
		read_fields(ps, &o->fields);
	} else if (isalpha((unsigned char)*ps->p)) {
		r = read_word_operand(ps, o);
	} else {
		r = fail(ps, *ps->p ? "unexpected character" : "the template ends", ps->p);
	}
	return r;
}

static int read_command(struct parser *ps, struct gt_command *command)
{
	for (;;) {
		int r;

		skip_space(ps);
		if (at_end(ps) || *ps->p == '|' || *ps->p == ')')
			break;
		r = read_operand(ps, array_push(command->args, command->n));
		if (r < 0)
			return r;
		if (*ps->p && !strchr(" \t\r\n|)}", *ps->p) && !at_end(ps))
			return fail(ps, "unexpected character", ps->p);
	}
	return command->n ? 0 : fail(ps, "missing value", ps->p);
}

/* "$x := ", "$i, $x := ", "$x = ": nothing is consumed when it is none of these. */
static void read_variables(struct parser *ps, struct gt_pipe *pipe)
{
	const char *start = ps->p;
	auto_free char *first = NULL;
	auto_free char *second = NULL;

	if (*ps->p != '$')
		return;
	ps->p++;
	first = read_word(ps);
	skip_space(ps);
	if (*ps->p == ',') {
		ps->p++;
		skip_space(ps);
		if (*ps->p == '$') {
			ps->p++;
			second = read_word(ps);
			skip_space(ps);
		}
	}
	if (!str_has_prefix(ps->p, ":=") && *ps->p != '=') {
		ps->p = start;
		return;
	}
	pipe->declares = *ps->p == ':';
	ps->p += pipe->declares ? 2 : 1;
	pipe->n_variables = second ? 2 : 1;
	pipe->variables[0] = take_ptr(first);
	pipe->variables[1] = take_ptr(second);
}

static int read_pipe(struct parser *ps, struct gt_pipe **ret)
{
	struct gt_pipe *pipe = xcalloc(1, sizeof(*pipe));
	int r = 0;

	if (++ps->depth > GT_DEPTH_MAX)
		r = fail(ps, "nested too deep", ps->p);
	skip_space(ps);
	read_variables(ps, pipe);
	while (r == 0) {
		r = read_command(ps, array_push(pipe->commands, pipe->n));
		if (r < 0 || *ps->p != '|')
			break;
		ps->p++;
	}
	ps->depth--;
	if (r < 0) {
		free_pipe(pipe);
		return r;
	}
	*ret = pipe;
	return 0;
}

/* --- nodes --- */

static int read_list(struct parser *ps, struct gt_list *list, enum end *ret_end);

/* "}}" or "-}}"; the latter eats the space that follows. */
static int close_action(struct parser *ps)
{
	bool trim;

	skip_space(ps);
	if (!at_end(ps))
		return fail(ps, *ps->p ? "expected '}}'" : "'}}' is missing", ps->p);
	trim = *ps->p == '-';
	ps->p += trim ? 3 : 2;
	if (trim)
		skip_space(ps);
	return 0;
}

/* Behind "{{else": another condition, or the rest. */
static int read_else(struct parser *ps, enum gt_node_kind kind, struct gt_list *otherwise);

static int read_block(struct parser *ps, struct gt_node *node, enum gt_node_kind kind)
{
	enum end end = END_TEXT;
	int r;

	node->kind = kind;
	r = read_pipe(ps, &node->pipe);
	if (r == 0)
		r = close_action(ps);
	if (r < 0)
		return r;
	if (++ps->depth > GT_DEPTH_MAX)
		return fail(ps, "nested too deep", ps->p);
	ps->loops += kind == GT_RANGE;
	r = read_list(ps, &node->body, &end);
	ps->loops -= kind == GT_RANGE;
	if (r == 0 && end == END_TEXT)
		r = fail(ps, "'{{end}}' is missing", ps->p);
	if (r == 0 && end == END_ELSE)
		r = read_else(ps, kind, &node->otherwise);
	ps->depth--;
	return r;
}

static int read_else(struct parser *ps, enum gt_node_kind kind, struct gt_list *otherwise)
{
	enum end end = END_TEXT;
	int r;

	skip_space(ps);
	if (kind != GT_RANGE && word_is_next(ps, kind == GT_IF ? "if" : "with")) {
		ps->p += kind == GT_IF ? 2 : 4;
		return read_block(ps, array_push(otherwise->v, otherwise->n), kind);
	}
	r = close_action(ps);
	if (r == 0)
		r = read_list(ps, otherwise, &end);
	if (r == 0 && end != END_END)
		r = fail(ps, end == END_ELSE ? "a second '{{else}}'" : "'{{end}}' is missing",
			 ps->p);
	return r;
}

static void push_text(struct gt_list *list, const char *from, const char *to)
{
	struct gt_node *node;

	if (from >= to)
		return;
	node = array_push(list->v, list->n);
	node->kind = GT_TEXT;
	node->text = xstrndup(from, (size_t)(to - from));
}

static int read_comment(struct parser *ps)
{
	const char *end = strstr(ps->p + 2, "*/");

	if (!end)
		return fail(ps, "unterminated comment", ps->p);
	ps->p = end + 2;
	return close_action(ps);
}

static int read_jump(struct parser *ps, struct gt_list *list, enum gt_node_kind kind)
{
	if (ps->loops == 0)
		return fail(ps, "not inside of '{{range}}'", ps->p);
	array_push(list->v, list->n)->kind = kind;
	return close_action(ps);
}

/* Behind "{{". */
static int read_action(struct parser *ps, struct gt_list *list, bool *ret_done, enum end *ret_end)
{
	static const struct {
		const char *word;
		enum gt_node_kind kind;
	} blocks[] = { { "if", GT_IF }, { "range", GT_RANGE }, { "with", GT_WITH } };
	static const char *const refused[] = { "define", "template", "block" };
	struct gt_node *node;
	int r;

	if (str_has_prefix(ps->p, "/*"))
		return read_comment(ps);
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		if (word_is_next(ps, blocks[i].word)) {
			ps->p += strlen(blocks[i].word);
			return read_block(ps, array_push(list->v, list->n), blocks[i].kind);
		}
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (word_is_next(ps, refused[i]))
			return fail(ps, "this action is not supported", ps->p);
	if (word_is_next(ps, "end") || word_is_next(ps, "else")) {
		*ret_done = true;
		*ret_end = ps->p[1] == 'n' ? END_END : END_ELSE;
		ps->p += *ret_end == END_END ? 3 : 4;
		return *ret_end == END_END ? close_action(ps) : 0;
	}
	if (word_is_next(ps, "break") || word_is_next(ps, "continue")) {
		enum gt_node_kind kind = *ps->p == 'b' ? GT_BREAK : GT_CONTINUE;

		ps->p += kind == GT_BREAK ? 5 : 8;
		return read_jump(ps, list, kind);
	}
	node = array_push(list->v, list->n);
	node->kind = GT_ACTION;
	r = read_pipe(ps, &node->pipe);
	return r < 0 ? r : close_action(ps);
}

static int read_list(struct parser *ps, struct gt_list *list, enum end *ret_end)
{
	bool done = false;

	while (!done) {
		const char *open = strstr(ps->p, "{{");
		const char *text_end = open ? open : ps->p + strlen(ps->p);
		bool trim = open && open[2] == '-' && open[3] && strchr(" \t\r\n", open[3]);
		int r;

		if (trim)
			while (text_end > ps->p && strchr(" \t\r\n", text_end[-1]))
				text_end--;
		push_text(list, ps->p, text_end);
		if (!open) {
			ps->p = text_end;
			*ret_end = END_TEXT;
			return 0;
		}
		ps->p = open + (trim ? 3 : 2);
		skip_space(ps);
		r = read_action(ps, list, &done, ret_end);
		if (r < 0)
			return r;
	}
	return 0;
}

int gotemplate_parse(struct gotemplate **ret, const char *text, struct err *err)
{
	auto_gotemplate struct gotemplate *t = xcalloc(1, sizeof(*t));
	struct parser ps = { .text = text, .p = text, .err = err };
	enum end end = END_TEXT;
	int r;

	t->text = xstrdup(text);
	r = read_list(&ps, &t->nodes, &end);
	if (r == 0 && end != END_TEXT)
		r = fail(&ps, end == END_END ? "unexpected '{{end}}'" : "unexpected '{{else}}'",
			 ps.p);
	if (r < 0)
		return r;
	*ret = take_ptr(t);
	return 0;
}
