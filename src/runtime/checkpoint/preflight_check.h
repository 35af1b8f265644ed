/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks: each looks at the whole snapshot for one kind of obstacle, and adds what it finds.
 * Pure; they neither ask the system nor change the snapshot.
 */
#pragma once

#include "core/macro.h"
#include "runtime/checkpoint/preflight.h"
#include "runtime/checkpoint/preflight_snapshot.h"

enum preflight_severity {
	PREFLIGHT_BLOCKER,
	PREFLIGHT_WARNING,
	PREFLIGHT_NOTE,
};

/*
 * What to add. Whose it is: `use` (a process and its file), or `process`, or neither. Texts that are
 * said to be taken are owned by the callee. A finding of the same check about the same file as an
 * earlier one only counts up that one.
 */
struct preflight_item {
	enum preflight_severity severity;
	const struct preflight_use *use;
	const struct preflight_process *process;
	const char *path; /* copied; NULL: that of the file */
	char *message; /* taken */
	enum preflight_option option; /* lifts it */
	char *criu_option; /* taken; NULL: none, or `option` when that has no other form */
	const char *remedy; /* copied */
	bool is_separate; /* one of several about the same file: not to be counted together */
	/* Already lifted, by something that is no preflight_option; copied. */
	const char *lifted_by;
};

typedef void (*preflight_check_fn)(const struct preflight_snapshot *s,
				   struct preflight_report *report, const char *check);

struct preflight_check {
	const char *name; /* in the JSON output: never changed */
	preflight_check_fn fn;
};

/* Of preflight_check_files.c and so on; each table ends with name NULL. */
extern const struct preflight_check preflight_file_checks[];
extern const struct preflight_check preflight_kind_checks[];
extern const struct preflight_check preflight_socket_checks[];
extern const struct preflight_check preflight_process_checks[];
extern const struct preflight_check preflight_mount_checks[];
extern const struct preflight_check preflight_host_checks[];

void preflight_add(struct preflight_report *report, const struct preflight_snapshot *s,
		   const char *check, struct preflight_item item);

/* Run all checks, estimate the sizes, decide. *ret is the caller's. */
void preflight_judge(struct preflight_report *ret, const struct preflight_snapshot *s);

/* For all uses: u and f are the use and its file. (A loop in a loop, so `break` ends one of them.) */
#define PREFLIGHT_FOR_EACH_USE(s, u, f)                                                            \
	for (const struct preflight_use *u = (s)->uses; u < (s)->uses + (s)->n_uses; u++)          \
		for (const struct preflight_file *f = preflight_file_of(s, u); f; f = NULL)

/* "is open", "is mapped", "is the program", ... */
const char *preflight_use_word(const struct preflight_use *use);
/* Devices that CRIU has a terminal driver for. */
bool preflight_is_terminal(const struct preflight_file *file);
/* "/data/f (deleted)" without that; the caller owns it. */
char *preflight_name_of(const struct preflight_file *file);
static inline bool preflight_is_deleted(const struct preflight_file *file)
{
	return file->links == 0;
}
