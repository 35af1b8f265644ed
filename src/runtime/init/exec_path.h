/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which file execve(2) is to start. Looked up by the process that will call execve, as the container's
 * user and in its root, so that "not found" and "permission denied" are those it would meet.
 *
 * The messages are runc's, which engines match to choose their exit codes (126 and 127):
 *   exec: "foo": executable file not found in $PATH
 *   exec: "/foo": stat /foo: no such file or directory
 *   exec: "/foo": permission denied
 *   exec: "/foo": is a directory: permission denied
 */
#pragma once

#include "core/err.h"
#include "core/strvec.h"

/*
 * name: args[0]. With a slash in it, it is taken as it is; otherwise searched in PATH of env (the
 * new environment; without PATH nothing is found). *ret_path is owned by the caller. ERR_NOT_FOUND,
 * or ERR_DENIED.
 */
int exec_path_find(const char *name, const struct strvec *env, char **ret_path, struct err *err);

/*
 * What a failed execve means: `exec /foo: no such file or directory`, with the interpreter that is
 * missing or of the wrong architecture named where the file tells it. Returns code (a negative errno).
 */
int exec_path_explain(const char *path, int code, struct err *err);
