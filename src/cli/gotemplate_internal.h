/* SPDX-License-Identifier: Apache-2.0 */
/* Within gotemplate*.c: the tree that parsing makes. */
#pragma once

#include <json-c/json.h>

#include "cli/gotemplate.h"
#include "core/json_table.h"
#include "core/strvec.h"

#define GT_DEPTH_MAX 64

enum gt_operand_kind {
	GT_DOT, /* ., .a.b */
	GT_VARIABLE, /* $x, $x.a; "$" is the outermost value */
	GT_LITERAL,
	GT_FUNCTION,
	GT_PAREN, /* (pipeline), (pipeline).a */
};

struct gt_operand {
	enum gt_operand_kind kind;
	char *name; /* of variable or function */
	struct strvec fields; /* that follow */
	struct json_object *literal;
	struct gt_pipe *pipe;
};

struct gt_command {
	struct gt_operand *args;
	size_t n;
};

struct gt_pipe {
	char *variables[2]; /* declared or set; range may have two */
	size_t n_variables;
	bool declares; /* := rather than = */
	struct gt_command *commands;
	size_t n;
};

enum gt_node_kind { GT_TEXT, GT_ACTION, GT_IF, GT_RANGE, GT_WITH, GT_BREAK, GT_CONTINUE };

struct gt_list {
	struct gt_node *v;
	size_t n;
};

struct gt_node {
	enum gt_node_kind kind;
	char *text;
	struct gt_pipe *pipe;
	struct gt_list body;
	struct gt_list otherwise;
};

struct gotemplate {
	char *text;
	struct gt_list nodes;
};

/* gotemplate_functions.c: args are borrowed; *ret is owned by the caller. */
bool gt_function_exists(const char *name);
int gt_call(const char *name, struct json_object **args, size_t n, struct json_object **ret,
	    struct err *err);
bool gt_is_true(struct json_object *value);
/* As Go's %v prints it. */
void gt_print(struct json_object *value, struct strbuf *out);
/* "<no value>", told apart from null by its address. */
struct json_object *gt_no_value(void);

/* gotemplate_printf.c */
bool gt_is_number(struct json_object *value);
/* Not more than a limit that no table needs. */
void gt_add_spaces(struct strbuf *sb, int64_t n);
/* The n arguments as the format says; -EINVAL and in *ret_wrong, borrowed, what is wrong with them. */
int gt_printf(const char *format, struct json_object **args, size_t n, struct strbuf *out,
	      const char **ret_wrong);

/* gotemplate_fields.c */
/* The value (borrowed; NULL is one too) of a field. */
bool gt_get_member(struct json_object *object, const char *name, struct json_object **ret);
/* Of what users see: in json_value_keys' order. */
void gt_keys(struct json_object *object, struct strvec *ret);
/* What json prints. */
char *gt_json_text(struct json_object *value, enum json_style style);

/* gotemplate_time.c */
/* Remember that the value of a field of this name is a time, when it is one. */
void gt_time_mark(const char *field, struct json_object *value);
bool gt_is_time(struct json_object *value);
/* As Go's String() prints it. */
void gt_time_print(struct json_object *time, struct strbuf *out);
/* A method without arguments, or Format, whose value is for gt_time_format. NULL: there is no such method. */
struct json_object *gt_time_method(struct json_object *time, const char *name);
bool gt_is_time_format(struct json_object *value);
/* The time, as Go's layout ("2006-01-02 15:04:05") says. */
struct json_object *gt_time_format(struct json_object *format, const char *layout);
