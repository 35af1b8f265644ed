/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Situations that a checkpoint cannot deal with, or can. Each is made by a function; what is to be
 * said about it stands in its own SITUATION(), which tests/cr/preflight.bats reads
 * (`situations list`). `situations NAME` makes it, says "ready", and stays.
 *
 * It is process 1 of a container with a writable root, all capabilities and devices, and an own
 * directory /data. /outside is a directory of the host's, in which the test listens to sockets.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct situation {
	const char *name;
	void (*make)(void);
	const char *check; /* name of the check that finds it; NULL: nothing is to be found */
	const char *option; /* of `checkpoint`, with which it works; NULL: none */
	/* What really becomes of it: NULL the checkpoint fails; "restore": the restore fails; "lost": both
	 * work, but something is lost (a warning); "works". */
	const char *really;
};

#define SITUATION(id, function, ...)                                                               \
	static const struct situation situation_##id = { .name = #id,                              \
							 .make = (function),                       \
							 __VA_ARGS__ };                            \
	static const struct situation *const situation_pointer_##id                                \
		__attribute__((section("situations"), used)) = &situation_##id;

/* The value of a call that must not fail; when this machine cannot do it, the situation is skipped. */
#define must(call)                                                                                 \
	({                                                                                         \
		__auto_type must_r_ = (call);                                                      \
		if (must_r_ < 0)                                                                   \
			give_up(#call);                                                            \
		must_r_;                                                                           \
	})

/* On the host: listen to unix sockets `stream` and `datagram` in a directory for ever. */
_Noreturn void serve(const char *directory);
_Noreturn void give_up(const char *what);
_Noreturn void stay(void);
void sleep_ms(unsigned int ms);
/* /data/NAME with so many bytes, open. */
int make_file(const char *name, size_t size);
/* A child that makes something and stays. */
pid_t start(void (*make)(void));
