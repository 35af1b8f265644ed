/* SPDX-License-Identifier: Apache-2.0 */
/* --filter KEY=VALUE of ps and of the commands that act on many containers. */
#pragma once

#include "core/strvec.h"
#include "engine/container.h"

/* 1 or 0; ERR_INVALID for a filter that there is none of. Values of one key are alternatives, keys must all
 * hold; of labels every one. */
int filter_matches(struct engine *e, const struct strvec *filters, const struct container *c,
		   struct err *err);
/*
 * The same for what has no filters here: matches() says of one filter whether it holds (1, 0 or an error). Values of one
 * key are alternatives but of label, label! and until. ERR_INVALID for a filter without a value.
 */
int filter_all(const struct strvec *filters,
	       int (*matches)(const char *filter, void *context, struct err *err), void *context,
	       struct err *err);
/* 1 or 0 for an extended regular expression; ERR_INVALID. */
int filter_regex(const char *pattern, const char *text, struct err *err);
/* "10m", RFC 3339 or seconds since the epoch: nanoseconds since the epoch. -EINVAL. */
int filter_parse_time(const char *text, int64_t *ret_ns);
/* The same of a point that ends something: a duration is from now on ("10m": in ten minutes). */
int filter_parse_end_time(const char *text, int64_t *ret_ns);
