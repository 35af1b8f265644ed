/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/users.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/parse.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "core/strvec.h"

#define FILE_MAX_BYTES (4U << 20)
#define PASSWD_FIELDS 7
#define GROUP_FIELDS 4

/* A missing file is an empty one; so is what cannot be read as one. */
static void read_file(const struct rooted *root, const char *path, struct strbuf *ret)
{
	auto_close int fd = rooted_openat(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0 && io_read_all(fd, FILE_MAX_BYTES, ret) < 0)
		strbuf_clear(ret);
}

/* The next line cut at its colons; 0 when there is none left. */
static size_t next_record(char **rest, char **fields, size_t max)
{
	char *line;

	while ((line = strsep(rest, "\n"))) {
		size_t n = 0;

		if (!*line || *line == '#')
			continue;
		while (n < max && line)
			fields[n++] = strsep(&line, ":");
		return n;
	}
	return 0;
}

static void split_user(const char *text, char **ret_user, char **ret_group)
{
	const char *colon = strchr(text, ':');

	*ret_user = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
	*ret_group = colon && colon[1] ? xstrdup(colon + 1) : NULL;
}

/* Fill uid, gid and home from the record of this name or number. */
static bool find_user(char *passwd, const char *name, bool is_number, struct spec_user *ret,
		      char **ret_name)
{
	char *fields[PASSWD_FIELDS];
	char *rest = passwd;
	size_t n;

	while ((n = next_record(&rest, fields, PASSWD_FIELDS)) > 0) {
		uint32_t uid;
		uint32_t gid;

		if (n < 4 || parse_u32(fields[2], &uid) < 0 || parse_u32(fields[3], &gid) < 0)
			continue;
		if (!str_eq(fields[0], name) && !(is_number && uid == ret->uid))
			continue;
		ret->uid = uid;
		ret->gid = gid;
		ret->home = xstrdup(n > 5 ? fields[5] : "/");
		*ret_name = xstrdup(fields[0]);
		return true;
	}
	return false;
}

static int find_group(const struct strbuf *group, const char *name, uint32_t *ret, struct err *err)
{
	auto_free char *text = xstrdup(group->buf);
	char *fields[GROUP_FIELDS];
	char *rest = text;
	size_t n;

	while ((n = next_record(&rest, fields, GROUP_FIELDS)) > 0)
		if (n >= 3 && str_eq(fields[0], name) && parse_u32(fields[2], ret) == 0)
			return 0;
	if (parse_u32(name, ret) == 0)
		return 0;
	return err_set(err, ERR_COMMAND,
		       "unable to find group %s: no matching entries in group file", name);
}

/* More than a process can have no image needs: it only makes the search long. */
static void add_gid(struct spec_user *u, uint32_t gid)
{
	if (u->n_groups >= NGROUPS_MAX)
		return;
	for (size_t i = 0; i < u->n_groups; i++)
		if (u->groups[i] == gid)
			return;
	*array_push(u->groups, u->n_groups) = gid;
}

/* The groups that list the user as a member. */
static void add_memberships(const struct strbuf *group, const char *name, struct spec_user *u)
{
	auto_free char *text = xstrdup(group->buf);
	char *fields[GROUP_FIELDS];
	char *rest = text;
	size_t n;

	while ((n = next_record(&rest, fields, GROUP_FIELDS)) > 0) {
		uint32_t gid;
		char *member;

		if (n < 4 || parse_u32(fields[2], &gid) < 0)
			continue;
		while ((member = strsep(&fields[3], ",")))
			if (str_eq(member, name))
				add_gid(u, gid);
	}
}

/* The files that count for a container, which need not be those of its tree. */
static int read_users(const struct rooted *root, const struct users_files *files,
		      struct strbuf *passwd, struct strbuf *group, struct err *err)
{
	char *text = NULL;
	int r;

	if (!files || !files->passwd ||
	    io_read_file_at(AT_FDCWD, files->passwd, FILE_MAX_BYTES, passwd) < 0)
		read_file(root, "/etc/passwd", passwd);
	if (!files || !files->group ||
	    io_read_file_at(AT_FDCWD, files->group, FILE_MAX_BYTES, group) < 0)
		read_file(root, "/etc/group", group);
	if (!files || files->n_host_users == 0)
		return 0;
	text = xstrdup(passwd->buf);
	r = users_add_host_users(root, files->host_users, files->n_host_users, &text, err);
	strbuf_clear(passwd);
	strbuf_adds(passwd, text);
	free(text);
	return r;
}

static int lookup(const struct strbuf *passwd, const struct strbuf *group, const char *text,
		  struct spec_user *ret, struct err *err)
{
	auto_free char *copy = xstrdup(passwd->buf);
	auto_free char *user = NULL;
	auto_free char *group_name = NULL;
	auto_free char *found = NULL;
	bool is_number;

	split_user(text, &user, &group_name);
	/* Of ":GROUP". */
	if (!*user)
		replace_ptr(user, xstrdup("0"));
	is_number = parse_u32(user, &ret->uid) == 0;
	if (!find_user(copy, user, is_number, ret, &found) && !is_number)
		return err_set(err, ERR_COMMAND,
			       "unable to find user %s: no matching entries in passwd file", user);
	if (!ret->home)
		ret->home = xstrdup("/");
	if (group_name)
		return find_group(group, group_name, &ret->gid, err);
	if (found)
		add_memberships(group, found, ret);
	return 0;
}

int users_lookup(const struct rooted *root, const struct users_files *files, const char *text,
		 char *const *groups, size_t n_groups, struct spec_user *ret, struct err *err)
{
	auto_strbuf struct strbuf passwd = STRBUF_INIT;
	auto_strbuf struct strbuf group = STRBUF_INIT;
	struct spec_user user = { .given = !str_is_empty(text) };
	int r = read_users(root, files, &passwd, &group, err);

	if (r < 0)
		return r;
	r = lookup(&passwd, &group, user.given ? text : "0", &user, err);
	for (size_t i = 0; r == 0 && i < n_groups; i++) {
		uint32_t gid;

		if (str_eq(groups[i], "keep-groups"))
			continue;
		r = find_group(&group, groups[i], &gid, err);
		if (r == 0)
			add_gid(&user, gid);
	}
	if (r < 0) {
		free(user.groups);
		free(user.home);
		return r;
	}
	*ret = user;
	return 0;
}

static bool knows_id(const struct strbuf *file, size_t field, uint32_t id)
{
	auto_free char *text = xstrdup(file->buf);
	char *fields[PASSWD_FIELDS];
	char *rest = text;
	size_t n;

	while ((n = next_record(&rest, fields, PASSWD_FIELDS)) > 0) {
		uint32_t v;

		if (n > field && parse_u32(fields[field], &v) == 0 && v == id)
			return true;
	}
	return false;
}

/* Replace $UID and the like. */
static void expand(const char *template, const struct spec_user *u, const char *home,
		   struct strbuf *sb)
{
	const char *dollar;

	while ((dollar = strchr(template, '$'))) {
		const char *rest;

		strbuf_add(sb, template, (size_t)(dollar - template));
		template = dollar + 1;
		if ((rest = str_skip_prefix(template, "USERNAME")) ||
		    (rest = str_skip_prefix(template, "UID")))
			strbuf_addf(sb, "%u", u->uid);
		else if ((rest = str_skip_prefix(template, "GROUPNAME")) ||
			 (rest = str_skip_prefix(template, "GID")))
			strbuf_addf(sb, "%u", u->gid);
		else if ((rest = str_skip_prefix(template, "NAME")))
			strbuf_adds(sb, "container user");
		else if ((rest = str_skip_prefix(template, "HOME")))
			strbuf_adds(sb, home);
		if (rest)
			template = rest;
		else
			strbuf_addc(sb, '$');
	}
	strbuf_adds(sb, template);
}

static char *with_line(struct strbuf *file, const char *entry, const struct spec_user *u,
		       const char *home, const char *usual)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	strbuf_adds(&sb, file->buf);
	if (sb.len > 0 && sb.buf[sb.len - 1] != '\n')
		strbuf_addc(&sb, '\n');
	if (entry)
		expand(entry, u, home, &sb);
	else
		strbuf_adds(&sb, usual);
	if (sb.buf[sb.len - 1] != '\n')
		strbuf_addc(&sb, '\n');
	return strbuf_take(&sb);
}

char *users_passwd_text(const struct rooted *root, const char *base, const struct spec_user *u,
			const char *entry, const char *workdir)
{
	auto_strbuf struct strbuf passwd = STRBUF_INIT;
	const char *home = str_is_empty(workdir) ? "/" : workdir;
	auto_free char *usual =
		xasprintf("%u:*:%u:%u:container user:%s:/bin/sh\n", u->uid, u->uid, u->gid, home);

	if (base)
		strbuf_adds(&passwd, base);
	else
		read_file(root, "/etc/passwd", &passwd);
	/* As podman: of a user who is there, no other line is made. */
	if (!u->given || u->uid == 0 || knows_id(&passwd, 2, u->uid))
		return NULL;
	return with_line(&passwd, entry, u, home, usual);
}

/* Without NSS, whose modules would be loaded for this alone: of /etc/passwd. */
static int find_host_user(const char *name, struct strbuf *line, struct err *err)
{
	auto_strbuf struct strbuf passwd = STRBUF_INIT;
	char *fields[PASSWD_FIELDS];
	uint32_t wanted = 0;
	bool is_number = parse_u32(name, &wanted) == 0;
	char *rest;
	size_t n;
	int r = io_read_file_at(AT_FDCWD, "/etc/passwd", FILE_MAX_BYTES, &passwd);

	if (r < 0)
		return err_sys(err, r, "--hostuser '%s': read '/etc/passwd'", name);
	rest = passwd.buf;
	while ((n = next_record(&rest, fields, PASSWD_FIELDS)) > 0) {
		uint32_t uid;

		if (n < 6 || parse_u32(fields[2], &uid) < 0 ||
		    !(str_eq(fields[0], name) || (is_number && uid == wanted)))
			continue;
		strbuf_addf(line, "%s:*:%s:%s:%s:%s:/bin/sh\n", fields[0], fields[2], fields[3],
			    fields[4], fields[5]);
		return 0;
	}
	return err_set(err, ERR_NOT_FOUND,
		       "--hostuser '%s': no such user in the host's /etc/passwd", name);
}

static bool knows_name(const char *passwd, const char *line)
{
	size_t len = strcspn(line, ":") + 1;

	for (const char *at = passwd; at && *at;
	     at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		if (strncmp(at, line, len) == 0)
			return true;
	return false;
}

int users_add_host_users(const struct rooted *root, char *const *names, size_t n, char **text,
			 struct err *err)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	if (n == 0)
		return 0;
	if (*text)
		strbuf_adds(&sb, *text);
	else
		read_file(root, "/etc/passwd", &sb);
	if (sb.len > 0 && sb.buf[sb.len - 1] != '\n')
		strbuf_addc(&sb, '\n');
	for (size_t i = 0; i < n; i++) {
		auto_strbuf struct strbuf line = STRBUF_INIT;
		int r = find_host_user(names[i], &line, err);

		if (r < 0)
			return r;
		if (!knows_name(sb.buf, line.buf))
			strbuf_adds(&sb, line.buf);
	}
	replace_ptr(*text, strbuf_take(&sb));
	return 0;
}

char *users_group_text(const struct rooted *root, const struct spec_user *u, const char *entry)
{
	auto_strbuf struct strbuf group = STRBUF_INIT;
	auto_free char *usual = xasprintf("%u:x:%u:%u\n", u->gid, u->gid, u->uid);

	read_file(root, "/etc/group", &group);
	/* As podman: of a group that is there, no other line is made. */
	if (knows_id(&group, 2, u->gid) || (!entry && (!u->given || u->gid == 0)))
		return NULL;
	return with_line(&group, entry, u, u->home, usual);
}

char *users_name_of(const struct rooted *root, uint32_t id, bool is_group)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	char *fields[PASSWD_FIELDS];
	char *rest;
	size_t n;

	read_file(root, is_group ? "/etc/group" : "/etc/passwd", &text);
	rest = text.buf;
	while (rest && (n = next_record(&rest, fields, PASSWD_FIELDS)) > 0) {
		uint32_t found;

		if (n >= 3 && parse_u32(fields[2], &found) == 0 && found == id)
			return xstrdup(fields[0]);
	}
	return NULL;
}
