/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/init/exec_path.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/fs.h"

static char dir[] = "/tmp/floe-test-XXXXXX";

static void put(const char *name, const void *data, size_t len, mode_t mode)
{
	int fd = openat(AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void put_text(const char *name, const char *text, mode_t mode)
{
	put(name, text, strlen(text), mode);
}

static int set_up(void **state UNUSED)
{
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(mkdir("a", 0755) | mkdir("b", 0755) | mkdir("a/both", 0755), 0);
	assert_int_equal(mkdir("closed", 0700), 0);
	put_text("a/plain", "x", 0644);
	put_text("b/plain", "#!/bin/sh\n", 0755);
	put_text("b/both", "#!/bin/sh\n", 0755);
	put_text("b/mine", "#!/bin/sh\n", 0700);
	put_text("closed/inside", "#!/bin/sh\n", 0755);
	put_text("here", "#!/bin/sh\n", 0755);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	assert_int_equal(chdir("/"), 0);
	return fs_remove_tree(-1, dir);
}

/* want NULL: the error must be `message`. */
static int look(const char *name, const char *path, const char *want, const char *message)
{
	auto_strvec struct strvec env = STRVEC_INIT;
	auto_free char *got = NULL;
	struct err err = ERR_INIT;
	int r;

	strvec_add(&env, "XPATH=/bin");
	if (path)
		strvec_addf(&env, "PATH=%s", path);
	r = exec_path_find(name, &env, &got, &err);
	if (want && (r < 0 || strcmp(got, want) != 0)) {
		(void)fprintf(stderr, "%s in %s: %s %s\n", name, path, got, err.msg);
		return 1;
	}
	if (!want && (r >= 0 || strcmp(err.msg, message) != 0)) {
		(void)fprintf(stderr, "%s in %s: '%s', not '%s'\n", name, path, err.msg, message);
		return 2;
	}
	return 0;
}

static void test_search(void **state UNUSED)
{
	assert_int_equal(look("plain", "a:b", "b/plain", NULL), 0);
	assert_int_equal(look("both", "a:b", "b/both", NULL), 0);
	assert_int_equal(look("both", "a/:b/", "b/both", NULL), 0);
	assert_int_equal(look("here", "a::b", "./here", NULL), 0);
	assert_int_equal(look("here", "a:", "./here", NULL), 0);
	assert_int_equal(look("here", ":a", "./here", NULL), 0);
	assert_int_equal(look("b/plain", NULL, "b/plain", NULL), 0);
	assert_int_equal(look("./here", "/none", "./here", NULL), 0);
}

static void test_messages(void **state UNUSED)
{
	assert_int_equal(
		look("foo", "a:b", NULL, "exec: \"foo\": executable file not found in $PATH"), 0);
	assert_int_equal(
		look("plain", NULL, NULL, "exec: \"plain\": executable file not found in $PATH"),
		0);
	assert_int_equal(
		look("plain", "a", NULL, "exec: \"plain\": executable file not found in $PATH"), 0);
	assert_int_equal(look("", "a:b", NULL, "exec: \"\": executable file not found in $PATH"),
			 0);
	assert_int_equal(look("/nonexistent/foo", NULL, NULL,
			      "exec: \"/nonexistent/foo\": stat /nonexistent/foo: "
			      "no such file or directory"),
			 0);
	assert_int_equal(
		look("./a", NULL, NULL, "exec: \"./a\": is a directory: permission denied"), 0);
	assert_int_equal(look("a/plain", NULL, NULL, "exec: \"a/plain\": permission denied"), 0);
}

static void test_kinds(void **state UNUSED)
{
	struct strvec env = STRVEC_INIT;
	struct err err = ERR_INIT;
	char *path = NULL;

	assert_int_equal(exec_path_find("foo", &env, &path, &err), -ENOENT);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_int_equal(exec_path_find("/nonexistent", &env, &path, &err), -ENOENT);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_int_equal(exec_path_find("a/plain", &env, &path, &err), -EACCES);
	assert_int_equal(err.kind, ERR_DENIED);
	assert_null(path);
}

static int as_user(void)
{
	if (setgid(4711) < 0 || setuid(4711) < 0)
		return 10;
	if (look("mine", "b", NULL, "exec: \"mine\": executable file not found in $PATH"))
		return 11;
	if (look("./b/mine", NULL, NULL, "exec: \"./b/mine\": permission denied"))
		return 12;
	if (look("closed/inside", NULL, NULL,
		 "exec: \"closed/inside\": stat closed/inside: permission denied"))
		return 13;
	return look("plain", "a:b", "b/plain", NULL);
}

static void test_as_the_user(void **state UNUSED)
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	assert_int_equal(look("mine", "b", "b/mine", NULL), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(as_user());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void check_explain(const char *path, int code, const char *want)
{
	struct err err = ERR_INIT;

	assert_int_equal(exec_path_explain(path, code, &err), code);
	assert_string_equal(err.msg, want);
}

static void test_explain(void **state UNUSED)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segment;
		char interpreter[16];
	} elf = {
		.header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64 },
			    .e_machine = EM_S390,
			    .e_phoff = sizeof(Elf64_Ehdr),
			    .e_phnum = 1 },
		.segment = { .p_type = PT_INTERP,
			     .p_offset = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr),
			     .p_filesz = 16 },
		.interpreter = "/none/ld.so",
	};

	put_text("script", "#! /none/python3 -u\nprint(1)\n", 0755);
	put_text("dos", "#!/bin/sh\r\necho\r\n", 0755);
	put_text("text", "echo hello\n", 0755);
	put("elf", &elf, sizeof(elf), 0755);
	check_explain("script", -ENOENT,
		      "exec script: no such file or directory (its interpreter '/none/python3' "
		      "does not exist)");
	check_explain("dos", -ENOENT,
		      "exec dos: no such file or directory (its first line ends in a carriage "
		      "return, so that the interpreter '/bin/sh' is not found)");
	check_explain("elf", -ENOENT,
		      "exec elf: no such file or directory (its dynamic loader '/none/ld.so' does "
		      "not exist)");
	check_explain("elf", -ENOEXEC,
		      "exec elf: exec format error (the file is built for another architecture)");
	check_explain("text", -ENOEXEC, "exec text: exec format error");
	check_explain("gone", -ENOENT, "exec gone: no such file or directory");
	check_explain("elf", -EACCES, "exec elf: permission denied");
	/* Headers that point to nowhere. */
	elf.header.e_phoff = UINT64_MAX;
	put("elf", &elf, sizeof(elf), 0755);
	check_explain("elf", -ENOENT, "exec elf: no such file or directory");
	elf.header.e_phoff = sizeof(Elf64_Ehdr);
	elf.segment.p_filesz = UINT64_MAX;
	put("elf", &elf, sizeof(elf), 0755);
	check_explain("elf", -ENOENT, "exec elf: no such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_search),	cmocka_unit_test(test_messages),
		cmocka_unit_test(test_kinds),	cmocka_unit_test(test_as_the_user),
		cmocka_unit_test(test_explain),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
