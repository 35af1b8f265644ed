/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/seccomp/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/strbuf.h"
#include "core/strvec.h"

#define CACHE_DIR ".cache"
#define FILTERS_DIR CACHE_DIR "/seccomp"
#define FORMAT_VERSION 1 /* of the file, and of how filters are compiled: count up with either */
#define KEY_SIZE_MAX (4U << 20)

/* Followed by the key and the instructions. */
struct cache_header {
	char magic[8];
	uint32_t key_len;
	uint32_t n_insns;
	uint64_t
		checksum; /* of key and instructions: a crash may leave a file that is not written out */
};

static const char magic[8] = { 'F', 'L', 'O', 'E', 'S', 'C', 'M', 'P' };

/* FNV-1a by words of 8 bytes: spreads names and notices damage; nothing relies on more. */
static uint64_t hash(uint64_t seed, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (; len > 0; len -= MIN(len, sizeof(uint64_t))) {
		uint64_t word = 0;

		(void)memcpy(&word, bytes, MIN(len, sizeof(word)));
		seed = (seed ^ word) * UINT64_C(0x100000001b3);
		seed ^= seed >> 32;
		bytes += MIN(len, sizeof(word));
	}
	return seed;
}

#define HASH_SEED UINT64_C(0xcbf29ce484222325)

/* ---- the key: nothing in it can be read in two ways, so that no two profiles have the same ---- */

/* With the NUL, which is not in any string. */
static void add_string(struct strbuf *sb, const char *s)
{
	if (s)
		strbuf_add(sb, s, strlen(s) + 1);
	else
		strbuf_add(sb, "\1absent", sizeof("\1absent"));
}

static void add_strings(struct strbuf *sb, char *const *v, size_t n)
{
	strbuf_addf(sb, "%zu[", n);
	for (size_t i = 0; i < n; i++)
		add_string(sb, v[i]);
	strbuf_adds(sb, "]");
}

static void add_errno(struct strbuf *sb, const struct opt_u32 *value)
{
	if (value->set)
		strbuf_addf(sb, "%" PRIu32 ";", value->v);
	else
		strbuf_adds(sb, "-;");
}

static void add_syscall(struct strbuf *sb, const struct oci_seccomp_syscall *entry)
{
	strbuf_adds(sb, "\n");
	add_string(sb, entry->action);
	add_errno(sb, &entry->errno_ret);
	strbuf_addf(sb, "%zu[", entry->n_args);
	for (size_t i = 0; i < entry->n_args; i++) {
		const struct oci_seccomp_arg *arg = &entry->args[i];

		strbuf_addf(sb, "%" PRIu32 ",%" PRIu64 ",%" PRIu64 ",", arg->index, arg->value,
			    arg->value_two);
		add_string(sb, arg->op);
	}
	strbuf_adds(sb, "]");
	add_strings(sb, entry->names, entry->n_names);
}

/* Not in it: flags and listener, which are no part of the program. */
static void make_key(const struct oci_seccomp *profile, struct strbuf *ret)
{
	const struct scmp_version *version = seccomp_version();
	struct utsname kernel = { 0 };

	(void)uname(&kernel);
	strbuf_addf(ret, "seccomp filter %d\nlibseccomp %u.%u.%u\n", FORMAT_VERSION, version->major,
		    version->minor, version->micro);
	/* Which actions there are is the kernel's. */
	add_string(ret, kernel.release);
	add_string(ret, kernel.version);
	add_string(ret, kernel.machine);
	strbuf_adds(ret, "\n");
	add_string(ret, profile->default_action);
	add_errno(ret, &profile->default_errno_ret);
	add_strings(ret, profile->architectures, profile->n_architectures);
	for (size_t i = 0; i < profile->n_syscalls; i++)
		add_syscall(ret, &profile->syscalls[i]);
}

static void name_of_key(const struct strbuf *key, char ret[static 17])
{
	(void)snprintf(ret, 17, "%016" PRIx64, hash(HASH_SEED, key->buf, key->len));
}

char *seccomp_cache_name(const struct oci_seccomp *profile)
{
	auto_strbuf struct strbuf key = STRBUF_INIT;
	char name[17];

	make_key(profile, &key);
	name_of_key(&key, name);
	return xstrdup(name);
}

/* ---- reading ---- */

/* A regular file that only we can have written. */
static int check_file(int fd, size_t key_len, size_t *ret_size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 07777) != 0600 ||
	    st.st_nlink != 1)
		return -EPERM;
	if (st.st_size < (off_t)(sizeof(struct cache_header) + key_len) ||
	    st.st_size > (off_t)(sizeof(struct cache_header) + key_len +
				 BPF_MAXINSNS * sizeof(struct sock_filter)))
		return -EBADMSG;
	*ret_size = (size_t)st.st_size;
	return 0;
}

static int decode(const char *data, size_t size, const struct strbuf *key,
		  struct seccomp_filter *filter)
{
	struct cache_header header;
	const char *body = data + sizeof(header);
	size_t body_size = size - sizeof(header);
	size_t insns_size;

	(void)memcpy(&header, data, sizeof(header));
	if (memcmp(header.magic, magic, sizeof(magic)) != 0)
		return -EBADMSG;
	if (header.key_len != key->len || memcmp(body, key->buf, key->len) != 0)
		return -ENOENT; /* another profile with the same hash */
	insns_size = header.n_insns * sizeof(struct sock_filter);
	if (header.n_insns == 0 || header.n_insns > BPF_MAXINSNS ||
	    body_size != key->len + insns_size ||
	    header.checksum != hash(HASH_SEED, body + key->len, insns_size))
		return -EBADMSG;
	filter->n_insns = header.n_insns;
	filter->insns = xmemdup(body + key->len, insns_size);
	return 0;
}

static int read_entry(int root_fd, const char *name, const struct strbuf *key,
		      struct seccomp_filter *filter)
{
	char path[sizeof(FILTERS_DIR) + 17];
	auto_close int fd = -EBADF;
	auto_free char *data = NULL;
	size_t size = 0;
	int r;

	(void)snprintf(path, sizeof(path), FILTERS_DIR "/%s", name);
	fd = fd_open_at(root_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	r = check_file(fd, key->len, &size);
	if (r < 0)
		return r;
	data = xmalloc(size);
	r = io_read_exact(fd, data, size);
	if (r <= 0)
		return r < 0 ? r : -EBADMSG;
	return decode(data, size, key, filter);
}

/* ---- writing ---- */

static int open_private_dir(int dir_fd, const char *name)
{
	auto_close int fd = -EBADF;
	struct stat st;

	if (mkdirat(dir_fd, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = fd_open_at(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		return -EPERM;
	return take_fd(fd);
}

/* The number of files in the directory, and the name of the oldest (owned by the caller). */
static size_t count_entries(int dir_fd, char **ret_oldest)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	struct timespec oldest = { 0 };
	struct stat st;
	size_t n = 0;

	(void)fs_list(dir_fd, ".", &names);
	for (size_t i = 0; i < names.n; i++) {
		if (fstatat(dir_fd, names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (n++ == 0 || st.st_mtim.tv_sec < oldest.tv_sec ||
		    (st.st_mtim.tv_sec == oldest.tv_sec && st.st_mtim.tv_nsec < oldest.tv_nsec)) {
			oldest = st.st_mtim;
			replace_ptr(*ret_oldest, xstrdup(names.v[i]));
		}
	}
	return n;
}

/* Make room for one more. Leftovers of a crash count too, and go the same way. */
static void evict(int dir_fd)
{
	for (size_t i = 0; i < 2 * SECCOMP_CACHE_ENTRIES; i++) {
		auto_free char *oldest = NULL;

		if (count_entries(dir_fd, &oldest) < SECCOMP_CACHE_ENTRIES ||
		    unlinkat(dir_fd, oldest, 0) < 0)
			return;
	}
}

static int write_entry(int root_fd, const char *name, const struct strbuf *key,
		       const struct seccomp_filter *filter)
{
	struct cache_header header = { .key_len = (uint32_t)key->len,
				       .n_insns = (uint32_t)filter->n_insns };
	size_t insns_size = filter->n_insns * sizeof(struct sock_filter);
	auto_close int cache_fd = open_private_dir(root_fd, CACHE_DIR);
	auto_close int dir_fd = cache_fd < 0 ? cache_fd : open_private_dir(cache_fd, "seccomp");
	auto_strbuf struct strbuf data = STRBUF_INIT;

	if (dir_fd < 0)
		return dir_fd;
	(void)memcpy(header.magic, magic, sizeof(magic));
	header.checksum = hash(HASH_SEED, filter->insns, insns_size);
	strbuf_add(&data, &header, sizeof(header));
	strbuf_add(&data, key->buf, key->len);
	strbuf_add(&data, filter->insns, insns_size);
	evict(dir_fd);
	return fs_write_atomic(dir_fd, name, data.buf, data.len, 0600, FS_VOLATILE);
}

int seccomp_filter_get(struct seccomp_filter *ret, const struct oci_seccomp *profile, int root_fd,
		       struct err *err)
{
	auto_strbuf struct strbuf key = STRBUF_INIT;
	struct seccomp_filter filter = SECCOMP_FILTER_INIT;
	char name[17];
	int r;

	/* The checks, and what is no part of the program, are made for each profile. */
	r = seccomp_filter_check(&filter, profile, err);
	if (r < 0)
		return r;
	if (root_fd >= 0)
		make_key(profile, &key);
	if (root_fd < 0 || key.len > KEY_SIZE_MAX || profile->n_syscalls == 0)
		return seccomp_filter_compile(ret, profile, err);
	name_of_key(&key, name);
	r = read_entry(root_fd, name, &key, &filter);
	if (r == 0) {
		*ret = filter;
		return 0;
	}
	if (r != -ENOENT)
		log_debug("seccomp cache: not using entry '%s': %s", name, errno_text(r));
	r = seccomp_filter_compile(ret, profile, err);
	if (r < 0)
		return r;
	r = write_entry(root_fd, name, &key, ret);
	if (r < 0)
		log_debug("seccomp cache: cannot keep entry '%s': %s", name, errno_text(r));
	return 0;
}
