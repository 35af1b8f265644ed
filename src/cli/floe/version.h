/* SPDX-License-Identifier: Apache-2.0 */
/* What version this is. */
#pragma once

struct json_object;

/* Version, GitCommit, Os, OsArch: a new object that the caller owns. */
struct json_object *version_object(void);
/* "floe version 0.1.0"; under the name podman what podman says. */
const char *version_line(void);
