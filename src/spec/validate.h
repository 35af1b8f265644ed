/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of the runtime configuration that its types cannot say. Pure: no file and no system call
 * is looked at, so what depends on this machine (whether SELinux is on, whether a namespace's path
 * is the host's own) is left to whoever carries the configuration out.
 *
 * What runc accepts is accepted, but for values that would fail later with less to say. Messages
 * begin with the path of the field and tell what is accepted there.
 *
 * Return: 0; -EINVAL (ERR_INVALID), or -EOPNOTSUPP (ERR_UNSUPPORTED) for what this code does not do.
 */
#pragma once

#include "core/err.h"
#include "spec/runtime_spec.h"

/* A whole configuration, as `create` and `run` need it. */
int runtime_spec_validate(const struct runtime_spec *spec, struct err *err);

/* What applies in addition without privileges: a user namespace with mappings, and mount options
 * that name mapped ids only. */
int runtime_spec_validate_rootless(const struct runtime_spec *spec, struct err *err);

/* A process alone, as `exec --process` reads it; paths in messages begin with "process". */
int oci_process_validate(const struct oci_process *process, struct err *err);

/* Resources alone, as `update --resources` reads them; paths begin with "linux.resources". */
int oci_resources_validate(const struct oci_resources *resources, struct err *err);
