/* SPDX-License-Identifier: Apache-2.0 */
/* Users and groups as the container's own /etc/passwd and /etc/group know them. */
#pragma once

#include "core/err.h"
#include "core/rooted.h"
#include "engine/container.h"
#include "engine/specgen.h"

/* What stands in for the files of the tree; NULL: they count themselves. */
struct users_files {
	const char *passwd; /* path of the host's, or NULL */
	const char *group;
	char *const *host_users; /* --hostuser */
	size_t n_host_users;
};

/*
 * Look up "name|uid[:group|gid]" (NULL or "": root) in the tree, and the groups of --group-add. Numbers
 * need not be known there, names must; ERR_NOT_FOUND. Supplementary groups of a user count unless a group
 * is given. ret->groups and ret->home are the caller's.
 */
int users_lookup(const struct rooted *root, const struct users_files *files, const char *user,
		 char *const *groups, size_t n_groups, struct spec_user *ret, struct err *err);
/* The same, by the files that the container has: mounted over those of its tree, or (running: made by us). user: NULL: root. */
int container_users_lookup(const struct container *c, const struct rooted *root, bool running,
			   const char *user, struct spec_user *ret, struct err *err);
/*
 * The text of /etc/passwd (base; NULL: the tree's) with a line for a user who is only a number; NULL when it needs none. entry:
 * --passwd-entry with $USERNAME $UID $GID $NAME $HOME; NULL: the usual line. The caller owns it.
 */
char *users_passwd_text(const struct rooted *root, const char *base, const struct spec_user *user,
			const char *entry, const char *workdir);
/* The same for /etc/group. */
char *users_group_text(const struct rooted *root, const struct spec_user *user, const char *entry);
/* The name of a user (or of a group) by its number there; NULL when there is none. Caller owns. */
char *users_name_of(const struct rooted *root, uint32_t id, bool is_group);
/*
 * Add the lines that the host's /etc/passwd has for these users (names or numbers) to *text, which is the caller's (NULL:
 * the file of the root), unless there are such. ERR_NOT_FOUND.
 */
int users_add_host_users(const struct rooted *root, char *const *names, size_t n, char **text,
			 struct err *err);
