/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands for images share. */
#pragma once

#include <json-c/json.h>

#include "cli/floe/commands.h"
#include "cli/floe/image_commands.h"
#include "cli/floe/view.h"
#include "cli/gotemplate.h"
#include "image/image.h"
#include "image/skopeo.h"

/* For completion. */
#define FLOE_IMAGES "floe images --format '{{.Repository}}:{{.Tag}}'"
#define SHORT_ID_LEN 12

/* The store of the engine, with the tables of images. Close it with store_close(). */
int image_store_open(const struct cli_invocation *inv, struct store *ret, struct err *err);

/* Ids of the containers that were made from this image. */
int image_containers(const struct cli_invocation *inv, const char *id, struct strvec *ret,
		     struct err *err);
/* "pull", "tag" ... of an image, into the log of events. */
void image_event(const struct cli_invocation *inv, const char *status, const char *id,
		 const char *name);

/* How to reach a registry: rows for OPT_ of struct T with a member `skopeo` of this type; M: "" or "outer.". */
#define SKOPEO_ROWS(T, M)                                                                          \
	OPT_STRING(T, M skopeo.authfile, "authfile", 0, "FILE", "credentials of registries"),      \
		OPT_STRING(T, M skopeo.creds, "creds", 0, "USER:PASSWORD",                         \
			   "credentials for this registry alone"),                                 \
		OPT_STRING(T, M skopeo.cert_dir, "cert-dir", 0, "DIR",                             \
			   "certificates and keys for the registry"),                              \
		OPT_OPTBOOL(T, M skopeo.tls_verify, "tls-verify", 0,                               \
			    "require HTTPS and verify certificates (default: true)"),              \
		OPT_STRING_F(T, M skopeo.signature_policy, "signature-policy", 0, "FILE",          \
			     "policy for signatures instead of the system's", CLI_HIDDEN)
#define PLATFORM_ROWS(T, M)                                                                        \
	OPT_STRING(T, M skopeo.arch, "arch", 0, "ARCH", "processor to choose images for"),         \
		OPT_STRING(T, M skopeo.os, "os", 0, "OS", "system to choose images for"),          \
		OPT_STRING(T, M skopeo.variant, "variant", 0, "VARIANT",                           \
			   "variant of the processor to choose images for"),                       \
		OPT_STRING_F(T, M skopeo.arch, "override-arch", 0, "ARCH", "the same as --arch",   \
			     CLI_HIDDEN),                                                          \
		OPT_STRING_F(T, M skopeo.os, "override-os", 0, "OS", "the same as --os",           \
			     CLI_HIDDEN),                                                          \
		OPT_STRING_F(T, M skopeo.variant, "override-variant", 0, "VARIANT",                \
			     "the same as --variant", CLI_HIDDEN),                                 \
		OPT_STRING(T, M platform, "platform", 0, "OS/ARCH[/VARIANT]",                      \
			   "system, processor and variant in one")
/* N: the opt_u64 of --retry. */
#define RETRY_ROWS(T, M, N)                                                                        \
	OPT_U64(T, N, "retry", 0, "N",                                                             \
		"how often to try again what failed on the way (default: 0, or 3 with a delay)"),  \
		OPT_DURATION(T, M skopeo.retry_delay_ns, "retry-delay", 0, "TIME",                 \
			     "how long to wait before that (default: longer each time)")
/*
 * --retry (given) and --retry-delay (in *ret), or what is configured; a delay alone means three times. At most 100 times.
 * ERR_INVALID.
 */
int image_retries(const struct cli_invocation *inv, const struct opt_u64 *given,
		  struct skopeo_options *ret, struct err *err);
/* --platform into arch, os, variant. *ret_text holds them and is the caller's. ERR_USAGE. */
int image_platform_parse(const char *platform, struct skopeo_options *skopeo, char **ret_text,
			 struct err *err);

/* Files that the options name must be there before anything is begun. ERR_NOT_FOUND. */
int image_authfile_check(const char *authfile, struct err *err);

/* A --format where there is a list for people and JSON; NULL: the list. ERR_USAGE. */
int image_json_format_check(const char *format, struct err *err);
/* "C /path" lines, or {"changed": [...], "added": [...], "deleted": [...]}. */
struct rootfs_changes;
int image_changes_print(const struct rootfs_changes *changes, bool json, struct err *err);

/* ERR_UNSUPPORTED when its root is no image: `what` is the command. */
int image_root_needed(const struct container *c, const char *what, struct err *err);
