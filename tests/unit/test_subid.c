/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/subid.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/fs.h"
#include "core/io.h"
#include "kernel/caps.h"

#define USER 4711

static char dir[] = "/tmp/floe-test-XXXXXX";

static int set_up(void **state UNUSED)
{
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
	return chdir(dir);
}

static int tear_down(void **state UNUSED)
{
	assert_int_equal(chdir("/"), 0);
	return fs_remove_tree(-1, dir);
}

static void put(const char *name, const char *text, mode_t mode)
{
	assert_int_equal(fs_write_atomic(AT_FDCWD, name, text, strlen(text), mode, FS_VOLATILE), 0);
	assert_int_equal(chmod(name, mode), 0);
}

static void check_load(const char *name, uid_t uid, const char *want)
{
	auto_idmap struct idmap map = IDMAP_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;

	assert_int_equal(subid_load(&map, "subuid", name, uid), 0);
	idmap_format(&map, &text);
	assert_string_equal(text.buf, want);
}

static void test_load(void **state UNUSED)
{
	auto_idmap struct idmap map = IDMAP_INIT;

	put("subuid",
	    "alice:100000:65536\n# comment\nbob:200000\nbob:300000:x\nbob:1:2:3\n"
	    "alice:500000:10\n1001:600000:5\n:1:1\nbob:7:0\nlast:9:1",
	    0644);
	check_load("alice", 1000, "0 100000 65536\n65536 500000 10\n");
	check_load("bob", 1001, "0 600000 5\n");
	check_load(NULL, 1001, "0 600000 5\n");
	check_load("last", 1, "0 9 1\n");
	check_load("nobody", 2, "");
	assert_int_equal(subid_load(&map, "missing", "alice", 1), -ENOENT);
}

static void test_choose(void **state UNUSED)
{
	auto_idmap struct idmap map = IDMAP_INIT;

	idmap_add(&map, 0, 1000, 1);
	assert_int_equal(subid_choose(&map, 1000, true), SUBID_DIRECT);
	assert_int_equal(subid_choose(&map, 1000, false), SUBID_OWN_ID);
	assert_int_equal(subid_choose(&map, 1001, false), SUBID_HELPER);
	map.v[0].size = 2;
	assert_int_equal(subid_choose(&map, 1000, false), SUBID_HELPER);
	map.v[0].size = 1;
	idmap_add(&map, 1, 100000, 1);
	assert_int_equal(subid_choose(&map, 1000, false), SUBID_HELPER);
}

/* ---- with real namespaces; all in a child ---- */

/* A child in a new user namespace, which ends when the pipe is closed. */
static pid_t start_in_namespace(int *ret_pipe)
{
	int ready[2];
	int hold[2];
	char byte;
	pid_t pid;

	if (pipe(ready) < 0 || pipe(hold) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(hold[1]);
		if (unshare(CLONE_NEWUSER) < 0)
			_exit(1);
		(void)!write(ready[1], "x", 1);
		(void)!read(hold[0], &byte, 1);
		_exit(0);
	}
	close(ready[1]);
	close(hold[0]);
	*ret_pipe = hold[1];
	if (read(ready[0], &byte, 1) != 1) {
		close(hold[1]);
		(void)waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(ready[0]);
	return pid;
}

static bool has_content(pid_t pid, const char *name, const char *want)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_idmap struct idmap map = IDMAP_INIT;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	if (io_read_file_at(AT_FDCWD, path, 4096, &text) < 0)
		return false;
	/* The kernel fills the columns up with blanks. */
	if (strchr(name, '_') && idmap_parse(&map, text.buf) == 0) {
		strbuf_clear(&text);
		idmap_format(&map, &text);
	}
	return strcmp(text.buf, want) == 0;
}

static int write_and_check(const struct idmap *uids, const struct idmap *gids,
			   const char *want_uids, const char *want_gids, const char *want_setgroups)
{
	struct err err = ERR_INIT;
	int hold = -1;
	pid_t pid = start_in_namespace(&hold);
	int r = 0;

	if (pid < 0)
		return 77; /* not allowed here */
	if (subid_write_maps(pid, uids, gids, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.msg);
		r = 1;
	} else if (!has_content(pid, "uid_map", want_uids) ||
		   !has_content(pid, "gid_map", want_gids)) {
		r = 2;
	} else if (!has_content(pid, "setgroups", want_setgroups)) {
		r = 3;
	}
	close(hold);
	(void)waitpid(pid, NULL, 0);
	return r;
}

static int as_root(void)
{
	auto_idmap struct idmap uids = IDMAP_INIT;
	auto_idmap struct idmap gids = IDMAP_INIT;

	idmap_add(&uids, 0, 100000, 1000);
	idmap_add(&uids, 1000, 0, 1);
	idmap_add(&gids, 0, 200000, 65536);
	return write_and_check(&uids, &gids, "0 100000 1000\n1000 0 1\n", "0 200000 65536\n",
			       "allow\n");
}

static int become_user(void)
{
	return setresgid(USER, USER, USER) < 0 || setresuid(USER, USER, USER) < 0 ||
	       prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0;
}

static int own_id(void)
{
	auto_idmap struct idmap map = IDMAP_INIT;

	if (become_user())
		return 10;
	idmap_add(&map, 0, USER, 1);
	return write_and_check(&map, &map, "0 4711 1\n", "0 4711 1\n", "deny\n");
}

/* With programs in the place of newuidmap and newgidmap that write down how they were called. */
static int by_helpers(void)
{
	auto_idmap struct idmap map = IDMAP_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct err err = ERR_INIT;
	char path[sizeof(dir) + 16];

	idmap_add(&map, 0, USER, 1);
	idmap_add(&map, 1, 100000, 65536);
	(void)snprintf(path, sizeof(path), "%s/bin", dir);
	if (become_user() || setenv("PATH", path, 1) < 0)
		return 10;
	if (subid_write_maps(42, &map, &map, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.msg);
		return 11;
	}
	if (io_read_file_at(AT_FDCWD, "out/log", 4096, &text) < 0)
		return 12;
	return strcmp(text.buf, "newuidmap 42 0 4711 1 1 100000 65536\n"
				"newgidmap 42 0 4711 1 1 100000 65536\n") == 0 ?
		       0 :
		       13;
}

static int refused_by_helper(void)
{
	auto_idmap struct idmap map = IDMAP_INIT;
	struct err err = ERR_INIT;
	char path[sizeof(dir) + 16];

	idmap_add(&map, 0, 1, 2);
	(void)snprintf(path, sizeof(path), "%s/bad", dir);
	if (become_user() || setenv("PATH", path, 1) < 0)
		return 10;
	if (subid_write_maps(42, &map, &map, &err) != -EREMOTEIO)
		return 11;
	return strcmp(err.msg, "map ids into the user namespace: newuidmap: exit status 1: "
			       "newuidmap: uid range [0-2) -> [1-3) not allowed") == 0 ?
		       0 :
		       12;
}

static int no_helper(void)
{
	auto_idmap struct idmap map = IDMAP_INIT;
	struct err err = ERR_INIT;

	/* Where the helpers are installed, put nothing in the place of their directory. */
	if (access("/usr/bin/newuidmap", F_OK) == 0 &&
	    (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	     mount("floe-test", "/usr/bin", "tmpfs", 0, NULL) < 0))
		return 13;
	idmap_add(&map, 0, 1, 2);
	if (become_user() || setenv("PATH", "/nonexistent:relative", 1) < 0)
		return 10;
	if (subid_write_maps(42, &map, &map, &err) != -ENOENT)
		return 11;
	return strstr(err.msg, "'newuidmap' is not on PATH; install it") ? 0 : 12;
}

static void run(int (*fn)(void))
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_as_root(void **state UNUSED)
{
	run(as_root);
}

static void test_own_id(void **state UNUSED)
{
	run(own_id);
}

static void test_helpers(void **state UNUSED)
{
	static const char recorder[] = "#!/bin/sh\necho \"${0##*/} $*\" >> out/log\n";

	assert_int_equal(mkdir("bin", 0755) | mkdir("bad", 0755) | mkdir("out", 0777), 0);
	assert_int_equal(chmod("out", 0777), 0);
	put("bin/newuidmap", recorder, 0755);
	put("bin/newgidmap", recorder, 0755);
	put("bad/newuidmap",
	    "#!/bin/sh\necho 'newuidmap: uid range [0-2) -> [1-3) not allowed' >&2\nexit 1\n",
	    0755);
	run(by_helpers);
	run(refused_by_helper);
}

static void test_no_helper(void **state UNUSED)
{
	run(no_helper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),	cmocka_unit_test(test_choose),
		cmocka_unit_test(test_as_root), cmocka_unit_test(test_own_id),
		cmocka_unit_test(test_helpers), cmocka_unit_test(test_no_helper),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
