/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keep the runtime's own program out of the containers' reach.
 *
 * Theory of operation. Whoever makes a container's init execute /proc/self/exe (as program, as script
 * interpreter, as ELF interpreter) gets the runtime's binary as the executable of a process of his,
 * and through /proc/PID/exe a way to open the host's file for writing once it no longer runs
 * (CVE-2019-5736). So commands that start a process in a container must run from a place that cannot
 * be written to through that link: a detached, read-only clone of the binary's mount (Linux 5.12, no
 * copy), or else a sealed memfd. Usually the launcher has executed them from such a clone
 * (cli/floe-runtime/launcher.c, which is faster); otherwise they execute themselves again.
 *
 * A binary on a read-only mount is safe as it is.
 */
#pragma once

#include "core/err.h"

/*
 * Returns 0 when the running program is out of reach; otherwise does not return but executes itself
 * with the same arguments and environment. ERR_SYSTEM when no way worked.
 */
int self_exe_protect(char *const argv[], struct err *err);
