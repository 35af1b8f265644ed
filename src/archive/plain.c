/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/plain.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/codec.h"
#include "archive/input.h"
#include "archive/ring.h"
#include "archive/sequential.h"
#include "core/alloc.h"
#include "core/io.h"

#define RAW_PIECE ((uint32_t)1 << 20)
#define AGAIN_THREADS_MAX 4
#define SEQUENTIAL_PIECE ((size_t)1 << 20)

enum mode { MODE_INDEXED, MODE_FRAMES, MODE_SEQUENTIAL };

struct piece {
	struct plain *plain;
	struct codec codec; /* the result */
	uint8_t *in;
	size_t in_capacity;
	struct codec_entry entry;
	bool read; /* the worker is to read it from the file */
	bool stored; /* it is not compressed */
	int error;
};

struct plain {
	int fd;
	char *name;
	enum format format;
	enum mode mode;
	unsigned int threads;
	bool ahead;
	bool is_file;
	uint64_t start; /* offset of the first byte in the file */
	uint64_t size; /* bytes from there; 0: not known */
	struct ring *ring;
	const struct piece *given; /* the oldest piece, which the caller has */
	/* INDEXED */
	struct codec_index index;
	bool index_is_borrowed;
	size_t next_entry;
	uint64_t skip_to; /* begin within the next piece at this byte */
	/* FRAMES; what is left of it afterwards goes to the sequential decoder */
	struct input input;
	bool ended;
	bool to_sequential;
	struct sequential *sequential;
};

static const char *const format_names[] = {
	[FORMAT_NONE] = "none",	  [FORMAT_ZSTD] = "zstd", [FORMAT_GZIP] = "gzip",
	[FORMAT_BZIP2] = "bzip2", [FORMAT_XZ] = "xz",
};

static enum archive_codec codec_of(const struct plain *p)
{
	return p->format == FORMAT_ZSTD ? ARCHIVE_CODEC_ZSTD :
	       p->format == FORMAT_GZIP ? ARCHIVE_CODEC_GZIP :
					  ARCHIVE_CODEC_NONE;
}

static int corrupt(const struct plain *p, struct err *err)
{
	return err_set(err, ERR_CORRUPT, "read archive '%s': it is damaged or truncated", p->name);
}

/* --- in the workers --- */

static void reserve_in(struct piece *piece, size_t len)
{
	if (piece->in_capacity >= len)
		return;
	free(piece->in);
	piece->in = xmalloc(len);
	piece->in_capacity = len;
}

static int read_piece(struct piece *piece, uint8_t *to)
{
	int r = io_pread_exact(piece->plain->fd, to, piece->entry.piece_len, piece->entry.offset);

	return r == 0 ? -EBADMSG : MIN(r, 0);
}

static void run_piece(void *slot)
{
	struct piece *piece = slot;
	const struct codec_entry *entry = &piece->entry;

	piece->error = 0;
	if (piece->stored) {
		reserve_in(piece, entry->piece_len);
		piece->codec.len = entry->piece_len;
		piece->error = read_piece(piece, piece->in);
		return;
	}
	if (piece->read && piece->plain->format == FORMAT_ZSTD) {
		int r = codec_read_stored(&piece->codec, piece->plain->fd, entry->offset,
					  entry->piece_len, entry->content_len);

		if (r != 0) {
			piece->error = MIN(r, 0);
			return;
		}
	}
	if (piece->read) {
		reserve_in(piece, entry->piece_len);
		piece->error = read_piece(piece, piece->in);
	}
	if (piece->error == 0)
		piece->error = codec_decompress(&piece->codec, codec_of(piece->plain), piece->in,
						entry->piece_len, entry->content_len);
}

static void run_sequential(void *slot)
{
	struct piece *piece = slot;

	reserve_in(piece, SEQUENTIAL_PIECE);
	piece->error = sequential_read(piece->plain->sequential, piece->in, SEQUENTIAL_PIECE,
				       &piece->codec.len);
}

static void piece_done(void *slot)
{
	struct piece *piece = slot;

	codec_done(&piece->codec);
	free(piece->in);
}

/* --- FRAMES --- */

/* Fill the claimed slot with the next part: 1, 0 when there is none. */
static int next_frame(struct plain *p, struct piece *piece, struct err *err)
{
	int r = input_next_part(&p->input, p->format, &piece->entry, &p->to_sequential, err);

	if (r <= 0)
		return r;
	reserve_in(piece, piece->entry.piece_len);
	memcpy(piece->in, input_data(&p->input), piece->entry.piece_len);
	input_use(&p->input, piece->entry.piece_len);
	piece->read = false;
	piece->stored = false;
	return 1;
}

/* --- INDEXED --- */

static uint64_t n_entries(const struct plain *p)
{
	return p->format == FORMAT_NONE ? (p->size + RAW_PIECE - 1) / RAW_PIECE : p->index.n;
}

static struct codec_entry entry_at(const struct plain *p, size_t i)
{
	struct codec_entry entry = { 0 };

	if (p->format != FORMAT_NONE)
		return p->index.v[i];
	entry.content = (uint64_t)i * RAW_PIECE;
	entry.offset = p->start + entry.content;
	entry.piece_len = (uint32_t)MIN((uint64_t)RAW_PIECE, p->size - entry.content);
	entry.content_len = entry.piece_len;
	return entry;
}

static int next_entry(struct plain *p, struct piece *piece)
{
	if (p->next_entry >= n_entries(p))
		return 0;
	piece->entry = entry_at(p, p->next_entry++);
	piece->read = true;
	piece->stored = p->format == FORMAT_NONE;
	return 1;
}

/* The first entry that ends behind offset. */
static size_t entry_of(const struct plain *p, uint64_t offset)
{
	size_t low = 0;
	size_t high = (size_t)n_entries(p);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct codec_entry entry = entry_at(p, middle);

		if (entry.content + entry.content_len <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void release_given(struct plain *p)
{
	if (!p->given)
		return;
	ring_release(p->ring);
	p->given = NULL;
}

void plain_seek(struct plain *p, uint64_t offset)
{
	const struct piece *piece;

	release_given(p);
	p->skip_to = offset;
	while (ring_pending(p->ring) > 0) {
		piece = ring_wait(p->ring);
		if (offset >= piece->entry.content &&
		    offset < piece->entry.content + piece->entry.content_len)
			return;
		ring_release(p->ring);
	}
	p->next_entry = entry_of(p, offset);
	p->ended = false;
}

/* --- either --- */

static void new_ring(struct plain *p)
{
	unsigned int n = p->mode == MODE_SEQUENTIAL ? 1 : ring_threads(p->threads);

	ring_free(p->ring, piece_done);
	p->ring = ring_new(n, ring_slots(n), sizeof(struct piece),
			   p->mode == MODE_SEQUENTIAL ? run_sequential : run_piece);
	p->given = NULL;
}

static int begin_sequential(struct plain *p, struct err *err)
{
	int r;

	p->mode = MODE_SEQUENTIAL;
	p->to_sequential = false;
	new_ring(p);
	sequential_free(p->sequential);
	p->sequential = NULL;
	r = sequential_new(&p->sequential, p->fd, p->format, input_data(&p->input),
			   input_len(&p->input), err);
	input_done(&p->input);
	return r;
}

/* Give the workers what there is to do. */
static int submit(struct plain *p, struct err *err)
{
	struct piece *piece;

	while (!p->ended && !p->to_sequential && (p->ahead || ring_pending(p->ring) == 0) &&
	       (piece = ring_claim(p->ring))) {
		int r = 1;

		piece->plain = p;
		if (p->mode == MODE_INDEXED)
			r = next_entry(p, piece);
		else if (p->mode == MODE_FRAMES)
			r = next_frame(p, piece, err);
		if (r < 0)
			return r;
		if (r == 0) {
			p->ended = !p->to_sequential;
			break;
		}
		ring_submit(p->ring);
	}
	return 0;
}

static int failed(const struct plain *p, const struct piece *piece, struct err *err)
{
	if (p->mode == MODE_SEQUENTIAL)
		return sequential_fail(p->sequential, piece->error, p->name, err);
	if (piece->error == -EBADMSG)
		return corrupt(p, err);
	return err_sys(err, piece->error, "read archive '%s'", p->name);
}

int plain_next(struct plain *p, const uint8_t **ret, size_t *ret_len, struct err *err)
{
	for (;;) {
		const struct piece *piece;
		uint64_t skip = 0;
		int r;

		release_given(p);
		r = submit(p, err);
		if (r < 0)
			return r;
		if (p->to_sequential && ring_pending(p->ring) == 0) {
			r = begin_sequential(p, err);
			if (r < 0)
				return r;
			continue;
		}
		piece = ring_wait(p->ring);
		if (!piece)
			return 0;
		if (piece->error < 0)
			return failed(p, piece, err);
		p->given = piece;
		if (p->mode == MODE_SEQUENTIAL && piece->codec.len == 0) {
			p->ended = true;
			continue;
		}
		if (p->mode == MODE_INDEXED && p->skip_to > piece->entry.content)
			skip = MIN(p->skip_to - piece->entry.content, (uint64_t)piece->codec.len);
		if (skip == piece->codec.len)
			continue;
		*ret = (piece->stored || p->mode == MODE_SEQUENTIAL ? piece->in :
								      piece->codec.out) +
		       skip;
		*ret_len = piece->codec.len - (size_t)skip;
		return 1;
	}
}

/* --- life cycle --- */

/* Choose how to read from the beginning, which is at the descriptor's position. */
static int begin(struct plain *p, struct err *err)
{
	int r = input_fill(&p->input, INPUT_MAGIC_MAX, err);

	if (r < 0)
		return r;
	p->format = input_detect(&p->input);
	p->mode = p->format == FORMAT_ZSTD || p->format == FORMAT_GZIP ? MODE_FRAMES :
									 MODE_SEQUENTIAL;
	if (p->is_file) {
		r = p->format == FORMAT_NONE ? 1 :
		    p->mode == MODE_FRAMES   ? codec_index_load(&p->index, p->fd, p->start,
								p->start + p->size, codec_of(p)) :
					       0;
		if (r < 0)
			return err_sys(err, r, "read archive '%s'", p->name);
		if (r == 1)
			p->mode = MODE_INDEXED;
	}
	if (p->mode == MODE_SEQUENTIAL)
		return begin_sequential(p, err);
	new_ring(p);
	return 0;
}

int plain_open(struct plain **ret, int fd, const char *name, unsigned int threads, struct err *err)
{
	struct plain *p = xcalloc(1, sizeof(*p));
	off_t start = lseek(fd, 0, SEEK_CUR);
	struct stat st;
	int r;

	p->fd = fd;
	p->name = xstrdup(name);
	p->threads = threads;
	p->input = (struct input){ .fd = fd, .name = p->name, .buffer = STRBUF_INIT };
	if (start >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		p->is_file = true;
		p->start = (uint64_t)start;
		p->size = st.st_size > start ? (uint64_t)(st.st_size - start) : 0;
	}
	r = begin(p, err);
	if (r < 0)
		plain_close(p);
	else
		*ret = p;
	return r;
}

struct plain *plain_again(const struct plain *p)
{
	struct plain *again = xcalloc(1, sizeof(*again));

	again->fd = p->fd;
	again->name = xstrdup(p->name);
	again->format = p->format;
	again->mode = p->mode;
	/* There may be several beside each other. */
	again->threads = MIN(ring_threads(p->threads), (unsigned int)AGAIN_THREADS_MAX);
	again->is_file = p->is_file;
	again->start = p->start;
	again->size = p->size;
	again->index = p->index;
	again->index_is_borrowed = true;
	again->input = (struct input){ .fd = p->fd, .name = again->name, .buffer = STRBUF_INIT };
	new_ring(again);
	return again;
}

int plain_rewind(struct plain *p, struct err *err)
{
	if (!p->is_file)
		return err_set(err, ERR_UNSUPPORTED,
			       "read archive '%s': a pipe cannot be read twice", p->name);
	if (p->mode == MODE_INDEXED) {
		plain_seek(p, 0);
		return 0;
	}
	ring_free(p->ring, piece_done);
	p->ring = NULL;
	p->given = NULL;
	input_clear(&p->input);
	p->ended = p->to_sequential = false;
	if (lseek(p->fd, (off_t)p->start, SEEK_SET) < 0)
		return err_sys(err, -errno, "read archive '%s'", p->name);
	return begin(p, err);
}

void plain_close(struct plain *p)
{
	if (!p)
		return;
	ring_free(p->ring, piece_done);
	sequential_free(p->sequential);
	if (!p->index_is_borrowed)
		codec_index_done(&p->index);
	input_done(&p->input);
	free(p->name);
	free(p);
}

bool plain_can_seek(const struct plain *p)
{
	return p->mode == MODE_INDEXED;
}

bool plain_can_rewind(const struct plain *p)
{
	return p->is_file;
}

void plain_set_ahead(struct plain *p, bool ahead)
{
	p->ahead = ahead;
}

const char *plain_format(const struct plain *p)
{
	return format_names[p->format];
}

uint64_t plain_consumed(const struct plain *p)
{
	if (p->is_file)
		return p->size;
	return p->input.consumed + (p->sequential ? sequential_consumed(p->sequential) : 0);
}

void plain_drain(struct plain *p)
{
	char buffer[16384];

	if (p->is_file)
		return;
	/* Nobody else reads from it any more. */
	ring_free(p->ring, piece_done);
	p->ring = NULL;
	p->given = NULL;
	p->ended = true;
	new_ring(p);
	while (RETRY_EINTR(read(p->fd, buffer, sizeof(buffer))) > 0)
		;
}
