/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an archive asks of this host beyond what `floe run` would give a container of the same image. Archives come from
 * strangers: each such thing is named, and refused unless its class is allowed.
 */
#pragma once

#include "archive/metadata.h"
#include "core/strbuf.h"
#include "engine/config.h"
#include "spec/runtime_spec.h"

enum restore_class {
	RESTORE_PRIVILEGED,
	RESTORE_CAPABILITIES,
	RESTORE_DEVICES,
	RESTORE_MOUNTS, /* directories of the host; writable parts of it */
	RESTORE_HOOKS,
	RESTORE_ANNOTATIONS,
	RESTORE_NAMESPACES, /* those of the host */
	RESTORE_IDS, /* that a container of this host has for itself alone, or the archive's had */
	RESTORE_SECCOMP,
	RESTORE_LSM,
	RESTORE_MASKS, /* of /proc and /sys */
	RESTORE_SYSCTL,
	RESTORE_SECRETS, /* of this host, by name */
	RESTORE_RUNTIME, /* a program of the archive's choice */
	RESTORE_IMAGES, /* what is in CRIU's images and in no document */
	RESTORE_CLASS_MAX_,
};

struct restore_findings {
	struct strbuf text; /* "class: what", a line each */
	uint32_t classes; /* 1 << class, of all findings */
};

void restore_findings_done(struct restore_findings *findings);
DEFINE_AUTO_VAL(restore_findings, struct restore_findings, restore_findings_done)
#define auto_restore_findings auto_cleanup(restore_findings_cleanup_val)

/* "CLASS: WHAT" */
void restore_findings_add(struct restore_findings *f, enum restore_class class, const char *format,
			  ...) PRINTF_LIKE(3, 4);
/* "mounts,devices" or "all" into a mask. ERR_USAGE names the classes that there are. */
int restore_allow_parse(const char *text, uint32_t *mask, struct err *err);

/*
 * Compare the documents. record: made of them (archive_record_parse()). given: with the mounts that the caller has put in the
 * place of the archive's; NULL: none. Pure.
 */
void restore_policy_check(const struct archive_config *config, const struct runtime_spec *spec,
			  const struct container_config *record,
			  const struct container_config *given, struct restore_findings *ret);
/*
 * Compare CRIU's images in the directory with the runtime configuration: the credentials, seccomp modes, namespaces
 * and mounts that CRIU will make, whatever the documents say. *ret_root_is_shared: the root's mount must have a peer
 * group for CRIU to copy, as where an engine's root is no mount of its own. Negative errno with *err for images that cannot be read.
 */
int restore_policy_check_images(int dir_fd, const struct runtime_spec *spec, bool privileged,
				struct restore_findings *ret, bool *ret_root_is_shared,
				struct err *err);
/* ERR_DENIED, naming what is not allowed and how to allow it; 0 when everything is. */
int restore_policy_decide(const struct restore_findings *findings, uint32_t allowed,
			  const char *source, struct err *err);
