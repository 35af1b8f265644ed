/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What users call floe-runtime: a program that executes the real one, floe-runtime-main.
 *
 * Theory of operation. Whatever enters a container must run from a place that no container can write
 * to (kernel/self_exe.h): a read-only clone of the program's mount. floe-runtime-main sees to that
 * itself, but only once it has been executed; to execute itself a second time costs it 0.3 ms, since the
 * dynamic loader, the C library and the exit of so large a program are paid for twice. So the commands
 * that start a process in a container are executed from such a clone at once. This program has neither
 * loader nor library, a page of code and less than ten system calls; it takes a quarter of that time.
 *
 * It decides nothing: where it makes no clone (another command, a read-only file system, an old kernel,
 * a caller without privileges) or cannot, floe-runtime-main looks after itself. Nothing here is used
 * before execve(2) but system calls, because nobody has set up a C library.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#define PROGRAM "floe-runtime-main"

static long call(long number, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return ret;
}

static bool is_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Append to the text of *len bytes; what does not fit makes a name that is not there. */
static void append(char *buf, size_t size, size_t *len, const char *text)
{
	while (*text && *len + 1 < size)
		buf[(*len)++] = *text++;
	buf[*len] = '\0';
}

/* An option's argument or an id may look the same: a clone too many does no harm. */
static bool enters_container(char *const argv[])
{
	for (size_t i = 0; argv[i]; i++)
		if (is_equal(argv[i], "run") || is_equal(argv[i], "create") ||
		    is_equal(argv[i], "exec"))
			return true;
	return false;
}

static void execute_clone(const char *path, char *const argv[], char *const envp[])
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	long fd = call(SYS_open_tree, AT_FDCWD, (long)path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, 0,
		       0);

	if (fd < 0)
		return;
	if (call(SYS_mount_setattr, fd, (long)"", AT_EMPTY_PATH, (long)&attr, sizeof(attr)) == 0)
		(void)call(SYS_execveat, fd, (long)"", (long)argv, (long)envp, AT_EMPTY_PATH);
	(void)call(SYS_close, fd, 0, 0, 0, 0);
}

static void print(const char *text)
{
	size_t len = 0;

	while (text[len])
		len++;
	(void)call(SYS_write, 2, (long)text, (long)len, 0, 0);
}

/* Without pointers, which somebody would have to relocate. */
static const struct {
	int error;
	char reason[40];
} reasons[] = {
	{ EPERM, "operation not permitted" },
	{ ENOENT, "no such file or directory" },
	{ EIO, "input/output error" },
	{ E2BIG, "argument list too long" },
	{ ENOEXEC, "it is no program of this machine" },
	{ EAGAIN, "too many processes of this user" },
	{ ENOMEM, "cannot allocate memory" },
	{ EACCES, "permission denied" },
	{ ENOTDIR, "not a directory" },
	{ ENFILE, "too many open files in system" },
	{ EMFILE, "too many open files" },
	{ ETXTBSY, "it is being written" },
	{ ENAMETOOLONG, "file name too long" },
	{ ELOOP, "too many levels of symbolic links" },
};

static void print_reason(long error)
{
	const char digits[] = { (char)('0' + error / 100 % 10), (char)('0' + error / 10 % 10),
				(char)('0' + error % 10), '\0' };

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].error == error) {
			print(reasons[i].reason);
			return;
		}
	print("error ");
	print(digits);
}

static void explain(long error)
{
	print("floe-runtime: execute '" PROGRAM "', which belongs in '" PROGRAM_PLACE
	      "' of this program's directory, beside it, or in '" PROGRAM_INSTALLED "': ");
	print_reason(error);
	print("; 'make install' installs both\n");
}

/*
 * `own` is where this program lies, with a '/' behind it; `place` begins there or is absolute. Returns
 * -errno when the program cannot be executed.
 */
static long execute_in(const char *own, const char *place, char *const argv[], char *const envp[])
{
	char path[PATH_MAX];
	size_t len = 0;
	struct statfs fs;
	long r;

	if (*place != '/')
		append(path, sizeof(path), &len, own);
	append(path, sizeof(path), &len, place);
	append(path, sizeof(path), &len, "/" PROGRAM);
	r = call(SYS_statfs, (long)path, (long)&fs, 0, 0, 0);
	if (r < 0)
		return r;
	if (enters_container(argv) && !(fs.f_flags & ST_RDONLY))
		execute_clone(path, argv, envp);
	return call(SYS_execve, (long)path, (long)argv, (long)envp, 0, 0);
}

/* stack: as the kernel has left it, argc, argv and environment. */
__attribute__((noreturn, used)) static void launch(long *stack)
{
	char **argv = (char **)(stack + 1);
	char **envp = argv + stack[0] + 1;
	char own[PATH_MAX];
	long len = call(SYS_readlink, (long)"/proc/self/exe", (long)own, sizeof(own) - 1, 0, 0);
	long r;

	while (len > 0 && own[len - 1] != '/')
		len--;
	own[len > 0 ? len : 0] = '\0';
	r = execute_in(own, PROGRAM_PLACE, argv, envp);
	/* The build directory has no tree. */
	if (r == -ENOENT)
		r = execute_in(own, ".", argv, envp);
	/* A copy somewhere else, as callers make one of a runtime that they know as a single file. */
	if (r == -ENOENT)
		r = execute_in(own, PROGRAM_INSTALLED, argv, envp);
	explain(-r);
	for (;;)
		(void)call(SYS_exit, 1, 0, 0, 0, 0);
}

__asm__(".globl _start\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call launch\n");
