/* SPDX-License-Identifier: Apache-2.0 */
/* What archive/reader.c, source_dir.c and unpack.c share. */
#pragma once

#include "archive/name_set.h"
#include "archive/plain.h"
#include "archive/reader.h"

/* Names in an archive; there are about ten for each process. */
#define MEMBERS_MAX ((size_t)1 << 20)
/* What is remembered of a pipe until it is unpacked. */
#define REMEMBERED_MAX ((uint64_t)64 << 20)

enum prefix { PREFIX_UNKNOWN, PREFIX_NONE, PREFIX_CONTAINERD };

/* A member whose content has been read from a pipe. */
struct remembered {
	struct archive_member member;
	char *data;
};

struct archive_reader {
	char *name;
	int fd; /* ours, or negative */
	struct archive_reader_options options;
	/* a tar */
	struct plain *plain;
	const uint8_t *piece;
	size_t piece_len;
	uint64_t position; /* of piece in the tar */
	uint64_t padding; /* behind the current member */
	enum prefix prefix;
	/* a directory */
	struct source_dir *dir;
	int member_fd;
	uint8_t *buffer;
	/* either */
	struct archive_member member; /* the current one */
	const char *data; /* its content, when it is remembered */
	uint64_t left; /* of its content */
	bool has_member;
	bool pending; /* it was met, and is still to be given */
	bool started; /* something has been given */
	bool ended;
	struct name_set names;
	uint64_t bytes; /* declared by all members so far */
	struct remembered *remembered;
	size_t n_remembered;
	size_t next_remembered;
	struct archive_unpack_result result;
};

/*
 * Content of the current member that is at hand: *ret_len 0 at its end. Valid until the next call; what is
 * used is passed over by reader_use().
 */
int reader_peek(struct archive_reader *reader, const uint8_t **ret, size_t *ret_len,
		struct err *err);
void reader_use(struct archive_reader *reader, size_t len);
/* Whether to decompress ahead of what is asked for. */
void reader_set_ahead(struct archive_reader *reader, bool ahead);

/* --- reader_tar.c --- */

/* Errors with the archive's name. */
int reader_invalid(const struct archive_reader *reader, struct err *err, const char *what);
int reader_truncated(const struct archive_reader *reader, struct err *err);
/* Have a piece with something in it: 1, 0 at the end. */
int reader_have_piece(struct archive_reader *reader, struct err *err);
void reader_use_piece(struct archive_reader *reader, size_t len);
/* Pass over bytes of the tar. */
int reader_pass_bytes(struct archive_reader *reader, uint64_t len, struct err *err);
/* The next member by its header becomes the current one: 1, 0 at the end. */
int reader_next_of_tar(struct archive_reader *reader, struct err *err);

/* --- reader.c --- */

/* Check a member and make it the current one: 1, 0 when it is only the root. raw is not clean. */
int reader_accept(struct archive_reader *reader, const char *raw, enum archive_member_type type,
		  const char *link, uint64_t size, struct err *err);
/* Pass over what is left of the current member and go to the next, of the tar or of the directory. */
int reader_next_from_source(struct archive_reader *reader, struct err *err);

/* --- source_dir.c --- */

struct source_dir;
/* fd is taken over. */
int source_dir_new(struct source_dir **ret, int fd, const char *name, struct err *err);
void source_dir_free(struct source_dir *dir);
void source_dir_rewind(struct source_dir *dir);
/* The next entry, documents first: 1, 0 at the end. *ret_fd: open, of a regular file. link: of a symlink,
 * owned by the caller. name is the directory's. */
int source_dir_next(struct source_dir *dir, const char **ret_name,
		    enum archive_member_type *ret_type, uint64_t *ret_size, char **ret_link,
		    int *ret_fd, struct err *err);
