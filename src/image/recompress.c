/* SPDX-License-Identifier: Apache-2.0 */
#include "image/recompress.h"

#include <errno.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/parse.h"
#include "core/str.h"
#include "image/skopeo.h"

static bool is_zstd(const char *format)
{
	return str_eq(format, "zstd") || str_eq(format, "zstd:chunked");
}

int recompress_check(const struct recompress_how *how, struct err *err)
{
	int64_t level;

	if (how->format && !is_zstd(how->format) && !str_eq(how->format, "gzip"))
		return err_set(err, ERR_USAGE,
			       "compression format '%s' is not one of gzip, zstd, zstd:chunked",
			       how->format);
	if (how->manifest && str_eq(how->manifest, "v2s1") && (how->format || how->level))
		return err_set(err, ERR_USAGE,
			       "with --format v2s1 layers stay as they are; leave "
			       "--compression-format and --compression-level out");
	if (how->level && parse_i64(how->level, &level) < 0)
		return err_set(err, ERR_USAGE, "compression level '%s' is not a number",
			       how->level);
	if (how->format && is_zstd(how->format) && how->manifest && !str_eq(how->manifest, "oci"))
		return err_set(
			err, ERR_USAGE,
			"compression format '%s' is only in OCI's manifests, and --format %s "
			"asks for another; leave --format out, or give oci",
			how->format, how->manifest);
	return 0;
}

static const char *format_of(const struct image_descriptor *layer)
{
	if (str_has_suffix(layer->media_type, "gzip"))
		return "gzip";
	return str_has_suffix(layer->media_type, "+zstd") ? "zstd" : NULL;
}

bool recompress_is_needed(const struct image_manifest *manifest, const struct recompress_how *how)
{
	if (!how->format && !how->level)
		return false;
	if (how->level)
		return manifest->n_layers > 0; /* no media type tells of it */
	/* No media type tells zstd:chunked from zstd: then it is never the same. */
	for (size_t i = 0; i < manifest->n_layers; i++) {
		const char *format = format_of(&manifest->layers[i]);

		if (!format || !str_eq(format, how->format))
			return true;
	}
	return false;
}

static int copy(const char *path, const char *from, const char *to, struct strvec *args,
		const char *policy, struct err *err)
{
	struct skopeo_options options = { 0 };
	struct skopeo_call call = {
		.subcommand = "copy", .side = SKOPEO_PLAIN, .args = args, .policy = policy
	};
	auto_free char *target = xasprintf("%s/%s", path, to);

	if (mkdir(target, 0700) < 0)
		return err_sys(err, -errno, "make directory '%s'", target);
	strvec_addf(args, "dir:%s/%s", path, from);
	strvec_addf(args, "dir:%s", target);
	return skopeo_run(&options, &call, err);
}

int recompress(const char *path, const struct image_manifest *manifest,
	       const struct recompress_how *how, struct err *err)
{
	auto_strvec struct strvec decompress = STRVEC_INIT;
	auto_strvec struct strvec compress = STRVEC_INIT;
	const char *format = how->format;
	bool is_plain = true;
	int r;

	for (size_t i = 0; i < manifest->n_layers; i++)
		is_plain = is_plain && !format_of(&manifest->layers[i]);
	if (!format && manifest->n_layers > 0)
		format = format_of(&manifest->layers[0]);
	if (!format)
		format = "gzip";
	/* skopeo compresses what is not compressed, and only that (before 1.14 there is no way to ask for more). */
	strvec_add(&decompress, "--dest-decompress");
	strvec_add(&compress, "--dest-compress");
	strvec_addf(&compress, "--dest-compress-format=%s", format);
	if (how->level)
		strvec_addf(&compress, "--dest-compress-level=%s", how->level);
	if (how->manifest || is_zstd(format))
		strvec_addf(&compress, "--format=%s", how->manifest ? how->manifest : "oci");
	r = is_plain ? 0 : copy(path, "image", "plain", &decompress, how->policy, err);
	if (r == 0)
		r = copy(path, is_plain ? "image" : "plain", "recompressed", &compress, how->policy,
			 err);
	return r < 0 ? err_wrap(err, r, "compress its layers by %s", format) : 0;
}
