/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/init/exec_path.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/str.h"
#include "runtime/init/environment.h"

/* Whether the caller may execute the file: 0, -EACCES, -EISDIR, or why stat failed (*ret_stat set). */
static int check_file(const char *path, bool *ret_stat_failed)
{
	struct stat st;

	*ret_stat_failed = false;
	if (stat(path, &st) < 0) {
		*ret_stat_failed = true;
		return -errno;
	}
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0)
		return 0;
	/* A seccomp profile that does not know faccessat2 answers EPERM; execve will tell. */
	if (errno == EPERM)
		return st.st_mode & 0111 ? 0 : -EACCES;
	return -errno;
}

static int find_in_path(const char *name, const char *path, char **ret_path, struct err *err)
{
	while (path && *name) {
		const char *colon = strchrnul(path, ':');
		auto_free char *file = colon == path ?
					       xasprintf("./%s", name) :
					       xasprintf("%.*s%s%s", (int)(colon - path), path,
							 colon[-1] == '/' ? "" : "/", name);
		bool stat_failed;

		if (check_file(file, &stat_failed) == 0) {
			*ret_path = take_ptr(file);
			return 0;
		}
		path = *colon ? colon + 1 : NULL;
	}
	return err_set(err, ERR_NOT_FOUND, "exec: \"%s\": executable file not found in $PATH",
		       name);
}

int exec_path_find(const char *name, const struct strvec *env, char **ret_path, struct err *err)
{
	bool stat_failed;
	int r;

	if (!strchr(name, '/'))
		return find_in_path(name, environment_get(env, "PATH"), ret_path, err);
	r = check_file(name, &stat_failed);
	if (r == 0) {
		*ret_path = xstrdup(name);
		return 0;
	}
	if (stat_failed) {
		(void)err_sys(err, r, "exec: \"%s\": stat %s", name, name);
	} else if (r == -EISDIR) {
		/* What execve(2) answers for it; clients make 126 of these words. */
		r = err_sys(err, -EACCES, "exec: \"%s\": is a directory", name);
	} else {
		(void)err_sys(err, r, "exec: \"%s\"", name);
	}
	if (err && (r == -ENOENT || r == -ENOTDIR))
		err->kind = ERR_NOT_FOUND;
	return r;
}

static void explain_script(const char *head, struct err *err)
{
	char interpreter[256];
	size_t len;

	head += 2 + strspn(head + 2, " \t");
	len = strcspn(head, " \t\r\n");
	if (len == 0 || len >= sizeof(interpreter))
		return;
	(void)memcpy(interpreter, head, len);
	interpreter[len] = '\0';
	/* "#!/bin/sh\r": the name that the kernel looks for has the carriage return in it. */
	if (head[len] == '\r')
		err_append(err,
			   " (its first line ends in a carriage return, so that the "
			   "interpreter '%s' is not found)",
			   interpreter);
	else if (access(interpreter, F_OK) < 0)
		err_append(err, " (its interpreter '%s' does not exist)", interpreter);
}

/* The program interpreter of a 64-bit ELF file of our byte order. */
static void explain_elf64(int fd, const Elf64_Ehdr *header, struct err *err)
{
	char interpreter[256];

	for (unsigned int i = 0; i < header->e_phnum; i++) {
		Elf64_Phdr segment;
		off_t place = (off_t)(header->e_phoff + i * sizeof(segment));

		if (pread(fd, &segment, sizeof(segment), place) != (ssize_t)sizeof(segment))
			return;
		if (segment.p_type != PT_INTERP)
			continue;
		if (segment.p_filesz == 0 || segment.p_filesz >= sizeof(interpreter) ||
		    pread(fd, interpreter, segment.p_filesz, (off_t)segment.p_offset) !=
			    (ssize_t)segment.p_filesz)
			return;
		interpreter[segment.p_filesz] = '\0';
		if (access(interpreter, F_OK) < 0)
			err_append(err, " (its dynamic loader '%s' does not exist)", interpreter);
		return;
	}
}

static unsigned int native_machine(void)
{
#if defined(__x86_64__)
	return EM_X86_64;
#elif defined(__aarch64__)
	return EM_AARCH64;
#else
	return EM_NONE;
#endif
}

static void explain_file(const char *path, int code, struct err *err)
{
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0);
	union {
		Elf64_Ehdr elf;
		char text[512];
	} head = { 0 };
	ssize_t n = fd < 0 ? -1 : pread(fd, head.text, sizeof(head.text) - 1, 0);

	if (n < 2)
		return;
	if (head.text[0] == '#' && head.text[1] == '!') {
		if (code == -ENOENT)
			explain_script(head.text, err);
		return;
	}
	if ((size_t)n < sizeof(head.elf) || memcmp(head.text, ELFMAG, SELFMAG) != 0)
		return;
	if (code == -ENOEXEC && native_machine() != EM_NONE &&
	    head.elf.e_machine != native_machine())
		err_append(err, " (the file is built for another architecture)");
	else if (code == -ENOENT && head.elf.e_ident[EI_CLASS] == ELFCLASS64)
		explain_elf64(fd, &head.elf, err);
}

int exec_path_explain(const char *path, int code, struct err *err)
{
	(void)err_sys(err, code, "exec %s", path);
	if (code == -ENOENT || code == -ENOEXEC)
		explain_file(path, code, err);
	return code;
}
