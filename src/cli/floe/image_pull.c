/* SPDX-License-Identifier: Apache-2.0 */
/* pull, push */
#include <string.h>
#include <unistd.h>

#include "cli/floe/image_common.h"
#include "cli/floe/report.h"
#include "core/alloc.h"
#include "core/str.h"
#include "engine/event.h"
#include "engine/containers_conf.h"
#include "image/pull.h"
#include "image/push.h"
#include "image/transport.h"

struct pull_cli {
	struct skopeo_options skopeo;
	const char *platform;
	const char *policy;
	bool all_tags;
	bool quiet;
	bool content_trust;
	struct opt_u64 retry;
};

/* The configured transport before a name that has none; the caller owns it. */
static char *with_transport(const struct cli_invocation *inv, const char *what)
{
	const char *transport = floe_engine(inv)->conf->engine.image_default_transport;
	const char *rest;

	if (str_is_empty(transport) || str_eq(transport, "docker://") ||
	    transport_of(what, &rest) || rest != what)
		return xstrdup(what);
	return xasprintf("%s%s", transport, what);
}

static int set_options(const struct cli_invocation *inv, struct pull_options *o,
		       char **ret_platform, struct err *err)
{
	const struct pull_cli *cli = inv->options;
	int r = image_authfile_check(cli->skopeo.authfile, err);

	if (r < 0)
		return r;
	o->skopeo = cli->skopeo;
	o->quiet = cli->quiet;
	o->policy = PULL_ALWAYS;
	r = image_retries(inv, &cli->retry, &o->skopeo, err);
	if (r == 0)
		r = image_platform_parse(cli->platform, &o->skopeo, ret_platform, err);
	if (r == 0 && cli->policy)
		r = pull_policy_from_string(cli->policy, &o->policy, err);
	return r;
}

static int pull_one(const struct cli_invocation *inv, struct store *store, const char *what,
		    const struct pull_options *options, struct strbuf *out, struct err *err)
{
	const struct pull_cli *cli = inv->options;
	auto_strvec struct strvec ids = STRVEC_INIT;
	auto_free char *name = NULL;
	char *id = NULL;
	int r;

	if (cli->all_tags) {
		r = image_pull_all_tags(store, what, options, &ids, err);
	} else {
		r = image_pull(store, what, options, &id, &name, err);
		if (r == 0)
			strvec_add_take(&ids, id);
	}
	for (size_t i = 0; i < ids.n; i++) {
		strbuf_addf(out, "%s\n", ids.v[i]);
		image_event(inv, "pull", ids.v[i], name ? name : what);
	}
	return r;
}

static int run_pull(const struct cli_invocation *inv, struct err *err)
{
	auto_store struct store store = STORE_INIT;
	auto_strbuf struct strbuf out = STRBUF_INIT;
	auto_free char *platform = NULL;
	struct pull_options options = { 0 };
	bool failed = false;
	int r = set_options(inv, &options, &platform, err);

	if (r == 0)
		r = image_store_open(inv, &store, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < inv->n_args; i++) {
		auto_free char *what = with_transport(inv, inv->args[i]);
		struct err one = ERR_INIT;

		if (pull_one(inv, &store, what, &options, &out, &one) < 0) {
			event_pull_error(floe_engine(inv), what, one.msg);
			report_error(&one);
			failed = true;
		}
	}
	r = cli_print(out.buf, err);
	return r < 0 ? r : failed ? FLOE_EXIT_ERROR : 0;
}

#define T struct pull_cli
static const struct cli_option pull_rows[] = {
	OPT_FLAG(T, all_tags, "all-tags", 'a', "pull all tags of the repository"),
	OPT_STRING(T, policy, "policy", 0, "POLICY",
		   "always, missing, never or newer (default: always)"),
	OPT_FLAG(T, quiet, "quiet", 'q', "print nothing but the id"),
	RETRY_ROWS(T, , retry),
	OPT_FLAG_F(T, content_trust, "disable-content-trust", 0, "docker's; of no effect",
		   CLI_HIDDEN),
	SKOPEO_ROWS(T, ),
	PLATFORM_ROWS(T, ),
};
#undef T

#define PULL_COMMAND                                                                               \
	{                                                                                          \
		.name = "pull", .arguments = "IMAGE...",                                           \
		.summary = "fetch images from a registry",                                         \
		.description = "IMAGE is a name, or TRANSPORT:DETAILS with docker, oci, "          \
			       "oci-archive, docker-archive, dir, containers-storage or "          \
			       "docker-daemon.",                                                   \
		CLI_OPTIONS(struct pull_cli, pull_rows), .min_args = 1, .max_args = CLI_ARGS_ANY,  \
		.argument_source = FLOE_IMAGES, .run = run_pull, .error_code = FLOE_EXIT_ERROR,    \
	}
const struct cli_command floe_pull_command = PULL_COMMAND;

/* --- push --- */

struct push_cli {
	struct skopeo_options skopeo;
	const char *digest_file;
	const char *format;
	const char *compression_format;
	const char *compression_level;
	struct opt_bool force_compression;
	const char *sign_by;
	bool remove_signatures;
	bool compress;
	bool quiet;
	bool content_trust;
	struct opt_u64 retry;
};

static int run_push(const struct cli_invocation *inv, struct err *err)
{
	const struct push_cli *cli = inv->options;
	struct push_options options = {
		.skopeo = cli->skopeo,
		.quiet = cli->quiet,
		.digest_file = cli->digest_file,
		.format = cli->format,
		.compression_format = cli->compression_format,
		.compression_level = cli->compression_level,
		.recompress = !cli->force_compression.set || cli->force_compression.v,
		.compress = cli->compress,
		.remove_signatures = cli->remove_signatures,
		.sign_by = cli->sign_by,
	};
	const struct conf_engine *conf = &floe_engine(inv)->conf->engine;
	auto_store struct store store = STORE_INIT;
	auto_image struct image image = { 0 };
	auto_free char *name = NULL;
	auto_free char *level = NULL;
	const char *destination = inv->n_args > 1 ? inv->args[1] : NULL;
	int r = image_authfile_check(cli->skopeo.authfile, err);

	if (r == 0)
		r = image_store_open(inv, &store, err);
	if (r == 0)
		r = image_retries(inv, &cli->retry, &options.skopeo, err);
	if (!options.compression_format)
		options.compression_format = conf->compression_format;
	if (!options.compression_level && conf->compression_level.set) {
		level = xasprintf("%lld", (long long)conf->compression_level.v);
		options.compression_level = level;
	}
	if (r == 0)
		r = image_find(&store, inv->args[0], &image, &name, err);
	if (r < 0)
		return r;
	if (!destination)
		destination = name;
	if (!destination)
		return err_set(err, ERR_USAGE,
			       "push image '%s': it was named by its id; say where to push it",
			       inv->args[0]);
	r = image_push(&store, &image, destination, &options, err);
	if (r == 0)
		image_event(inv, "push", image.id, destination);
	return r;
}

#define T struct push_cli
static const struct cli_option push_rows[] = {
	OPT_STRING(T, digest_file, "digestfile", 0, "FILE",
		   "write the digest of what was pushed here"),
	OPT_STRING(T, format, "format", 'f', "FORMAT", "manifest to push: oci, v2s2 or v2s1"),
	OPT_STRING(T, compression_format, "compression-format", 0, "FORMAT",
		   "gzip, zstd or zstd:chunked, to a registry or an OCI layout"),
	OPT_STRING(T, compression_level, "compression-level", 0, "N", "of the compression"),
	OPT_OPTBOOL(T, force_compression, "force-compression", 0,
		    "with =false, leave layers that are compressed as they are"),
	OPT_FLAG(T, compress, "compress", 0,
		 "compress layers by gzip, of a push to dir: (elsewhere they always are)"),
	OPT_FLAG(T, remove_signatures, "remove-signatures", 0, "leave signatures out"),
	OPT_STRING(T, sign_by, "sign-by", 0, "FINGERPRINT", "sign with this key of GnuPG"),
	OPT_FLAG(T, quiet, "quiet", 'q', "print nothing"),
	RETRY_ROWS(T, , retry),
	OPT_FLAG_F(T, content_trust, "disable-content-trust", 0, "docker's; of no effect",
		   CLI_HIDDEN),
	SKOPEO_ROWS(T, ),
};
#undef T

const struct cli_command floe_push_command = {
	.name = "push",
	.arguments = "IMAGE [DESTINATION]",
	.summary = "copy an image to a registry",
	.description = "Without DESTINATION it goes where its name says. DESTINATION is a name, or "
		       "TRANSPORT:DETAILS as for pull.",
	CLI_OPTIONS(struct push_cli, push_rows),
	.min_args = 1,
	.max_args = 2,
	.argument_source = FLOE_IMAGES,
	.run = run_push,
	.error_code = FLOE_EXIT_ERROR,
};
