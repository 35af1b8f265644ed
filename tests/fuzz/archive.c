/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads checkpoint archives that have been damaged in many ways: bits, lengths, names, types, links, members
 * twice and in another order, members of another archive, bombs, compressed and not, from a file and from a pipe. No
 * crash (build it with sanitizers), no hang, no file outside the directory that is unpacked into, no process.
 *
 *	fuzz-archive [-n COUNT] [-s SEED] [-v] [ARCHIVE...]
 *
 * Without an ARCHIVE it makes some itself. Case i is a function of SEED + i: `-s SEED+i -n 1` repeats it alone.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/codec.h"
#include "archive/inspect.h"
#include "archive/metadata.h"
#include "archive/reader.h"
#include "archive/tar_header.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/parse.h"
#include "core/str.h"
#include "core/strvec.h"

#define ESCAPE "floe-fuzz-escape"
#define MUTATIONS_MAX 6
#define CASE_SECONDS 120
/* Archives of the caller's that are larger are cut. */
#define SOURCE_MAX ((size_t)4 << 20)
#define UNPACKED_MAX ((uint64_t)64 << 20)

/* An entry of a tar with all its blocks. */
struct part {
	size_t start;
	size_t header; /* of the block that names it, from the start of the tar */
	size_t len;
};

struct source {
	struct strbuf tar;
	struct part *parts;
	size_t n_parts;
};

struct fuzz {
	uint64_t random;
	char path[64]; /* .../floe-fuzz.X, in which there is a/b/out */
	int fd; /* a/b */
	struct source *sources;
	size_t n_sources;
	bool verbose;
	uint64_t n_taken; /* archives that were read to their end */
};

/* --- chance --- */

static uint64_t next_random(struct fuzz *f)
{
	/* splitmix64 */
	uint64_t z = (f->random += 0x9e3779b97f4a7c15ULL);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static size_t below(struct fuzz *f, size_t n)
{
	return n ? (size_t)(next_random(f) % n) : 0;
}

static bool one_in(struct fuzz *f, size_t n)
{
	return below(f, n) == 0;
}

/* --- archives to begin with --- */

static void add_file(struct strbuf *sb, const char *name, const void *data, size_t len)
{
	static const char zeroes[TAR_BLOCK];
	const struct tar_header header = { .path = name, .type = '0', .mode = 0600, .size = len };

	tar_header_format(sb, &header);
	strbuf_add(sb, data, len);
	strbuf_add(sb, zeroes, tar_padded(len) - len);
}

static void add_other(struct strbuf *sb, const char *name, char type, const char *link)
{
	const struct tar_header header = { .path = name, .type = type, .mode = 0700, .link = link };

	tar_header_format(sb, &header);
}

static void add_end(struct strbuf *sb)
{
	static const char zeroes[TAR_END];

	strbuf_add(sb, zeroes, sizeof(zeroes));
}

static void add_inner(struct strbuf *sb, const char *name)
{
	auto_strbuf struct strbuf inner = STRBUF_INIT;

	add_other(&inner, "./", '5', NULL);
	add_file(&inner, "./file", "content", 7);
	add_other(&inner, "./hard", '1', "./file");
	add_other(&inner, "./soft", '2', "/etc");
	add_other(&inner, "./dir/", '5', NULL);
	add_file(&inner, "./dir/deep", "more", 4);
	add_end(&inner);
	add_file(sb, name, inner.buf, inner.len);
}

/* Images with magic numbers and entries, as far as is needed to get past the first checks. */
static void add_image(struct strbuf *sb, const char *name, const void *entry, uint32_t len)
{
	static const uint32_t magics[] = { 0x54564319U, 0x12345678U };
	auto_strbuf struct strbuf image = STRBUF_INIT;

	strbuf_add(&image, magics, sizeof(magics));
	strbuf_add(&image, &len, sizeof(len));
	strbuf_add(&image, entry, len);
	add_file(sb, name, image.buf, image.len);
}

static void add_images(struct strbuf *sb, const char *prefix)
{
	static const char *const names[] = { "core-1",	 "mm-1", "pagemap-1", "pstree",	  "files",
					     "fdinfo-1", "fs-1", "ids-1",     "inventory" };
	/* Field 1: 1, field 2: 0, field 3: a message with a state and a name. */
	static const char entry[] = "\x08\x01\x10\x00\x1a\x06\x08\x01\x32\x02sh";
	auto_free char *pages = xcalloc(1, 65536);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		auto_free char *name = xasprintf("%scheckpoint/%s.img", prefix, names[i]);

		add_image(sb, name, entry, sizeof(entry) - 1);
	}
	memset(pages, 'p', 10000);
	for (int i = 1; i < 3; i++) {
		auto_free char *name = xasprintf("%scheckpoint/pages-%d.img", prefix, i);

		add_file(sb, name, pages, 65536);
	}
}

static const char spec_text[] =
	"{\"ociVersion\":\"1.0.0\",\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"]},"
	"\"root\":{\"path\":\"/x\"},\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\"}],"
	"\"annotations\":{\"io.container.manager\":\"libpod\"}}";
static const char config_text[] = "{\"id\":\"0123456789abcdef\",\"name\":\"web\",\"rootfsImageID\":"
				  "\"1\",\"rootfsImageName\":\"bb:1\","
				  "\"namedVolumes\":[{\"volumeName\":\"v\",\"dest\":\"/"
				  "v\"}],\"newNetworks\":{\"podman\":{\"static_mac\":\"\"}},"
				  "\"runtime\":\"crun\",\"createdTime\":\"2026-01-01T00:00:00Z\"}";
static const char network_text[] = "{\"podman\":{\"interfaces\":{\"eth0\":{\"subnets\":[{\"ipnet\":"
				   "\"10.88.0.2/16\"}],\"mac_address\":\"qrvM3e7/\"}}}}";

static void make_source(struct source *source, const char *prefix)
{
	static const char *const texts[][2] = {
		{ "config.dump", config_text },
		{ "spec.dump", spec_text },
		{ "network.status", network_text },
		{ "deleted.files", "[\"/etc/x\"]" },
		{ "bind.mounts", "[{\"source\":\"/a\",\"destination\":\"/b\"}]" },
		{ "ctr.log", "tick 1\n" },
	};

	source->tar = (struct strbuf)STRBUF_INIT;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		auto_free char *name = xasprintf("%s%s", prefix, texts[i][0]);

		add_file(&source->tar, name, texts[i][1], strlen(texts[i][1]));
	}
	add_images(&source->tar, prefix);
	if (!*prefix) {
		add_inner(&source->tar, "devshm-checkpoint.tar");
		add_inner(&source->tar, "rootfs-diff.tar");
		add_inner(&source->tar, "volumes/v.tar");
		add_other(&source->tar, "checkpoint/parent", '2', "../pre-checkpoint");
		add_other(&source->tar, "pre-checkpoint/", '5', NULL);
	}
	add_end(&source->tar);
}

/* Where the entries are. */
static void find_parts(struct source *source)
{
	size_t at = 0;
	size_t start = 0;

	while (at + TAR_BLOCK <= source->tar.len) {
		struct tar_block block;
		struct part *part;
		size_t len;

		if (tar_block_parse(&block, (const uint8_t *)source->tar.buf + at) != 1)
			break;
		len = TAR_BLOCK + (size_t)MIN(tar_padded(block.size), (uint64_t)source->tar.len);
		if (!strchr("xgLK", block.type)) {
			part = array_push(source->parts, source->n_parts);
			*part = (struct part){ start, at, at + len - start };
			start = at + len;
		}
		at += len;
	}
	if (source->n_parts > 0 &&
	    source->parts[source->n_parts - 1].start + source->parts[source->n_parts - 1].len >
		    source->tar.len)
		source->n_parts--;
}

static void load_source(struct source *source, const char *path)
{
	auto_archive_reader struct archive_reader *reader = NULL;
	const struct archive_member *member;
	struct err err = ERR_INIT;
	int r = archive_reader_open(&reader, path, NULL, &err);

	source->tar = (struct strbuf)STRBUF_INIT;
	while (r == 0 && (r = archive_reader_next(reader, &member, &err)) > 0) {
		auto_free char *data = NULL;
		size_t len;

		r = 0;
		if (member->type != ARCHIVE_REGULAR) {
			add_other(&source->tar, member->name,
				  member->type == ARCHIVE_DIRECTORY ? '5' : '2',
				  "../pre-checkpoint");
			continue;
		}
		if (member->size > SOURCE_MAX)
			continue;
		r = archive_reader_slurp(reader, SOURCE_MAX, &data, &len, &err);
		if (r == 0)
			add_file(&source->tar, member->name, data, len);
	}
	if (r < 0) {
		fprintf(stderr, "fuzz-archive: %s\n", err.msg);
		exit(2);
	}
	add_end(&source->tar);
}

/* --- damage --- */

static void fix_checksum(char *block)
{
	unsigned int sum = 0;

	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += (uint8_t)block[i];
	(void)snprintf(block + 148, 8, "%06o", sum);
}

static void set_name(struct fuzz *f, char *block)
{
	static const char *const names[] = {
		"../" ESCAPE,
		"../../" ESCAPE,
		"/" ESCAPE,
		"/tmp/" ESCAPE,
		"checkpoint/../../" ESCAPE,
		"volumes/../../" ESCAPE ".tar",
		"artifacts/" ESCAPE,
		"artifacts/link",
		"artifacts/link/" ESCAPE,
		"checkpoint/parent/" ESCAPE,
		"checkpoint",
		"checkpoint/",
		"./",
		"",
		".",
		"..",
		"config.dump",
		"ctrd-checkpoint",
		"ctrd-checkpoint/config.dump",
		"checkpoint/pages-1.img",
		"volumes/.tar",
		"volumes/a.tar",
		"rootfs-diff.tar",
		"dir/deep/" ESCAPE,
		"soft/" ESCAPE,
		"hard",
	};

	memset(block, 0, 100);
	(void)snprintf(block, 100, "%s", names[below(f, ARRAY_SIZE(names))]);
}

static void set_link(struct fuzz *f, char *block)
{
	static const char *const links[] = {
		"/",	       "/etc", "..", "../..", "../" ESCAPE, "/" ESCAPE, "../pre-checkpoint",
		"config.dump", "soft", ""
	};

	memset(block + 157, 0, 100);
	(void)snprintf(block + 157, 100, "%s", links[below(f, ARRAY_SIZE(links))]);
}

static void set_size(struct fuzz *f, char *block)
{
	static const char *const sizes[] = { "77777777777", "00000000000", "00000000001",
					     "00000001000", "37777777777", "-0000000001",
					     "00040000000", "0x000000000" };

	if (one_in(f, 4)) {
		memset(block + 124, 0xff, 12);
		block[124] = (char)0x80;
	} else {
		memcpy(block + 124, sizes[below(f, ARRAY_SIZE(sizes))], 11);
	}
}

/* Change a header of the tar; its checksum is right again, mostly. */
static void damage_header(struct fuzz *f, char *block)
{
	static const char types[] = "01234567xgLKSV\0Z";

	switch (below(f, 6)) {
	case 0:
		set_name(f, block);
		break;
	case 1:
		block[156] = types[below(f, sizeof(types))];
		if (one_in(f, 2))
			set_link(f, block);
		break;
	case 2:
		set_size(f, block);
		break;
	case 3:
		set_name(f, block);
		block[156] = types[below(f, 7)];
		set_link(f, block);
		break;
	case 4:
		block[below(f, TAR_BLOCK)] ^= (char)(1 << below(f, 8));
		break;
	default:
		for (size_t i = below(f, 20); i > 0; i--)
			block[below(f, TAR_BLOCK)] = (char)next_random(f);
		break;
	}
	if (!one_in(f, 8))
		fix_checksum(block);
}

static void flip_bits(struct fuzz *f, char *data, size_t len)
{
	for (size_t i = 1 + below(f, 8); i > 0 && len > 0; i--)
		data[below(f, len)] ^= (char)(1 << below(f, 8));
}

/* Any block: headers within the inner tars are among them, and so is JSON. */
static void damage_block(struct fuzz *f, struct strbuf *tar)
{
	size_t n = tar->len / TAR_BLOCK;
	char *block = n ? tar->buf + below(f, n) * TAR_BLOCK : NULL;

	if (!block)
		return;
	if (memcmp(block + 257, "ustar", 5) == 0)
		damage_header(f, block);
	else
		flip_bits(f, block, TAR_BLOCK);
}

/* The tar anew, from parts in another order, some left out, some twice, some of another archive. */
static void shuffle(struct fuzz *f, const struct source *source, struct strbuf *ret)
{
	size_t n = source->n_parts;
	size_t from = below(f, n);
	size_t to = below(f, n);

	for (size_t i = 0; i < n; i++) {
		const struct part *part = &source->parts[i == from ? to : i];

		if (i == to && one_in(f, 3))
			continue;
		strbuf_add(ret, source->tar.buf + part->start, part->len);
		if (i == to && one_in(f, 2))
			strbuf_add(ret, source->tar.buf + part->start, part->len);
	}
	if (one_in(f, 3)) {
		const struct source *other = &f->sources[below(f, f->n_sources)];
		const struct part *part = &other->parts[below(f, other->n_parts)];

		strbuf_add(ret, other->tar.buf + part->start, part->len);
	}
	if (!one_in(f, 8))
		add_end(ret);
}

static void make_tar(struct fuzz *f, struct strbuf *ret)
{
	const struct source *source = &f->sources[below(f, f->n_sources)];

	if (one_in(f, 3))
		shuffle(f, source, ret);
	else
		strbuf_add(ret, source->tar.buf, source->tar.len);
	for (size_t i = below(f, MUTATIONS_MAX); i > 0; i--) {
		if (one_in(f, 2) && source->n_parts > 0) {
			size_t at = source->parts[below(f, source->n_parts)].header;

			if (at + TAR_BLOCK <= ret->len)
				damage_header(f, ret->buf + at);
		} else {
			damage_block(f, ret);
		}
	}
}

/* --- compression --- */

static void pack(struct fuzz *f, const struct strbuf *tar, struct strbuf *ret)
{
	enum archive_codec kind = one_in(f, 2) ? ARCHIVE_CODEC_ZSTD : ARCHIVE_CODEC_GZIP;
	struct codec_index index = { 0 };
	struct codec codec = { 0 };
	size_t step = 512 + below(f, tar->len + 1);

	for (size_t at = 0; at < tar->len; at += step) {
		size_t len = MIN(step, tar->len - at);

		if (codec_compress(&codec, kind, 1, (const uint8_t *)tar->buf + at, len) < 0)
			abort();
		strbuf_add(ret, codec.out, codec.len);
		codec_index_add(&index, codec.len, len);
	}
	/* A table that does not fit, now and then. */
	if (one_in(f, 6) && index.n > 0)
		index.v[below(f, index.n)].content_len += (uint32_t)below(f, 5000);
	if (one_in(f, 6) && index.n > 1)
		index.v[below(f, index.n - 1)].piece_len -= 1;
	if (!one_in(f, 4))
		codec_index_format(&index, kind, ret);
	codec_index_done(&index);
	codec_done(&codec);
}

/* A member that is much larger than the archive. */
static void make_bomb(struct fuzz *f, struct strbuf *ret)
{
	enum archive_codec kind = one_in(f, 2) ? ARCHIVE_CODEC_ZSTD : ARCHIVE_CODEC_GZIP;
	const size_t step = (size_t)4 << 20;
	auto_free uint8_t *zeroes = xcalloc(1, step);
	auto_strbuf struct strbuf head = STRBUF_INIT;
	const struct tar_header header = { .path = "checkpoint/pages-1.img",
					   .type = '0',
					   .mode = 0600,
					   .size = (uint64_t)step << below(f, 16) };
	struct codec codec = { 0 };

	tar_header_format(&head, &header);
	if (codec_compress(&codec, kind, 1, (const uint8_t *)head.buf, head.len) == 0)
		strbuf_add(ret, codec.out, codec.len);
	if (codec_compress(&codec, kind, 1, zeroes, step) == 0)
		for (size_t i = 64 + below(f, 200); i > 0; i--)
			strbuf_add(ret, codec.out, codec.len);
	codec_done(&codec);
}

static void make_case(struct fuzz *f, struct strbuf *ret)
{
	auto_strbuf struct strbuf tar = STRBUF_INIT;

	if (one_in(f, 64)) {
		make_bomb(f, ret);
		return;
	}
	make_tar(f, &tar);
	if (one_in(f, 2))
		strbuf_add(ret, tar.buf, tar.len);
	else
		pack(f, &tar, ret);
	if (one_in(f, 4))
		flip_bits(f, ret->buf, ret->len);
	if (one_in(f, 8))
		strbuf_truncate(ret, below(f, ret->len + 1));
	if (one_in(f, 16))
		strbuf_add(ret, tar.buf, MIN(tar.len, below(f, 2000)));
}

/* --- reading --- */

struct feeder {
	int fd;
	const struct strbuf *data;
};

static void *feed(void *context)
{
	struct feeder *feeder = context;

	(void)io_write_all(feeder->fd, feeder->data->buf, feeder->data->len);
	(void)close(feeder->fd);
	return NULL;
}

static int take_inner(void *context, const struct archive_member *member UNUSED,
		      struct tar_reader *tar, struct err *err)
{
	struct fuzz *f = context;
	static const struct archive_inner_options options = { .max_bytes = UNPACKED_MAX };
	auto_rooted struct rooted root = ROOTED_INIT;
	int r;

	(void)mkdirat(f->fd, "inner", 0700);
	r = rooted_open(&root, f->fd, "inner");
	if (r == 0)
		r = archive_unpack_inner(tar, &root, &options, err);
	return r < 0 ? r : 1;
}

static void parse_documents(const struct archive_documents *documents)
{
	const struct archive_document *d = documents->v;
	auto_strvec struct strvec deleted = STRVEC_INIT;
	struct archive_config config;
	struct network_status status;
	struct archive_bind_mounts mounts;
	struct err err = ERR_INIT;

	if (d[ARCHIVE_CONFIG].text &&
	    archive_config_parse(&config, d[ARCHIVE_CONFIG].text, d[ARCHIVE_CONFIG].len,
				 "config.dump", &err) == 0) {
		free(archive_config_format(&config));
		archive_config_done(&config);
	}
	if (archive_network_status_parse(&status, d[ARCHIVE_NETWORK_STATUS].text,
					 d[ARCHIVE_NETWORK_STATUS].len, NULL, 0, &err) == 0)
		network_status_done(&status);
	(void)archive_deleted_parse(&deleted, d[ARCHIVE_DELETED_FILES].text,
				    d[ARCHIVE_DELETED_FILES].len, &err);
	if (archive_bind_mounts_parse(&mounts, d[ARCHIVE_BIND_MOUNTS].text,
				      d[ARCHIVE_BIND_MOUNTS].len, &err) == 0)
		archive_bind_mounts_done(&mounts);
}

static void check_err(int r, const struct err *err)
{
	/* A failure says why. */
	if (r < 0 && !err_is_set(err)) {
		fprintf(stderr, "fuzz-archive: a failure (%d) without a reason\n", r);
		abort();
	}
}

static void read_case(struct fuzz *f, int fd)
{
	static const struct archive_reader_options options = { .max_bytes = UNPACKED_MAX,
							       .threads = 2 };
	const struct archive_unpack_options unpack_options = { .inner = one_in(f, 2) ? take_inner :
										       NULL,
							       .context = f };
	auto_archive_documents struct archive_documents documents = { 0 };
	auto_archive_reader struct archive_reader *reader = NULL;
	auto_archive_report struct archive_report *report = NULL;
	auto_close int out = fd_open_at(f->fd, "out", O_RDONLY | O_DIRECTORY, 0);
	struct err err = ERR_INIT;
	int r = archive_reader_open_fd(&reader, fd, "case", &options, &err);

	if (r == 0 && one_in(f, 3)) {
		r = archive_inspect(&report, reader, ARCHIVE_INSPECT_ALL, &err);
		check_err(r, &err);
		if (r == 0)
			free(archive_report_to_tree(report, "case"));
	} else if (r == 0) {
		if (!one_in(f, 4))
			r = archive_reader_documents(reader, &documents, &err);
		parse_documents(&documents);
		if (r == 0)
			r = archive_reader_unpack(reader, out, &unpack_options, NULL, &err);
	}
	check_err(r, &err);
	f->n_taken += r == 0;
	if (f->verbose)
		printf("%s\n", r < 0 ? err.msg : "taken");
}

static void run_case(struct fuzz *f)
{
	auto_strbuf struct strbuf data = STRBUF_INIT;

	make_case(f, &data);
	if (mkdirat(f->fd, "out", 0700) < 0)
		abort();
	if (one_in(f, 3)) {
		struct feeder feeder = { .data = &data };
		pthread_t thread;
		int fds[2];

		if (pipe2(fds, O_CLOEXEC) < 0)
			abort();
		feeder.fd = fds[1];
		if (pthread_create(&thread, NULL, feed, &feeder) != 0)
			abort();
		read_case(f, fds[0]);
		(void)close(fds[0]);
		(void)pthread_join(thread, NULL);
	} else {
		auto_close int fd = memfd_create("case", MFD_CLOEXEC);

		if (fd < 0 || io_write_all(fd, data.buf, data.len) < 0 ||
		    lseek(fd, 0, SEEK_SET) < 0)
			abort();
		read_case(f, fd);
	}
}

/* --- what must not have happened --- */

static bool holds_only(int dir_fd, const char *path, const char *a, const char *b)
{
	auto_close int fd = fd_open_at(dir_fd, path, O_RDONLY | O_DIRECTORY, 0);
	auto_strvec struct strvec names = STRVEC_INIT;

	if (fd < 0 || fs_list(fd, ".", &names) < 0)
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (!str_eq(names.v[i], a) && !str_eq(names.v[i], b))
			return false;
	return true;
}

static bool is_contained(const struct fuzz *f)
{
	return holds_only(f->fd, ".", "out", "inner") && holds_only(f->fd, "..", "b", "b") &&
	       holds_only(f->fd, "../..", "a", "a") && !fs_exists(AT_FDCWD, "/" ESCAPE) &&
	       !fs_exists(AT_FDCWD, "/tmp/" ESCAPE) && !fs_exists(AT_FDCWD, "/etc/" ESCAPE);
}

/* A process would be the end of this one; threads are fine. */
static void forbid_processes(void)
{
	static const int calls[] = { SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork),
				     SCMP_SYS(vfork) };
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (!filter)
		abort();
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		(void)seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, calls[i], 0);
	(void)seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
			       SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_VM, 0));
	/* Its flags are out of reach; the C library goes on to clone(2). */
	(void)seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (seccomp_load(filter) < 0)
		abort();
	seccomp_release(filter);
}

static void make_room(struct fuzz *f)
{
	(void)snprintf(f->path, sizeof(f->path), "%s/floe-fuzz.XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(f->path))
		abort();
	f->fd = fd_open_at(AT_FDCWD, f->path, O_RDONLY | O_DIRECTORY, 0);
	if (f->fd < 0 || mkdirat(f->fd, "a", 0700) < 0 || mkdirat(f->fd, "a/b", 0700) < 0)
		abort();
	(void)close(f->fd);
	{
		auto_free char *path = xasprintf("%s/a/b", f->path);

		f->fd = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	}
	if (f->fd < 0)
		abort();
}

static void load_sources(struct fuzz *f, char *const *paths, size_t n)
{
	f->n_sources = n ? n : 2;
	f->sources = xcalloc(f->n_sources, sizeof(*f->sources));
	for (size_t i = 0; i < f->n_sources; i++) {
		if (n)
			load_source(&f->sources[i], paths[i]);
		else
			make_source(&f->sources[i], i ? "ctrd-checkpoint/" : "");
		find_parts(&f->sources[i]);
		if (f->sources[i].n_parts == 0)
			abort();
	}
}

static int run_all(struct fuzz *f, uint64_t seed, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		f->random = seed + i;
		/* Who hangs is killed, and the last line says which case it was. */
		(void)alarm(CASE_SECONDS);
		if (f->verbose)
			fprintf(stderr, "case %llu\n", (unsigned long long)(seed + i));
		run_case(f);
		if (!is_contained(f)) {
			fprintf(stderr, "fuzz-archive: case %llu wrote outside of its directory\n",
				(unsigned long long)(seed + i));
			return 1;
		}
		if (fs_remove_tree(f->fd, "out") < 0 || fs_remove_tree(f->fd, "inner") < 0)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct fuzz f = { 0 };
	uint64_t count = 300;
	uint64_t seed = 1;
	int option;
	int r;

	while ((option = getopt(argc, argv, "n:s:v")) != -1) {
		if (option == 'v')
			f.verbose = true;
		else if (option == '?' || parse_u64(optarg, option == 'n' ? &count : &seed) < 0)
			return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	load_sources(&f, argv + optind, (size_t)(argc - optind));
	make_room(&f);
	forbid_processes();
	r = run_all(&f, seed, count);
	(void)close(f.fd);
	if (fs_remove_tree(AT_FDCWD, f.path) < 0)
		r = 1;
	for (size_t i = 0; i < f.n_sources; i++) {
		strbuf_done(&f.sources[i].tar);
		free(f.sources[i].parts);
	}
	free(f.sources);
	printf("%llu damaged archives read, %llu of them to their end\n", (unsigned long long)count,
	       (unsigned long long)f.n_taken);
	return r;
}
