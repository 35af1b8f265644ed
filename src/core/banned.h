/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that have no place in this project, made compile errors. The build includes this header into
 * every file (-include), so nothing needs to name it. The headers that declare them come first: after
 * the pragma, even a declaration is an error.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* This one has a field of the name ctime. */
#include <linux/fuse.h>

/* clang's fortification has macros of these names; poisoning them is what is wanted. */
#undef sprintf
#undef vsprintf

/* No bound on what is written, or a silent cut without the terminating zero. Instead: xstrdup(),
 * xasprintf(), struct strbuf, snprintf() with its result looked at. */
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf

/* Neither errors nor overflow can be told. Instead: core/parse.h. */
#pragma GCC poison atoi atol atoll atof

/* State that is shared, text of others that is modified. Instead: strsep(), the _r forms, core/clock.h. */
#pragma GCC poison strtok gmtime localtime ctime asctime

/* A shell between us and the program. Instead: core/proc.h. */
#pragma GCC poison system popen

/* A name that another can take before it is opened. Instead: mkostemp(), O_TMPFILE. */
#pragma GCC poison mktemp tmpnam tempnam
