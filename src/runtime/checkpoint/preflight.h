/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a container can be checkpointed as it is now, and restored from that, without stopping it
 * for a moment: `checkpoint --dry-run`, and the explanation of a checkpoint that failed.
 *
 *	collect   what procfs, mountinfo, sock_diag and the host tell, into plain data
 *	          (preflight_snapshot.h, preflight_collect.h)
 *	judge     a table of small functions over that data (preflight_check.h)
 *	report    findings and sizes, as text or JSON
 *
 * What CRIU accepts was found by experiment with CRIU 4.2; tests/cr/preflight.bats repeats it: each
 * situation, what this says about it, and what the real checkpoint does. The container goes on
 * meanwhile, so the answer holds for the moment of looking.
 */
#pragma once

#include "core/auto.h"
#include "core/err.h"
#include "core/json_table.h"
#include "core/strbuf.h"

struct container;
struct checkpoint_options;
struct runtime;

/* Strings are owned. */
struct preflight_finding {
	char *check; /* stable name of the check: "tcp-established" */
	int pid; /* as the caller sees it; 0: not about one process */
	char *command;
	struct opt_i64 descriptor;
	char *path; /* file, mount point or address */
	char *message; /* what there is, in one sentence without a full stop */
	char *option; /* of `checkpoint`, lifts it: "--tcp-established"; NULL: none does */
	char *criu_option; /* line of CRIU's configuration file that lifts it: "ghost-limit 3145728" */
	char *remedy; /* what else to do; NULL: nothing */
	char *lifted_by; /* what was given that lifts it */
	uint64_t count; /* descriptors, processes or connections that this stands for; at least 1 */
	size_t object; /* which of the snapshot's files this is about; only to count equals */
};

/* Bytes, but for the counts. */
struct preflight_estimate {
	uint64_t processes;
	uint64_t threads;
	uint64_t descriptors;
	uint64_t memory_bytes; /* private pages */
	uint64_t shared_memory_bytes;
	uint64_t tmpfs_bytes; /* before compression */
	uint64_t deleted_files_bytes;
	uint64_t metadata_bytes;
	uint64_t total_bytes; /* at most; a parent image or an empty page makes it less */
};

struct preflight_report {
	char *id;
	char *verdict; /* "ok", "blocked" */
	struct preflight_finding *blockers; /* each makes the checkpoint, or the restore, fail */
	size_t n_blockers;
	struct preflight_finding *warnings; /* something is lost, or may go wrong elsewhere */
	size_t n_warnings;
	struct preflight_finding *notes; /* worth knowing before a restore on another host */
	size_t n_notes;
	struct preflight_finding *lifted; /* would be blockers without options that were given */
	size_t n_lifted;
	struct preflight_estimate estimate;
};

#define PREFLIGHT_REPORT_INIT                                                                      \
	{                                                                                          \
		0                                                                                  \
	}

/* The same by id; ERR_STATE unless it runs or is paused. Takes no lock. */
int container_preflight(struct runtime *rt, const char *id, const struct checkpoint_options *opts,
			struct preflight_report *ret, struct err *err);
/* Append to the error of a failed checkpoint the blockers there are, the first ones in words. Whether there are any. */
bool preflight_explain(const struct container *c, const struct checkpoint_options *opts,
		       struct err *err);
bool preflight_is_ok(const struct preflight_report *report);
void preflight_report_done(struct preflight_report *report);

/* "pid 7 (sh), descriptor 3: a lock on '/data/f' (...); use --file-locks", without a newline. */
void preflight_finding_to_text(const struct preflight_finding *finding, struct strbuf *sb);
/* For people: one line per finding, a verdict at the end. all: also what is lifted. */
void preflight_report_to_text(const struct preflight_report *report, bool all, struct strbuf *sb);
/* docs/checkpoint.md has the fields. */
extern const struct json_desc preflight_report_desc;

DEFINE_AUTO_VAL(preflight_report, struct preflight_report, preflight_report_done)
#define auto_preflight_report auto_cleanup(preflight_report_cleanup_val)
