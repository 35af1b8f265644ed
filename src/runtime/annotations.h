/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Annotations that change what the runtime does: crun's "run.oci.*". Where one is honoured, its
 * module looks it up; here is what concerns the document as a whole. Those of systemd
 * ("org.systemd.property.*", "run.oci.systemd.*") are the cgroup driver's, "org.criu.config" is the
 * checkpoint's.
 */
#pragma once

#include "spec/runtime_spec.h"

#define ANNOTATION_HOOKS_STDOUT "run.oci.hooks.stdout"
#define ANNOTATION_HOOKS_STDERR "run.oci.hooks.stderr"
#define ANNOTATION_KEEP_GROUPS "run.oci.keep_original_groups"
#define ANNOTATION_PIDFD_RECEIVER "run.oci.pidfd_receiver"
#define ANNOTATION_SECCOMP_BPF "run.oci.seccomp_bpf_data"
#define ANNOTATION_SECCOMP_FAIL_UNKNOWN "run.oci.seccomp_fail_unknown_syscall"
#define ANNOTATION_SECCOMP_PLUGINS "run.oci.seccomp.plugins"
#define ANNOTATION_SECCOMP_RECEIVER "run.oci.seccomp.receiver"

/*
 * Before the document is validated: the seccomp agent's socket may also come from an annotation, or
 * from the environment (RUN_OCI_SECCOMP_RECEIVER). And ERR_UNSUPPORTED for annotations that ask for
 * something that there is not here: programs run by a library (run.oci.handler), plugins.
 */
int annotations_apply(struct runtime_spec *spec, struct err *err);

/* Whether the annotation is there and not "0". */
bool annotation_is_on(const struct runtime_spec *spec, const char *key);
