/* SPDX-License-Identifier: Apache-2.0 */
/* skopeo(1), which does all transport: registries, authentication, mirrors, signature policy. */
#pragma once

#include "core/err.h"
#include "core/json_table.h"
#include "core/strbuf.h"
#include "core/strvec.h"

/* What the user said about the other side. Strings are borrowed; NULL: not said. */
struct skopeo_options {
	const char *authfile;
	const char *creds; /* USER[:PASSWORD] */
	const char *cert_dir;
	struct opt_bool tls_verify;
	const char *signature_policy;
	const char *arch;
	const char *os;
	const char *variant;
	const char *registries_conf;
	uint32_t retry;
	const char *retry_delay; /* refused by name: skopeo has none */
	bool debug;
};

/* skopeo's path, by PATH. ERR_NOT_FOUND with what to install. Caller owns. */
int skopeo_find(char **ret, struct err *err);

/* A line that skopeo printed. */
typedef void skopeo_line(void *context, const char *line);

/*
 * Run `skopeo [global options] SUBCOMMAND [options for side] args...`. side: "src-" or "dest-" for
 * copy, "" for the others. stdout goes to out (may be NULL), at most out_limit bytes; each of its
 * lines also to line(). What it says on stderr becomes the error (ERR_REMOTE), without its framing.
 */
int skopeo_run(const struct skopeo_options *options, const char *side, const char *subcommand,
	       const struct strvec *args, struct strbuf *out, skopeo_line *line, void *context,
	       struct err *err);

/* The reason out of skopeo's log lines: `time="..." level=fatal msg="..."`; caller owns. For tests. */
char *skopeo_reason(const char *stderr_text);
