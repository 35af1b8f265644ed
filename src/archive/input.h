/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is read of a file or pipe to find out how it is compressed, and where its independent parts (frames of zstd, members of
 * gzip that say how long they are) begin and end. It is at hand until it is used.
 */
#pragma once

#include "archive/codec.h"
#include "archive/sequential.h"
#include "core/strbuf.h"

struct input {
	int fd; /* borrowed */
	const char *name; /* for errors; borrowed */
	struct strbuf buffer;
	size_t used; /* of the buffer */
	uint64_t consumed; /* bytes read from fd */
	bool ended;
};

/* Have at least `want` bytes at hand, unless it ends before. */
int input_fill(struct input *in, size_t want, struct err *err);
size_t input_len(const struct input *in);
const uint8_t *input_data(const struct input *in);
void input_use(struct input *in, size_t len);

/* By what is at hand: its first INPUT_MAGIC_MAX bytes. */
#define INPUT_MAGIC_MAX 6
enum format input_detect(const struct input *in);
/*
 * The next part of ZSTD or GZIP, at hand as a whole: 1; 0: the end, or, with *ret_sequential, what can only be decompressed in
 * one go. ERR_CORRUPT.
 */
int input_next_part(struct input *in, enum format format, struct codec_entry *ret,
		    bool *ret_sequential, struct err *err);

/* To begin anew, at another position of fd. */
void input_clear(struct input *in);
/* Drop what is at hand. */
void input_done(struct input *in);
