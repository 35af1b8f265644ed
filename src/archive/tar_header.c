/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/tar_header.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/alloc.h"
#include "core/parse.h"
#include "core/str.h"

/* The block of POSIX ustar. */
struct ustar {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[8]; /* "ustar\0" "00", or GNU's "ustar  \0" */
	char uname[32];
	char gname[32];
	char major[8];
	char minor[8];
	char prefix[155];
	char rest[12];
};
_Static_assert(sizeof(struct ustar) == TAR_BLOCK, "a block of tar");

/* --- writing --- */

#define OCTAL_MAX(field) ((UINT64_C(1) << (3 * (sizeof(field) - 1))) - 1)

static void put_octal(char *field, size_t size, uint64_t value)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%0*" PRIo64, (int)size - 1, value);
	memcpy(field, text, size);
}
#define PUT_OCTAL(field, value)                                                                    \
	put_octal((field), sizeof(field), (value) <= OCTAL_MAX(field) ? (value) : 0)

static void put_text(char *field, size_t size, const char *text)
{
	size_t len = strlen(text);

	memcpy(field, text, MIN(len, size));
}

static void put_checksum(struct ustar *u)
{
	const uint8_t *p = (const uint8_t *)u;
	unsigned int sum = 0;

	memset(u->checksum, ' ', sizeof(u->checksum));
	for (size_t i = 0; i < sizeof(*u); i++)
		sum += p[i];
	put_octal(u->checksum, 7, sum);
	u->checksum[7] = ' ';
}

/* "LEN key=value\n", where LEN counts itself. */
static void add_record(struct strbuf *sb, const char *key, const void *value, size_t value_len)
{
	size_t rest = strlen(key) + value_len + 3;
	size_t len = rest;
	char digits[24];

	for (;;) {
		size_t n = (size_t)snprintf(digits, sizeof(digits), "%zu", len);

		if (rest + n == len)
			break;
		len = rest + n;
	}
	strbuf_addf(sb, "%s %s=", digits, key);
	strbuf_add(sb, value, value_len);
	strbuf_addc(sb, '\n');
}

static void add_number(struct strbuf *sb, const char *key, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	add_record(sb, key, text, strlen(text));
}

static void add_time(struct strbuf *sb, const struct timespec *t)
{
	char text[48];

	/* A time before 1970 has its fraction counted towards the past. */
	if (t->tv_sec < 0 && t->tv_nsec > 0)
		(void)snprintf(text, sizeof(text), "-%jd.%09ld", (intmax_t) - (t->tv_sec + 1),
			       1000000000L - t->tv_nsec);
	else if (t->tv_nsec > 0)
		(void)snprintf(text, sizeof(text), "%jd.%09ld", (intmax_t)t->tv_sec, t->tv_nsec);
	else
		(void)snprintf(text, sizeof(text), "%jd", (intmax_t)t->tv_sec);
	add_record(sb, "mtime", text, strlen(text));
}

/* What the plain block cannot say. */
static void add_records(struct strbuf *sb, const struct tar_header *h)
{
	static const struct ustar u;

	if (strlen(h->path) > sizeof(u.name))
		add_record(sb, "path", h->path, strlen(h->path));
	if (h->link && strlen(h->link) > sizeof(u.link))
		add_record(sb, "linkpath", h->link, strlen(h->link));
	if (h->size > OCTAL_MAX(u.size))
		add_number(sb, "size", h->size);
	if (h->uid > OCTAL_MAX(u.uid))
		add_number(sb, "uid", h->uid);
	if (h->gid > OCTAL_MAX(u.gid))
		add_number(sb, "gid", h->gid);
	if (h->mtime.tv_nsec != 0 || h->mtime.tv_sec < 0 ||
	    (uint64_t)h->mtime.tv_sec > OCTAL_MAX(u.mtime))
		add_time(sb, &h->mtime);
	for (size_t i = 0; i < h->n_xattrs; i++) {
		auto_free char *key = xasprintf("SCHILY.xattr.%s", h->xattrs[i].name);

		add_record(sb, key, h->xattrs[i].value, h->xattrs[i].len);
	}
}

static void add_block(struct strbuf *sb, const struct tar_header *h)
{
	struct ustar u = { .magic = "ustar" };

	memcpy(u.magic + 6, "00", 2);
	put_text(u.name, sizeof(u.name), h->path);
	put_text(u.link, sizeof(u.link), h->link ? h->link : "");
	PUT_OCTAL(u.mode, (uint64_t)h->mode & 07777);
	PUT_OCTAL(u.uid, (uint64_t)h->uid);
	PUT_OCTAL(u.gid, (uint64_t)h->gid);
	PUT_OCTAL(u.size, h->size);
	PUT_OCTAL(u.mtime, h->mtime.tv_sec < 0 ? 0 : (uint64_t)h->mtime.tv_sec);
	PUT_OCTAL(u.major, (uint64_t)h->major);
	PUT_OCTAL(u.minor, (uint64_t)h->minor);
	u.type = h->type;
	put_checksum(&u);
	strbuf_add(sb, &u, sizeof(u));
}

static void add_padding(struct strbuf *sb, size_t len)
{
	static const char zeroes[TAR_BLOCK];

	strbuf_add(sb, zeroes, tar_padded(len) - len);
}

void tar_header_format(struct strbuf *sb, const struct tar_header *header)
{
	auto_strbuf struct strbuf records = STRBUF_INIT;

	add_records(&records, header);
	if (records.len > 0) {
		auto_free char *name = xasprintf("PaxHeaders/%.80s", header->path);
		struct tar_header pax = {
			.path = name, .type = 'x', .mode = 0644, .size = records.len
		};

		/* A slash at the end would make a directory of it for some readers. */
		if (str_has_suffix(name, "/"))
			name[strlen(name) - 1] = '\0';
		add_block(sb, &pax);
		strbuf_add(sb, records.buf, records.len);
		add_padding(sb, records.len);
	}
	add_block(sb, header);
}

/* --- reading --- */

void tar_override_done(struct tar_override *override)
{
	free(override->path);
	free(override->link);
	*override = (struct tar_override){ 0 };
}

static int take_record(struct tar_override *o, const char *key, const char *value, size_t len)
{
	if (str_has_prefix(key, "GNU.sparse."))
		o->sparse = true;
	if (!str_eq(key, "path") && !str_eq(key, "linkpath") && !str_eq(key, "size"))
		return 0;
	/* Names end at a NUL for some readers and not for others. */
	if (memchr(value, '\0', len))
		return -EBADMSG;
	if (str_eq(key, "path")) {
		replace_ptr(o->path, xstrndup(value, len));
	} else if (str_eq(key, "linkpath")) {
		replace_ptr(o->link, xstrndup(value, len));
	} else {
		auto_free char *text = xstrndup(value, len);

		if (parse_u64(text, &o->size) < 0)
			return -EBADMSG;
		o->has_size = true;
	}
	return 0;
}

int tar_override_parse(struct tar_override *override, const char *text, size_t len)
{
	while (len > 0) {
		const char *space = memchr(text, ' ', MIN(len, (size_t)20));
		auto_free char *digits = space ? xstrndup(text, (size_t)(space - text)) : NULL;
		auto_free char *key = NULL;
		const char *equals;
		uint64_t n;
		int r;

		if (!digits || parse_u64(digits, &n) < 0 || n > len ||
		    n < (uint64_t)(space - text) + 4 || text[n - 1] != '\n')
			return -EBADMSG;
		equals = memchr(space, '=', n - (uint64_t)(space - text));
		if (!equals || memchr(space, '\0', (size_t)(equals - space)))
			return -EBADMSG;
		key = xstrndup(space + 1, (size_t)(equals - space - 1));
		r = take_record(override, key, equals + 1, (size_t)(text + n - 1 - (equals + 1)));
		if (r < 0)
			return r;
		text += n;
		len -= n;
	}
	return 0;
}

/* Octal with blanks or NULs around it, or GNU's big-endian binary number. */
static int get_number(const char *field, size_t size, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	if ((uint8_t)field[0] == 0x80) {
		for (i = 1; i < size; i++) {
			if (v >> 55)
				return -EBADMSG;
			v = v << 8 | (uint8_t)field[i];
		}
		*ret = v;
		return 0;
	}
	while (i < size && field[i] == ' ')
		i++;
	for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(field[i] - '0');
	for (; i < size; i++)
		if (field[i] != ' ' && field[i] != '\0')
			return -EBADMSG;
	*ret = v;
	return 0;
}

static bool checksum_is_right(const struct ustar *u)
{
	const uint8_t *p = (const uint8_t *)u;
	uint64_t want;
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(*u); i++) {
		size_t at = offsetof(struct ustar, checksum);

		sum += i >= at && i < at + sizeof(u->checksum) ? ' ' : p[i];
	}
	return get_number(u->checksum, sizeof(u->checksum), &want) == 0 && want == sum;
}

int tar_block_parse(struct tar_block *ret, const uint8_t block[static TAR_BLOCK])
{
	struct ustar u;
	int n;

	memcpy(&u, block, sizeof(u));
	if (block[0] == 0 && memcmp(block, block + 1, TAR_BLOCK - 1) == 0)
		return 0;
	if (!checksum_is_right(&u))
		return -EBADMSG;
	*ret = (struct tar_block){ .type = u.type ? u.type : '0' };
	if (get_number(u.size, sizeof(u.size), &ret->size) < 0)
		return -EBADMSG;
	if (memcmp(u.magic, "ustar\0", 6) == 0 && u.prefix[0])
		n = snprintf(ret->path, sizeof(ret->path), "%.155s/%.100s", u.prefix, u.name);
	else
		n = snprintf(ret->path, sizeof(ret->path), "%.100s", u.name);
	(void)snprintf(ret->link, sizeof(ret->link), "%.100s", u.link);
	return n > 0 && (size_t)n < sizeof(ret->path) ? 1 : -EBADMSG;
}
