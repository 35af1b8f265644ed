/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/gotemplate.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/gotemplate_internal.h"
#include "cli/table.h"
#include "core/alloc.h"
#include "core/json_table.h"
#include "core/str.h"

/* As podman lays its tables out. */
#define TABLE_MIN_WIDTH 12
#define TABLE_PADDING 2

struct variable {
	const char *name; /* of the template */
	struct json_object *value; /* owned */
};

enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };

struct run {
	const struct gotemplate *t;
	struct json_object *root; /* "$" */
	struct variable *variables;
	size_t n_variables;
	bool headings;
	struct strbuf *out;
	struct err *err;
	enum flow flow;
};

static int fail(struct run *run, const char *what, const char *name)
{
	return err_set(run->err, ERR_USAGE, "execute template '%s': %s '%s'", run->t->text, what,
		       name);
}

/* "CreatedAt" becomes "CREATED AT", "ImageID" "IMAGE ID". */
static struct json_object *make_heading(const char *name)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	for (const char *p = name; *p; p++) {
		if (p > name && isupper((unsigned char)*p) &&
		    (islower((unsigned char)p[-1]) || islower((unsigned char)p[1])))
			strbuf_addc(&sb, ' ');
		strbuf_addc(&sb, (char)toupper((unsigned char)*p));
	}
	return json_object_new_string(sb.buf);
}

/* Follow fields from value (owned by the caller of this; consumed). */
static int follow(struct run *run, struct json_object *value, const struct strvec *fields,
		  struct json_object **ret)
{
	for (size_t i = 0; i < fields->n; i++) {
		struct json_object *next = NULL;
		bool found = gt_get_member(value, fields->v[i], &next);

		if (found) {
			json_object_get(next);
			gt_time_mark(fields->v[i], next);
		} else if (gt_is_time(value) && (next = gt_time_method(value, fields->v[i]))) {
			/* its value */
		} else if (run->headings) {
			next = make_heading(fields->v[i]);
		} else if (value == run->root && value) {
			json_object_put(value);
			return err_set(
				run->err, ERR_USAGE,
				"execute template '%s': can't evaluate field %s: there is no "
				"such field",
				run->t->text, fields->v[i]);
		} else if (value && value != gt_no_value() &&
			   !json_object_is_type(value, json_type_object)) {
			json_object_put(value);
			return fail(run, "what it is asked of has no fields: field", fields->v[i]);
		} else {
			next = json_object_get(gt_no_value());
		}
		json_object_put(value);
		value = next;
	}
	*ret = value;
	return 0;
}

static int eval_pipe(struct run *run, const struct gt_pipe *pipe, struct json_object *dot,
		     struct json_object **ret);

static int eval_operand(struct run *run, const struct gt_operand *o, struct json_object *dot,
			struct json_object **ret)
{
	struct json_object *value = NULL;
	int r;

	switch (o->kind) {
	case GT_DOT:
		return follow(run, json_object_get(dot), &o->fields, ret);
	case GT_VARIABLE:
		if (!*o->name)
			return follow(run, json_object_get(run->root), &o->fields, ret);
		for (size_t i = run->n_variables; i-- > 0;)
			if (str_eq(run->variables[i].name, o->name))
				return follow(run, json_object_get(run->variables[i].value),
					      &o->fields, ret);
		return fail(run, "undefined variable", o->name);
	case GT_LITERAL:
		*ret = json_object_get(o->literal);
		return 0;
	case GT_PAREN:
		r = eval_pipe(run, o->pipe, dot, &value);
		return r < 0 ? r : follow(run, value, &o->fields, ret);
	case GT_FUNCTION:
	default:
		return gt_call(o->name, NULL, 0, ret, run->err);
	}
}

/* `.Label "key"`: a method of podman's rows, here a map that is looked into; `.Created.Format "2006"`. Other fields take
 * no arguments. */
static int call_field(struct run *run, const struct gt_command *command, struct json_object *dot,
		      struct json_object **ret)
{
	struct json_object *map = NULL;
	struct json_object *key = NULL;
	struct json_object *value = NULL;
	int r = eval_operand(run, &command->args[0], dot, &map);

	if (r == 0)
		r = eval_operand(run, &command->args[1], dot, &key);
	if (r == 0 && run->headings)
		value = json_object_get(map);
	else if (r == 0 && gt_is_time_format(map) && json_object_is_type(key, json_type_string))
		value = gt_time_format(map, json_object_get_string(key));
	else if (r == 0 && !json_object_is_type(map, json_type_object))
		r = fail(run, "what is given arguments is no function:", "value");
	else if (r == 0 && json_object_object_get_ex(map, json_object_get_string(key), &value))
		json_object_get(value);
	else if (r == 0)
		value = json_object_new_string("");
	json_object_put(map);
	json_object_put(key);
	*ret = value;
	return r;
}

/* last: the value of the command before in the pipeline, or NULL with has_last false. */
static int eval_command(struct run *run, const struct gt_command *command, struct json_object *dot,
			struct json_object *last, bool has_last, struct json_object **ret)
{
	size_t n_args = command->n - 1 + has_last;
	auto_free struct json_object **args = NULL;
	size_t n = 0;
	int r = 0;

	if (command->args[0].kind == GT_DOT && command->n == 2 && !has_last)
		return call_field(run, command, dot, ret);
	if (command->args[0].kind != GT_FUNCTION) {
		if (n_args > 0)
			return fail(run, "what is given arguments is no function:",
				    has_last ? "|" : "value");
		return eval_operand(run, &command->args[0], dot, ret);
	}
	args = xcalloc(n_args + 1, sizeof(*args));
	for (size_t i = 1; r == 0 && i < command->n; i++) {
		r = eval_operand(run, &command->args[i], dot, &args[n]);
		n += r == 0;
	}
	if (r == 0 && has_last)
		args[n++] = json_object_get(last);
	/* A heading has no parts: what a function does to values does not concern it. */
	if (r == 0 && run->headings && n > 0)
		*ret = json_object_get(
			args[str_eq(command->args[0].name, "printf") && n > 1 ? 1 : 0]);
	else if (r == 0)
		r = gt_call(command->args[0].name, args, n, ret, run->err);
	while (n > 0)
		json_object_put(args[--n]);
	return r;
}

static void push_variable(struct run *run, const char *name, struct json_object *value)
{
	struct variable *v = array_push(run->variables, run->n_variables);

	v->name = name;
	v->value = value;
}

static void pop_variables(struct run *run, size_t n)
{
	while (run->n_variables > n)
		json_object_put(run->variables[--run->n_variables].value);
}

static int assign(struct run *run, const char *name, struct json_object *value)
{
	for (size_t i = run->n_variables; i-- > 0;)
		if (str_eq(run->variables[i].name, name)) {
			json_object_put(run->variables[i].value);
			run->variables[i].value = value;
			return 0;
		}
	json_object_put(value);
	return fail(run, "undefined variable", name);
}

static int eval_pipe(struct run *run, const struct gt_pipe *pipe, struct json_object *dot,
		     struct json_object **ret)
{
	struct json_object *value = NULL;

	for (size_t i = 0; i < pipe->n; i++) {
		struct json_object *next = NULL;
		int r = eval_command(run, &pipe->commands[i], dot, value, i > 0, &next);

		json_object_put(value);
		if (r < 0)
			return r;
		value = next;
	}
	*ret = value;
	return 0;
}

static int run_list(struct run *run, const struct gt_list *list, struct json_object *dot);

static int run_action(struct run *run, const struct gt_node *node, struct json_object *dot)
{
	struct json_object *value = NULL;
	int r = eval_pipe(run, node->pipe, dot, &value);

	if (r < 0)
		return r;
	if (node->pipe->n_variables == 0) {
		gt_print(value, run->out);
		json_object_put(value);
	} else if (node->pipe->declares) {
		push_variable(run, node->pipe->variables[0], value);
	} else {
		r = assign(run, node->pipe->variables[0], value);
	}
	return r;
}

/* if and with. */
static int run_branch(struct run *run, const struct gt_node *node, struct json_object *dot)
{
	size_t mark = run->n_variables;
	struct json_object *value = NULL;
	int r = eval_pipe(run, node->pipe, dot, &value);

	if (r < 0)
		return r;
	if (node->pipe->n_variables)
		push_variable(run, node->pipe->variables[0], json_object_get(value));
	if (gt_is_true(value) || run->headings)
		r = run_list(run, &node->body, node->kind == GT_WITH ? value : dot);
	else
		r = run_list(run, &node->otherwise, dot);
	pop_variables(run, mark);
	json_object_put(value);
	return r;
}

/* One round of a range; key is consumed. */
static int run_round(struct run *run, const struct gt_node *node, struct json_object *key,
		     struct json_object *element)
{
	const struct gt_pipe *pipe = node->pipe;
	size_t mark = run->n_variables;
	int r;

	if (pipe->n_variables == 2)
		push_variable(run, pipe->variables[0], json_object_get(key));
	if (pipe->n_variables)
		push_variable(run, pipe->variables[pipe->n_variables - 1],
			      json_object_get(element));
	json_object_put(key);
	r = run_list(run, &node->body, element);
	pop_variables(run, mark);
	return r;
}

static int range_object(struct run *run, const struct gt_node *node, struct json_object *object)
{
	auto_strvec struct strvec keys = STRVEC_INIT;
	int r = 0;

	gt_keys(object, &keys);
	for (size_t i = 0; r == 0 && i < keys.n && run->flow != FLOW_BREAK; i++) {
		run->flow = FLOW_ON;
		r = run_round(run, node, json_object_new_string(keys.v[i]),
			      json_object_object_get(object, keys.v[i]));
	}
	run->flow = FLOW_ON;
	return r;
}

static int range_array(struct run *run, const struct gt_node *node, struct json_object *array)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_object_array_length(array) && run->flow != FLOW_BREAK;
	     i++) {
		run->flow = FLOW_ON;
		r = run_round(run, node, json_object_new_int64((int64_t)i),
			      json_object_array_get_idx(array, i));
	}
	run->flow = FLOW_ON;
	return r;
}

static int run_range(struct run *run, const struct gt_node *node, struct json_object *dot)
{
	struct json_object *value = NULL;
	int r = eval_pipe(run, node->pipe, dot, &value);

	if (r < 0)
		return r;
	if (run->headings)
		r = run_round(run, node, json_object_new_string(""), value);
	else if (!gt_is_true(value))
		r = run_list(run, &node->otherwise, dot);
	else if (json_object_is_type(value, json_type_array))
		r = range_array(run, node, value);
	else if (json_object_is_type(value, json_type_object))
		r = range_object(run, node, value);
	else
		r = fail(run, "cannot range over", json_object_get_string(value));
	json_object_put(value);
	return r;
}

static int run_list(struct run *run, const struct gt_list *list, struct json_object *dot)
{
	size_t mark = run->n_variables;
	int r = 0;

	for (size_t i = 0; r == 0 && run->flow == FLOW_ON && i < list->n; i++) {
		const struct gt_node *node = &list->v[i];

		switch (node->kind) {
		case GT_TEXT:
			strbuf_adds(run->out, node->text);
			break;
		case GT_ACTION:
			r = run_action(run, node, dot);
			break;
		case GT_RANGE:
			r = run_range(run, node, dot);
			break;
		case GT_BREAK:
			run->flow = FLOW_BREAK;
			break;
		case GT_CONTINUE:
			run->flow = FLOW_CONTINUE;
			break;
		case GT_IF:
		case GT_WITH:
		default:
			r = run_branch(run, node, dot);
		}
	}
	pop_variables(run, mark);
	return r;
}

static int execute(struct run *run)
{
	int r = run_list(run, &run->t->nodes, run->root);

	pop_variables(run, 0);
	free(run->variables);
	return r;
}

int gotemplate_run(const struct gotemplate *t, struct json_object *value, struct strbuf *out,
		   struct err *err)
{
	struct run run = { .t = t, .root = value, .out = out, .err = err };

	return execute(&run);
}

/* The same for a table's first line: every field is a heading, from headings (may be NULL) or made of
 * its name: "CreatedAt" becomes "CREATED AT". */
static int run_headings(const struct gotemplate *t, struct json_object *headings,
			struct strbuf *out, struct err *err)
{
	struct run run = { .t = t, .root = headings, .out = out, .err = err, .headings = true };

	return execute(&run);
}

/* --- --format --- */

/* "\t" and "\n" as two characters, outside of actions as well as inside. */
static char *unescape(const char *format)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	bool inside = false;

	for (const char *p = format; *p; p++) {
		if (str_has_prefix(p, "{{"))
			inside = true;
		else if (str_has_prefix(p, "}}"))
			inside = false;
		if (!inside && *p == '\\' && (p[1] == 't' || p[1] == 'n')) {
			strbuf_addc(&sb, p[1] == 't' ? '\t' : '\n');
			p++;
		} else {
			strbuf_addc(&sb, *p);
		}
	}
	return strbuf_take(&sb);
}

static int run_rows(const struct gotemplate *t, const struct gotemplate_list *list,
		    struct strbuf *out, struct err *err)
{
	for (size_t i = 0; i < json_object_array_length(list->rows); i++) {
		size_t before = out->len;
		int r = gotemplate_run(t, json_object_array_get_idx(list->rows, i), out, err);

		if (r < 0)
			return r;
		if (out->len == before || out->buf[out->len - 1] != '\n')
			strbuf_addc(out, '\n');
	}
	return 0;
}

/* Lines with tabs to columns. */
static void lay_out(const char *text, struct strbuf *out)
{
	auto_cli_text_table struct cli_text_table table = { 0 };
	auto_strvec struct strvec lines = STRVEC_INIT;

	strvec_split(&lines, text, '\n', true);
	if (lines.n && !*lines.v[lines.n - 1])
		strvec_remove(&lines, lines.n - 1);
	for (size_t i = 0; i < lines.n; i++) {
		size_t columns = 1;

		for (const char *p = lines.v[i]; *p; p++)
			columns += *p == '\t';
		table.n_columns = MAX(table.n_columns, columns);
	}
	for (size_t i = 0; i < lines.n; i++) {
		auto_strvec struct strvec cells = STRVEC_INIT;

		strvec_split(&cells, lines.v[i], '\t', true);
		for (size_t k = 0; k < table.n_columns; k++)
			cli_text_table_add(&table, k < cells.n ? cells.v[k] : "");
	}
	cli_text_table_format(&table, TABLE_MIN_WIDTH, TABLE_PADDING, out);
}

/* In a table's template a space ends a column as a tab does. */
static char *table_columns(const char *format)
{
	char *text = xstrdup(format);
	bool inside = false;

	for (char *p = text; *p; p++) {
		if (p[0] == p[1] && (*p == '{' || *p == '}'))
			inside = *p == '{';
		if (*p == ' ' && !inside)
			*p = '\t';
	}
	return text;
}

static int format_table(const char *format, const struct gotemplate_list *list, struct strbuf *out,
			struct err *err)
{
	auto_gotemplate struct gotemplate *t = NULL;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *columns = table_columns(format);
	int r = gotemplate_parse(&t, columns, err);

	if (r == 0 && !list->no_heading) {
		r = run_headings(t, list->headings, &text, err);
		if (text.len == 0 || text.buf[text.len - 1] != '\n')
			strbuf_addc(&text, '\n');
	}
	if (r == 0)
		r = run_rows(t, list, &text, err);
	if (r == 0)
		lay_out(text.buf, out);
	return r;
}

int gotemplate_format_list(const struct gotemplate_list *list, struct strbuf *out, struct err *err)
{
	auto_gotemplate struct gotemplate *t = NULL;
	auto_free char *format = unescape(list->format);
	const char *columns = str_skip_prefix(format, "table ");
	int r;

	if (str_eq(format, "json")) {
		auto_free char *text = gt_json_text(list->rows, JSON_INDENT2);

		strbuf_addf(out, "%s\n", text);
		return 0;
	}
	if (columns)
		return format_table(columns, list, out, err);
	r = gotemplate_parse(&t, format, err);
	return r < 0 ? r : run_rows(t, list, out, err);
}

int gotemplate_format_value(const char *format, struct json_object *value, struct strbuf *out,
			    struct err *err)
{
	auto_gotemplate struct gotemplate *t = NULL;
	auto_free char *unescaped = unescape(format);
	int r;

	if (str_eq(unescaped, "json")) {
		auto_free char *text = gt_json_text(value, JSON_INDENT4);

		strbuf_addf(out, "%s\n", text);
		return 0;
	}
	r = gotemplate_parse(&t, unescaped, err);
	if (r == 0)
		r = gotemplate_run(t, value, out, err);
	if (r == 0)
		strbuf_addc(out, '\n');
	return r;
}

int gotemplate_format_inspected(const char *format, struct json_object *values, struct strbuf *out,
				struct err *err)
{
	int r = 0;

	if (!format || str_eq(format, "json"))
		return gotemplate_format_value("json", values, out, err);
	for (size_t i = 0; r == 0 && i < json_object_array_length(values); i++)
		r = gotemplate_format_value(format, json_object_array_get_idx(values, i), out, err);
	return r;
}
