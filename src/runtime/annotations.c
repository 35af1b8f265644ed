/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/annotations.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/log.h"
#include "core/str.h"

#define ANNOTATION_HANDLER "run.oci.handler"
#define ANNOTATION_WASM "module.wasm.image/variant"
#define ANNOTATION_SUBGROUP "run.oci.systemd.subgroup"
#define ANNOTATION_DELEGATE "run.oci.delegate-cgroup"

bool annotation_is_on(const struct runtime_spec *spec, const char *key)
{
	const char *value = runtime_spec_annotation(spec, key);

	return value && strcmp(value, "0") != 0;
}

static int refuse(const struct runtime_spec *spec, const char *key, const char *advice,
		  struct err *err)
{
	const char *value = runtime_spec_annotation(spec, key);

	if (str_is_empty(value))
		return 0;
	return err_set(err, ERR_UNSUPPORTED, "annotation '%s' ('%s') is not supported; %s", key,
		       value, advice);
}

static void warn(const struct runtime_spec *spec, const char *key, const char *reason)
{
	if (!str_is_empty(runtime_spec_annotation(spec, key)))
		log_warning("annotation '%s' is of no effect: %s", key, reason);
}

static int apply_receiver(struct runtime_spec *spec, struct err *err)
{
	struct oci_seccomp *seccomp = spec->linux_ ? spec->linux_->seccomp : NULL;
	const char *path = runtime_spec_annotation(spec, ANNOTATION_SECCOMP_RECEIVER);
	const char *what = "annotation '" ANNOTATION_SECCOMP_RECEIVER "'";

	if (!path) {
		path = getenv("RUN_OCI_SECCOMP_RECEIVER");
		what = "RUN_OCI_SECCOMP_RECEIVER";
	}
	if (str_is_empty(path))
		return 0;
	if (path[0] != '/')
		return err_set(err, ERR_INVALID, "%s: '%s' is not an absolute path", what, path);
	if (seccomp && str_is_empty(seccomp->listener_path))
		replace_ptr(seccomp->listener_path, xstrdup(path));
	return 0;
}

int annotations_apply(struct runtime_spec *spec, struct err *err)
{
	int r = refuse(spec, ANNOTATION_HANDLER,
		       "the container's program is executed by the kernel", err);

	if (r == 0)
		r = refuse(spec, ANNOTATION_SECCOMP_PLUGINS,
			   "have an agent listen instead (linux.seccomp.listenerPath)", err);
	warn(spec, ANNOTATION_WASM, "the container's program is executed by the kernel");
	warn(spec, ANNOTATION_SUBGROUP, "the container is in the unit's own cgroup");
	warn(spec, ANNOTATION_DELEGATE, "what is delegated is the container's own cgroup");
	return r < 0 ? r : apply_receiver(spec, err);
}
