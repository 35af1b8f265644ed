/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs whose state must survive a checkpoint and a restore. Each sets something up, calls
 * wait_for_restore(), and then looks at what has become of it:
 *
 *	static void run(void)
 *	{
 *		int fds[2];
 *
 *		must(pipe(fds));
 *		must(write(fds[1], "x", 1));
 *		wait_for_restore();
 *		check(..., "the pipe has lost its data");
 *	}
 *	PROGRAM(pipe_data, run, .subject = "data in a pipe")
 *
 * What a program needs and cannot do stands in its own PROGRAM(); tests/cr/run-programs reads it
 * (`programs list`), runs many programs in one container (`programs group NAME...` is its process 1)
 * and puts each through the flavours.
 *
 * A program has a directory of its own, which is its working directory, and is the leader of a session
 * of its own. Descriptors 0 and 1 lead to process 1, 2 to a log file. Its static variables are its own:
 * each program is a process.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

struct program {
	const char *name;
	void (*run)(void);
	const char *subject; /* what must survive, for the table of docs/checkpoint.md */
	const char *note; /* what a user has to know; NULL: nothing */
	const char *lost; /* CRIU is known to lose it, in this way: a failure is none */
	const char
		*needs; /* a capability of ours, without which CRIU cannot do it: "sys_resource" */
	const char *options; /* of checkpoint and restore, one or more */
	const char *container; /* the only container it can run in; NULL: any; see run-programs */
	const char *not_in; /* flavours and containers that it cannot do, separated by blanks */
	const char *why_not; /* the reason of not_in */
	const char *refused; /* a checkpoint (or "restore: ...") must fail, and say this */
};

#define PROGRAM(id, function, ...)                                                                 \
	static const struct program program_##id = { .name = #id,                                  \
						     .run = (function),                            \
						     __VA_ARGS__ };                                \
	static const struct program *const program_pointer_##id                                    \
		__attribute__((section("programs"), used)) = &program_##id;

/* ---- what is reported ---- */

/* Say that everything is set up, and wait until the checks are to be made. */
void wait_for_restore(void);
/* The same in two steps, for programs that are busy meanwhile. */
void report_ready(void);
bool is_restored(void);

/* "fail: SENTENCE" or "skip: SENTENCE", also from a child or thread; ends the calling process. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void skip(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#define check(condition, ...)                                                                      \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail(__VA_ARGS__);                                                         \
	} while (0)

/* The result of a system call, which must not fail; pthread_* by must0(). */
#define must(call) must_succeed((long)(call), #call)
#define must0(call) must_be_zero((call), #call)
long must_succeed(long result, const char *call);
void must_be_zero(int error, const char *call);
/* The call fails with this errno. */
#define must_fail(call, error) must_fail_with((long)(call), (error), #call)
void must_fail_with(long result, int error, const char *call);

/* ---- processes ---- */

/* fork(); the child runs the function and ends with code 0. */
pid_t spawn(void (*function)(void *argument), void *argument);
/* Wait for a child; it must end with that code, or (negative) by that signal. */
void must_end(pid_t pid, int code);
/* Wait until a child sleeps in a system call. */
void must_sleep(pid_t pid);
/* A child that waits for the end of its parent, or for a signal. */
pid_t spawn_idle(void);
void kill_child(pid_t pid);

/* One process waits, another opens: a pipe and a byte. */
struct gate {
	int fds[2];
};
void gate_init(struct gate *gate);
void gate_open(struct gate *gate);
void gate_wait(struct gate *gate);

/* ---- memory, files, time ---- */

/* Anonymous memory by mmap(); `flags` such as MAP_PRIVATE. */
void *map_anonymous(size_t size, int prot, int flags);
void *map_file(size_t size, int prot, int flags, int fd);
#define map_shared(type) ((type *)map_anonymous(sizeof(type), PROT_READ | PROT_WRITE, MAP_SHARED))

/* A pattern that tells one seed, and one place in it, from any other. */
void fill(void *memory, size_t size, uint64_t seed);
bool is_filled(const void *memory, size_t size, uint64_t seed);
bool is_zero(const void *memory, size_t size);
size_t page_size(void);

void write_all(int fd, const void *data, size_t size);
/* Until `size` bytes are read or the end is reached. */
size_t read_all(int fd, void *data, size_t size);
/* read_all() of exactly this text */
void must_read(int fd, const char *text);
int open_file(const char *path, int flags);
void write_file(const char *path, const char *text);
/* The text of a file, at most size - 1 bytes; -1 when it cannot be opened. */
ssize_t read_file(const char *path, char *buffer, size_t size);
/* The value behind "KEY:" of a file such as /proc/self/status, without leading blanks. */
bool read_field(const char *path, const char *key, char *buffer, size_t size);
/* Flags of the memory area that contains the address, as "VmFlags" of smaps has them. */
bool has_vm_flag(const void *address, const char *flag);
/* printf into a buffer that must be large enough. */
void format(char *buffer, size_t size, const char *text, ...) __attribute__((format(printf, 3, 4)));

int64_t now_ms(clockid_t clock);
void sleep_ms(int ms);
/* Look every few milliseconds until the flag is set (or for ten seconds). */
bool becomes_true(volatile int *flag);
