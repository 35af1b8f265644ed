/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/layer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <cmocka.h>

#include "store_fixture.h"
#include "core/io.h"
#include "storage/lower.h"
#include "storage/rootfs.h"
#include "storage/tar_reader.h"
#include "storage/tar_writer.h"
#include "storage/whiteout.h"

#define DIR (S_IFDIR | 0755)
#define REG (S_IFREG | 0644)
#define LNK (S_IFLNK | 0777)

/* Add the members as a layer on parent; the chain id in ret. */
static int add_layer(struct store *store, const char *parent, const struct member *members,
		     size_t n, int filter, char ret[static STORE_DIGEST_MAX], struct err *err)
{
	auto_strbuf struct strbuf plain = STRBUF_INIT;
	auto_strbuf struct strbuf packed = STRBUF_INIT;
	char diff_id[STORE_DIGEST_MAX];
	char blob[STORE_DIGEST_MAX];

	make_tar(&plain, members, n);
	compress_with(&packed, &plain, filter);
	digest_of(plain.buf, plain.len, diff_id);
	assert_int_equal(blob_write(store, packed.buf, packed.len, blob, err), 0);
	return layer_ensure(store, parent, diff_id, blob, ret, err);
}

static struct stat stat_in(struct store *store, const char *chain_id, const char *path)
{
	auto_free char *diff = layer_diff_path(store, chain_id);
	auto_free char *full = xasprintf("%s/%s", diff, path);
	struct stat st;

	if (lstat(full, &st) < 0)
		fail_msg("no '%s'", path);
	return st;
}

static bool exists_in(struct store *store, const char *chain_id, const char *path)
{
	auto_free char *diff = layer_diff_path(store, chain_id);
	auto_free char *full = xasprintf("%s/%s", diff, path);

	return fs_exists(AT_FDCWD, full);
}

static void test_chain_id(void **state UNUSED)
{
	/* The example of the image specification: the lowest is its own chain id. */
	const char *a = "sha256:c6f988f4874bb0add23a778f753c65efe992244e148a1d2ec2a8b664fb66bbd1";
	const char *b = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
	char id[STORE_DIGEST_MAX];
	char want[STORE_DIGEST_MAX];
	auto_free char *text = xasprintf("%s %s", a, b);

	layer_chain_id(NULL, a, id);
	assert_string_equal(id, a);
	layer_chain_id(a, b, id);
	digest_of(text, strlen(text), want);
	assert_string_equal(id, want);
}

static const struct member base[] = {
	{ .path = "./", .mode = S_IFDIR | 0751 },
	{ .path = "etc/", .mode = DIR },
	{ .path = "etc/conf", .mode = S_IFREG | 04640, .data = "one", .uid = 7 },
	{ .path = "etc/hard", .mode = REG, .link = "etc/conf", .hardlink = true },
	{ .path = "tmp/", .mode = S_IFDIR | 01777, .uid = 3 },
	{ .path = "lib", .mode = LNK, .link = "/usr/lib" },
	{ .path = "dev/null", .mode = S_IFCHR | 0666, .rdev = 0x103 },
	{ .path = "pipe", .mode = S_IFIFO | 0600 },
	{ .path = "big", .mode = REG, .data = "end", .hole = 1 << 20 },
	{ .path = "att", .mode = REG, .data = "x", .xattr = "user.mine" },
	{ .path = "evil", .mode = REG, .data = "x", .xattr = "trusted.overlay.redirect" },
	{ .path = "old/", .mode = DIR },
	{ .path = "old/a", .mode = REG, .data = "a" },
	{ .path = "gone", .mode = REG, .data = "gone" },
};

static void test_unpack(void **state)
{
	struct store_fixture *f = *state;
	struct store *store = &f->store;
	auto_free char *path = NULL;
	struct err err = ERR_INIT;
	char id[STORE_DIGEST_MAX];
	char value[8];
	struct stat st;

	assert_int_equal(store_content_hold(store, &err), 0);
	if (add_layer(store, NULL, base, ARRAY_SIZE(base), ARCHIVE_FILTER_ZSTD, id, &err) < 0)
		fail_msg("%s", err.msg);
	st = stat_in(store, id, ".");
	assert_int_equal(st.st_mode & 07777, 0751);
	st = stat_in(store, id, "etc/conf");
	assert_int_equal(st.st_mode & 07777, 04640);
	assert_int_equal(st.st_uid, 7);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(st.st_mtime, 1000000000);
	st = stat_in(store, id, "etc");
	assert_int_equal(st.st_mtime, 1000000000);
	st = stat_in(store, id, "dev/null");
	assert_true(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
	st = stat_in(store, id, "pipe");
	assert_true(S_ISFIFO(st.st_mode));
	st = stat_in(store, id, "big");
	assert_int_equal(st.st_size, (1 << 20) + 3);
	assert_true(st.st_blocks * 512 < 1 << 19);
	path = layer_diff_path(store, id);
	replace_ptr(path, xasprintf("%s/att", path));
	assert_int_equal(lgetxattr(path, "user.mine", value, sizeof(value)), 1);
	path[strlen(path) - 3] = '\0';
	replace_ptr(path, xasprintf("%sevil", path));
	assert_true(lgetxattr(path, "trusted.overlay.redirect", value, sizeof(value)) < 0);
	/* Again: it is there. */
	assert_int_equal(layer_exists(store, id, &err), 1);
	store_content_release(store);
}

/* What a power cut leaves of a layer that was not written to disk yet. */
static void test_unsynced(void **state)
{
	struct store *store = &((struct store_fixture *)*state)->store;
	struct err err = ERR_INIT;
	char id[STORE_DIGEST_MAX];
	auto_free char *path = NULL;

	assert_int_equal(store_content_hold(store, &err), 0);
	for (int synced = 0; synced < 2; synced++) {
		assert_int_equal(add_layer(store, NULL, base, ARRAY_SIZE(base), ARCHIVE_FILTER_NONE,
					   id, &err),
				 0);
		if (synced)
			assert_int_equal(layers_sync(store, id, &err), 0);
		assert_int_equal(
			db_exec(store->db, &err,
				"UPDATE layers SET boot_id = 'another' WHERE boot_id != ''", ""),
			0);
		replace_ptr(path, layer_diff_path(store, id));
		replace_ptr(path, xasprintf("%s/old/a", path));
		assert_int_equal(truncate(path, 0), 0);
		assert_int_equal(add_layer(store, NULL, base, ARRAY_SIZE(base), ARCHIVE_FILTER_NONE,
					   id, &err),
				 0);
		assert_int_equal(stat_in(store, id, "old/a").st_size, synced ? 0 : 1);
	}
	store_content_release(store);
}

/* Its digest says that it is whole; an archive that nobody knows the digest of would be taken for cut off. */
static void test_unmarked_end(void **state)
{
	struct store *store = &((struct store_fixture *)*state)->store;
	const int filters[] = { ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP };
	auto_strbuf struct strbuf plain = STRBUF_INIT;
	struct err err = ERR_INIT;
	char diff_id[STORE_DIGEST_MAX];
	char blob[STORE_DIGEST_MAX];
	char ids[2][STORE_DIGEST_MAX];

	make_tar(&plain, base, 3);
	while (plain.buf[plain.len - 1] == '\0')
		strbuf_truncate(&plain, plain.len - 1);
	while (plain.len % 512)
		strbuf_addc(&plain, '\0');
	digest_of(plain.buf, plain.len, diff_id);
	assert_int_equal(store_content_hold(store, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		auto_strbuf struct strbuf packed = STRBUF_INIT;

		compress_with(&packed, &plain, filters[i]);
		assert_int_equal(blob_write(store, packed.buf, packed.len, blob, &err), 0);
		if (layer_ensure(store, i ? ids[0] : NULL, diff_id, blob, ids[i], &err) < 0)
			fail_msg("%s", err.msg);
		assert_true(exists_in(store, ids[i], "etc/conf"));
	}
	store_content_release(store);
}

static const struct member upper[] = {
	{ .path = "tmp/new", .mode = REG, .data = "new" },
	{ .path = ".wh.gone", .mode = REG },
	{ .path = "old/", .mode = DIR },
	{ .path = "old/.wh..wh..opq", .mode = REG },
	{ .path = "old/b", .mode = REG, .data = "b" },
	{ .path = "etc/.wh.conf", .mode = REG },
	{ .path = ".wh..wh.plnk", .mode = REG },
};

static void test_whiteouts(void **state)
{
	struct store_fixture *f = *state;
	struct store *store = &f->store;
	auto_layers struct layers layers = { 0 };
	auto_lower_dir struct lower_dir root = { 0 };
	auto_lower_dir struct lower_dir old = { 0 };
	auto_strvec struct strvec names = STRVEC_INIT;
	auto_free char *joined = NULL;
	struct err err = ERR_INIT;
	char low[STORE_DIGEST_MAX];
	char id[STORE_DIGEST_MAX];
	struct stat st;

	assert_int_equal(store_content_hold(store, &err), 0);
	assert_int_equal(
		add_layer(store, NULL, base, ARRAY_SIZE(base), ARCHIVE_FILTER_NONE, low, &err), 0);
	if (add_layer(store, low, upper, ARRAY_SIZE(upper), ARCHIVE_FILTER_GZIP, id, &err) < 0)
		fail_msg("%s", err.msg);
	/* A directory that the layer does not name looks as it does below. */
	st = stat_in(store, id, "tmp");
	assert_int_equal(st.st_mode & 07777, 01777);
	assert_int_equal(st.st_uid, 3);
	st = stat_in(store, id, ".");
	assert_int_equal(st.st_mode & 07777, 0751);
	st = stat_in(store, id, "gone");
	assert_true(whiteout_is(&st));
	assert_false(exists_in(store, id, ".wh..wh.plnk"));
	assert_false(exists_in(store, id, "plnk"));
	assert_int_equal(layers_load(store, id, &layers, &err), 0);
	assert_int_equal(layers.n, 2);
	assert_string_equal(layers.v[0].chain_id, low);
	lower_dir_root(store, &layers, &root);
	assert_int_equal(lower_dir_entry(&root, "gone", &st, NULL, NULL), 0);
	assert_int_equal(lower_dir_entry(&root, "old", &st, NULL, &old), 1);
	assert_int_equal(lower_dir_names(&old, &names), 0);
	joined = strvec_join(&names, " ");
	assert_string_equal(joined, "b");
	strvec_done(&names);
	assert_int_equal(lower_dir_names(&root, &names), 0);
	replace_ptr(joined, strvec_join(&names, " "));
	assert_string_equal(joined, "att big dev etc evil lib old pipe tmp");
	store_content_release(store);
}

/* What a hostile archive may try; outside must stay as it is. */
static void test_hostile(void **state)
{
	static const struct {
		struct member members[3];
		size_t n;
		bool fails;
	} cases[] = {
		{ { { .path = "../out", .mode = REG, .data = "x" } }, 1, true },
		{ { { .path = "a/../../out", .mode = REG, .data = "x" } }, 1, true },
		{ { { .path = "l", .mode = LNK, .link = ".." },
		    { .path = "l/../out", .mode = REG, .data = "x" } },
		  2,
		  true },
		/* Through a symlink to outside: stays inside, as for a process that is chrooted. */
		{ { { .path = "l", .mode = LNK, .link = "../../.." },
		    { .path = "l/out", .mode = REG, .data = "x" } },
		  2,
		  false },
		{ { { .path = "h", .mode = REG, .link = "../../driver", .hardlink = true } },
		  1,
		  true },
		{ { { .path = "h", .mode = REG, .link = "/etc/passwd", .hardlink = true } },
		  1,
		  true },
		/* A file in the place of a symlink does not follow it. */
		{ { { .path = "f", .mode = LNK, .link = "/out" },
		    { .path = "f", .mode = REG, .data = "x" } },
		  2,
		  false },
		{ { { .path = ".wh...", .mode = REG } }, 1, true },
		{ { { .path = ".wh.", .mode = REG } }, 1, true },
		{ { { .path = "d", .mode = REG, .data = "x" },
		    { .path = "d/f", .mode = REG, .data = "x" } },
		  2,
		  false },
		{ { { .path = ".", .mode = REG, .data = "x" } }, 1, true },
	};
	struct store_fixture *f = *state;
	struct store *store = &f->store;
	struct err err = ERR_INIT;

	assert_int_equal(store_content_hold(store, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_free char *out = xasprintf("%s/out", f->dir);
		char id[STORE_DIGEST_MAX];
		int r;

		err_clear(&err);
		r = add_layer(store, NULL, cases[i].members, cases[i].n, ARCHIVE_FILTER_NONE, id,
			      &err);
		if ((r < 0) != cases[i].fails)
			fail_msg("case %zu: %d %s", i, r, err.msg);
		assert_false(fs_exists(AT_FDCWD, out));
		assert_false(fs_exists(AT_FDCWD, "/out"));
	}
	store_content_release(store);
}

static void test_wrong_digest(void **state)
{
	struct store_fixture *f = *state;
	struct store *store = &f->store;
	auto_strbuf struct strbuf plain = STRBUF_INIT;
	auto_strbuf struct strbuf tar = STRBUF_INIT;
	char blob[STORE_DIGEST_MAX];
	char id[STORE_DIGEST_MAX];
	struct err err = ERR_INIT;
	const char *wrong =
		"sha256:0000000000000000000000000000000000000000000000000000000000000000";

	assert_int_equal(store_content_hold(store, &err), 0);
	make_tar(&plain, base, ARRAY_SIZE(base));
	compress_with(&tar, &plain, ARCHIVE_FILTER_GZIP);
	assert_int_equal(blob_write(store, tar.buf, tar.len, blob, &err), 0);
	assert_true(layer_ensure(store, NULL, wrong, blob, id, &err) < 0);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_int_equal(layer_exists(store, id, &err), 0);
	/* Cut off. */
	err_clear(&err);
	assert_int_equal(blob_write(store, tar.buf, tar.len / 2, blob, &err), 0);
	assert_true(layer_ensure(store, NULL, wrong, blob, id, &err) < 0);
	assert_int_equal(err.kind, ERR_CORRUPT);
	store_content_release(store);
}

/* Nothing refers to anything: all goes; what is used stays. */
static void test_collect(void **state)
{
	struct store_fixture *f = *state;
	struct store *store = &f->store;
	struct store_garbage garbage;
	struct err err = ERR_INIT;
	char low[STORE_DIGEST_MAX];
	char id[STORE_DIGEST_MAX];

	assert_int_equal(store_content_hold(store, &err), 0);
	assert_int_equal(
		add_layer(store, NULL, base, ARRAY_SIZE(base), ARCHIVE_FILTER_NONE, low, &err), 0);
	assert_int_equal(
		add_layer(store, low, upper, ARRAY_SIZE(upper), ARCHIVE_FILTER_NONE, id, &err), 0);
	assert_int_equal(store_collect(store, &garbage, &err), 0);
	assert_int_equal(garbage.n_layers, 0);
	store_content_release(store);
	assert_int_equal(layer_use(store, "image:x", low, &err), 0);
	assert_int_equal(store_collect(store, &garbage, &err), 0);
	assert_int_equal(garbage.n_layers, 1);
	assert_int_equal(garbage.n_blobs, 2);
	assert_int_equal(layer_exists(store, low, &err), 1);
	assert_int_equal(layer_unuse(store, "image:x", &err), 0);
	assert_int_equal(store_collect(store, &garbage, &err), 0);
	assert_int_equal(garbage.n_layers, 1);
	assert_int_equal(layer_exists(store, low, &err), 0);
}

static void write_file(const char *dir, const char *name, const char *text)
{
	auto_free char *path = xasprintf("%s/%s", dir, name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static char *changes_text(struct store *store, const char *id)
{
	auto_rootfs_changes struct rootfs_changes changes = { 0 };
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	struct err err = ERR_INIT;

	if (rootfs_diff(store, id, &changes, &err) < 0)
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < changes.n; i++)
		strbuf_addf(&sb, "%c %s\n", rootfs_change_letter(changes.v[i].kind),
			    changes.v[i].path);
	return strbuf_take(&sb);
}

/* Change something, look at the difference, make it a layer, and find it in there. */
static void rootfs_round_trip(struct store_fixture *f)
{
	struct store *store = &f->store;
	struct rootfs_options options = { 0 };
	auto_free char *root = NULL;
	auto_free char *path = NULL;
	auto_free char *text = NULL;
	auto_close int fd = -EBADF;
	auto_strbuf struct strbuf tar = STRBUF_INIT;
	auto_layers struct layers layers = { 0 };
	auto_lower_dir struct lower_dir lower = { 0 };
	struct err err = ERR_INIT;
	char low[STORE_DIGEST_MAX];
	char blob[STORE_DIGEST_MAX];
	char id[STORE_DIGEST_MAX];
	uint64_t written;
	struct stat st;

	assert_int_equal(store_content_hold(store, &err), 0);
	assert_int_equal(
		add_layer(store, NULL, base, ARRAY_SIZE(base), ARCHIVE_FILTER_NONE, low, &err), 0);
	options.top = low;
	if (rootfs_create(store, "c1", &options, &err) < 0 ||
	    rootfs_mount(store, "c1", &root, &err) < 0)
		fail_msg("%s", err.msg);
	text = changes_text(store, "c1");
	assert_string_equal(text, "");
	write_file(root, "etc/new", "hello");
	write_file(root, "etc/conf", "changed");
	path = xasprintf("%s/gone", root);
	assert_int_equal(unlink(path), 0);
	replace_ptr(path, xasprintf("%s/old", root));
	assert_int_equal(fs_remove_tree(AT_FDCWD, path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	write_file(root, "old/z", "z");
	replace_ptr(text, changes_text(store, "c1"));
	if (store->driver == STORE_OVERLAY)
		/* Writing to one name of an inode parts it from the other. */
		assert_string_equal(text, "C /etc\nC /etc/conf\nA /etc/new\nD /gone\nC /old\n"
					  "D /old/a\nA /old/z\n");
	else
		assert_string_equal(text, "C /etc\nC /etc/conf\nC /etc/hard\nA /etc/new\nD /gone\n"
					  "C /old\nD /old/a\nA /old/z\n");
	assert_int_equal(rootfs_size(store, "c1", &written, NULL, &err), 0);
	fd = fd_open_at(AT_FDCWD, f->dir, O_TMPFILE | O_RDWR, 0600);
	assert_true(fd >= 0);
	if (rootfs_archive(store, "c1", false, tar_sink_fd, &fd, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(io_read_all(fd, 1 << 20, &tar), 0);
	assert_int_equal(blob_write(store, tar.buf, tar.len, blob, &err), 0);
	if (layer_ensure(store, low, blob, blob, id, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(layers_load(store, id, &layers, &err), 0);
	lower_dir_root(store, &layers, &lower);
	assert_int_equal(lower_dir_entry(&lower, "gone", &st, NULL, NULL), 0);
	assert_int_equal(rootfs_unmount(store, "c1", false, &err), 0);
	assert_int_equal(rootfs_remove(store, "c1", &err), 0);
	assert_int_equal(rootfs_exists(store, "c1", &err), 0);
	assert_int_equal(rootfs_remove(store, "c1", &err), 0);
	store_content_release(store);
}

static void test_rootfs(void **state)
{
	struct store_fixture *f = *state;

	if (geteuid() != 0)
		skip();
	rootfs_round_trip(f);
}

static void test_rootfs_vfs(void **state)
{
	struct store_fixture *f = *state;

	f->store.driver = STORE_VFS;
	rootfs_round_trip(f);
}

#define MANY 180

static void test_many_layers(void **state)
{
	struct store_fixture *f = *state;
	struct store *store = &f->store;
	char ids[2][STORE_DIGEST_MAX];
	struct rootfs_options options = { .top = ids[(MANY - 1) % 2] };
	auto_free char *root = NULL;
	struct err err = ERR_INIT;

	if (geteuid() != 0 || store->driver != STORE_OVERLAY)
		skip();
	assert_int_equal(store_content_hold(store, &err), 0);
	for (int i = 0; i < MANY; i++) {
		auto_free char *name = xasprintf("f%d", i);
		struct member m = { .path = name, .mode = REG, .data = "x" };

		assert_int_equal(add_layer(store, i ? ids[(i + 1) % 2] : NULL, &m, 1,
					   ARCHIVE_FILTER_NONE, ids[i % 2], &err),
				 0);
	}
	if (rootfs_create(store, "c1", &options, &err) < 0 ||
	    rootfs_mount(store, "c1", &root, &err) < 0)
		fail_msg("%s", err.msg);
	for (int i = 0; i < MANY; i += 50) {
		auto_free char *path = xasprintf("%s/f%d", root, i);

		assert_true(fs_exists(AT_FDCWD, path));
	}
	assert_int_equal(rootfs_remove(store, "c1", &err), 0);
	store_content_release(store);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain_id), TEST(test_unpack),	 TEST(test_unsynced),
		TEST(test_unmarked_end),	 TEST(test_whiteouts),	 TEST(test_hostile),
		TEST(test_wrong_digest),	 TEST(test_collect),	 TEST(test_rootfs),
		TEST(test_rootfs_vfs),		 TEST(test_many_layers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
