/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ownership by scope. A variable that is declared with one of these attributes releases what it
 * holds when its scope ends; take_ptr() and take_fd() hand the content over instead. Always declare
 * such a variable with an initialiser. The handlers keep errno.
 */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <dirent.h>

#define auto_cleanup(fn) __attribute__((cleanup(fn)))

/* DEFINE_AUTO_PTR(auto_foo, struct foo, foo_free) makes the handler; use auto_ptr(struct...) form
 * below. For structs held by value: DEFINE_AUTO_VAL(foo, struct foo, foo_done). */
#define DEFINE_AUTO_PTR(name, type, free_fn)                                                       \
	static inline void name##_cleanup_ptr(type **p)                                            \
	{                                                                                          \
		int saved_errno = errno;                                                           \
		if (*p)                                                                            \
			free_fn(*p);                                                               \
		errno = saved_errno;                                                               \
	}

#define DEFINE_AUTO_VAL(name, type, done_fn)                                                       \
	static inline void name##_cleanup_val(type *p)                                             \
	{                                                                                          \
		int saved_errno = errno;                                                           \
		done_fn(p);                                                                        \
		errno = saved_errno;                                                               \
	}

static inline void auto_free_handler(void *p)
{
	int saved_errno = errno;

	free(*(void **)p);
	errno = saved_errno;
}

static inline void auto_close_handler(const int *fd)
{
	int saved_errno = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved_errno;
}

static inline void auto_fclose_handler(FILE **f)
{
	int saved_errno = errno;

	if (*f)
		(void)fclose(*f);
	errno = saved_errno;
}

static inline void auto_closedir_handler(DIR **d)
{
	int saved_errno = errno;

	if (*d)
		(void)closedir(*d);
	errno = saved_errno;
}

#define auto_free auto_cleanup(auto_free_handler)
#define auto_close auto_cleanup(auto_close_handler)
#define auto_fclose auto_cleanup(auto_fclose_handler)
#define auto_closedir auto_cleanup(auto_closedir_handler)

/* Hand over: the value is the result, the variable is left empty. */
#define take_ptr(p)                                                                                \
	({                                                                                         \
		typeof(p) *take_pp_ = &(p);                                                        \
		typeof(p) take_v_ = *take_pp_;                                                     \
		*take_pp_ = NULL;                                                                  \
		take_v_;                                                                           \
	})

#define take_fd(fd)                                                                                \
	({                                                                                         \
		int *take_fp_ = &(fd);                                                             \
		int take_fv_ = *take_fp_;                                                          \
		*take_fp_ = -EBADF;                                                                \
		take_fv_;                                                                          \
	})

/* Close *fd if it is open and mark it empty. */
static inline void close_fd(int *fd)
{
	auto_close_handler(fd);
	*fd = -EBADF;
}

/* Free *p and let it hold v instead; v may be NULL. */
#define replace_ptr(p, v)                                                                          \
	do {                                                                                       \
		typeof(p) replace_v_ = (v);                                                        \
		free(p);                                                                           \
		(p) = replace_v_;                                                                  \
	} while (0)
