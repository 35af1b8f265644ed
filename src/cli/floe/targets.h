/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that do one thing to each of several containers. */
#pragma once

#include "cli/floe/commands.h"
#include "engine/container.h"
#include "engine/filter.h"

struct targets {
	bool all;
	bool latest;
	bool newest_first; /* of `all`: those that need others before these */
	bool ignore; /* those that do not exist are no error */
	bool each_alone; /* those that exist are done although others do not */
	bool lock;
	bool damaged; /* also those whose record cannot be read (container_open_damaged()) */
	bool quiet; /* print nothing */
	bool print_id; /* the id, not what was typed */
	bool filter_arguments; /* filters are about the containers that are named; else not both */
	struct strvec filters;
	struct strvec cidfiles;
	/* Which of `all` are meant; NULL: every one. */
	bool (*wanted)(const struct container *c);
	/* The exit code of a failure; NULL: 125 for each. */
	int (*error_code)(const struct err *err);
};

/* Their rows, for a struct T with a member `targets`. */
#define ALL_ROW(T) OPT_FLAG(T, targets.all, "all", 'a', "every container")
#define LATEST_ROW(T) OPT_FLAG(T, targets.latest, "latest", 'l', "the newest container")
#define FILTER_ROW(T)                                                                              \
	OPT_STRVEC(T, targets.filters, "filter", 'f', "KEY=VALUE", "those that this is true of")
#define CIDFILE_ROW(T)                                                                             \
	OPT_STRVEC(T, targets.cidfiles, "cidfile", 0, "FILE", "read a container's id from a file")
#define IGNORE_ROW(T)                                                                              \
	OPT_FLAG(T, targets.ignore, "ignore", 'i', "no error for those that do not exist")

/*
 * Call each() for every container that the arguments mean, and print the name as typed (or the id) when
 * it succeeds; errors are printed one by one. Returns the exit code: 0, that of the failures when they have
 * the same, else 125; a negative errno when there is nothing to begin with, also because one of several names means no
 * container (unless `ignore` or `each_alone`). each() may return 1 for "done, but print nothing".
 */
int targets_each(const struct cli_invocation *inv, const struct targets *t,
		 int (*each)(struct container *c, void *context, struct err *err), void *context,
		 struct err *err);

struct target {
	struct container container;
	bool is_missing; /* there is none of that name, which `ignore` makes no error */
};

struct target_list {
	struct target *v;
	size_t n;
};

/* Every container that the arguments mean, none of them locked; the first that is not there is the error. */
int targets_open(const struct cli_invocation *inv, const struct targets *t, struct target_list *ret,
		 struct err *err);
void target_list_done(struct target_list *list);
DEFINE_AUTO_VAL(target_list, struct target_list, target_list_done)
#define auto_target_list auto_cleanup(target_list_cleanup_val)

/* The only container that an argument or --latest means. */
int targets_one(const struct cli_invocation *inv, bool latest, bool lock, struct container *ret,
		struct err *err);
/* The container whose id the file begins with; not locked. */
int targets_cidfile(const struct cli_invocation *inv, const char *path, struct container *ret,
		    struct err *err);

/* The exit code of those that remove things: 1 for what is missing, 2 for what is in use. */
int targets_remove_code(const struct err *err);
