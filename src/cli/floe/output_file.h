/* SPDX-License-Identifier: Apache-2.0 */
/* Where `export`, `save` and `volume export` write to: --output, or standard output. */
#pragma once

#include "archive/output.h"

/*
 * path: NULL, "-" and /dev/stdout are standard output, which must be no terminal (ERR_USAGE). What is there of a file stays
 * until output_commit() puts the new one into its place; pipes and devices are written to. *ret is OUTPUT_INIT.
 */
int output_file_open(struct output *ret, const char *command, const char *path, struct err *err);
