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
	const char *creds; /* USER:PASSWORD */
	const char *creds_registry; /* whose: filled in by who knows the name */
	const char *cert_dir;
	struct opt_bool tls_verify;
	const char *signature_policy;
	const char *arch;
	const char *os;
	const char *variant;
	uint32_t retry;
	uint64_t retry_delay_ns; /* 0: skopeo waits, longer each time */
	bool debug;
	bool show_progress; /* what skopeo prints goes to our stderr: bars on a terminal */
};

enum skopeo_side { SKOPEO_PLAIN, SKOPEO_SOURCE, SKOPEO_DESTINATION };

struct skopeo_call {
	const char *subcommand;
	enum skopeo_side side; /* which side of a copy the options above are about */
	const struct strvec *args;
	struct strbuf *out; /* what it prints on stdout; NULL: shown or dropped */
	size_t out_limit;
	const char *input; /* text for its stdin; NULL: none */
	const char *policy; /* policy file instead of the user's; for copies out of the store */
};

/* skopeo's path, by PATH. ERR_NOT_FOUND with what to install. Caller owns. */
int skopeo_find(char **ret, struct err *err);

/* Run it to its end. What it says on stderr becomes the error (ERR_REMOTE), without its framing. It
 * dies with us. Passwords are not visible in its arguments. */
int skopeo_run(const struct skopeo_options *options, const struct skopeo_call *call,
	       struct err *err);

/* The reason out of skopeo's log lines: `time="..." level=fatal msg="..."`; caller owns. */
char *skopeo_reason(const char *stderr_text);
