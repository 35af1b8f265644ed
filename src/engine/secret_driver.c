/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/secret_driver.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/path.h"
#include "core/proc.h"
#include "core/str.h"
#include "core/strvec.h"

static const char *const file_options[] = { "path", NULL };
static const char *const shell_options[] = { "list", "lookup", "store", "delete", NULL };

static int check_names(const char *driver, const struct json_string_map *options,
		       const char *const *known, struct err *err)
{
	for (size_t i = 0; i < options->n; i++)
		if (!str_is_one_of(options->v[i].key, known))
			return err_set(err, ERR_INVALID, "secret driver '%s': unknown option '%s'",
				       driver, options->v[i].key);
	return 0;
}

static int check_shell(const struct json_string_map *options, struct err *err)
{
	for (size_t i = 0; shell_options[i]; i++) {
		const char *command = json_string_map_get(options, shell_options[i]);

		if (!command || !command[0])
			return err_set(err, ERR_INVALID,
				       "secret driver 'shell': option '%s' is missing (a command "
				       "for each of list, lookup, store and delete)",
				       shell_options[i]);
	}
	return check_names("shell", options, shell_options, err);
}

int secret_driver_check(const char *driver, const struct json_string_map *options, struct err *err)
{
	const char *path = json_string_map_get(options, "path");

	if (str_eq(driver, "shell"))
		return check_shell(options, err);
	if (str_eq(driver, "pass"))
		return err_set(err, ERR_INVALID,
			       "secret driver 'pass': not supported; let driver shell call "
			       "pass(1)");
	if (!str_eq(driver, "file"))
		return err_set(err, ERR_INVALID, "secret driver '%s': expected file or shell",
			       driver);
	if (path && path[0] != '/')
		return err_set(err, ERR_INVALID,
			       "secret driver 'file': path '%s': expected an absolute path", path);
	return check_names("file", options, file_options, err);
}

/* --- file --- */

char *secret_driver_path(const struct engine *e, const struct secret *secret)
{
	const char *path = json_string_map_get(&secret->options, "path");

	return path ? xstrdup(path) : path_join(e->root, "secrets");
}

static int open_dir(const struct engine *e, const struct secret *secret, int *ret_fd,
		    struct err *err)
{
	auto_free char *path = secret_driver_path(e, secret);
	int r = fs_mkdir_all(AT_FDCWD, path, 0711, 0700);

	if (r == 0)
		r = *ret_fd = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	return r < 0 ? err_sys(err, r, "open '%s'", path) : 0;
}

static int file_store(const struct engine *e, const struct secret *secret,
		      const struct strbuf *data, struct err *err)
{
	auto_close int dir = -EBADF;
	int r = open_dir(e, secret, &dir, err);

	if (r < 0)
		return r;
	r = fs_write_atomic(dir, secret->id, data->buf, data->len, 0600, FS_DURABLE);
	return r < 0 ? err_sys(err, r, "write secret") : 0;
}

static int file_lookup(const struct engine *e, const struct secret *secret, struct strbuf *ret,
		       struct err *err)
{
	auto_close int dir = -EBADF;
	auto_close int fd = -EBADF;
	int r = open_dir(e, secret, &dir, err);

	if (r < 0)
		return r;
	fd = fd_open_at(dir, secret->id, O_RDONLY | O_NOFOLLOW, 0);
	r = fd < 0 ? fd : io_read_all(fd, SECRET_SIZE_MAX, ret);
	return r < 0 ? err_sys(err, r, "read secret '%s'", secret->name) : 0;
}

static int file_remove(const struct engine *e, const struct secret *secret, struct err *err)
{
	auto_close int dir = -EBADF;
	int r = open_dir(e, secret, &dir, err);

	if (r < 0)
		return r;
	return unlinkat(dir, secret->id, 0) < 0 && errno != ENOENT ?
		       err_sys(err, -errno, "remove secret '%s'", secret->name) :
		       0;
}

bool secret_driver_has_lost(const struct engine *e, const struct secret *secret)
{
	auto_free char *dir = secret_driver_path(e, secret);
	auto_free char *path = path_join(dir, secret->id);

	return !str_eq(secret->driver, "shell") && !fs_exists(AT_FDCWD, path);
}

/* --- shell --- */

static void fill_environment(const struct secret *secret, struct strvec *env)
{
	for (char *const *entry = environ; *entry; entry++)
		if (!str_has_prefix(*entry, "SECRET_ID="))
			strvec_add(env, *entry);
	strvec_addf(env, "SECRET_ID=%s", secret->id);
}

/* data: its input, NULL: none. ret: its output, NULL: passed over. */
static int shell_run(const struct secret *secret, const char *option, const struct strbuf *data,
		     struct strbuf *ret, struct err *err)
{
	const char *command = json_string_map_get(&secret->options, option);
	auto_strvec struct strvec argv = STRVEC_INIT;
	auto_strvec struct strvec env = STRVEC_INIT;
	auto_close int in = io_memory_file("secret", NULL);
	auto_close int out = io_memory_file("secret", NULL);
	auto_proc struct proc proc = PROC_INIT;
	int status = 0;
	int r = in < 0 ? in : out < 0 ? out : 0;

	strvec_add(&argv, "/bin/sh");
	strvec_add(&argv, "-c");
	strvec_add(&argv, command ? command : "");
	fill_environment(secret, &env);
	if (r == 0 && data)
		r = io_write_all(in, data->buf, data->len);
	if (r == 0 && lseek(in, 0, SEEK_SET) < 0)
		r = -errno;
	if (r == 0)
		r = proc_spawn(&proc,
			       &(struct proc_spawn_opts){ .argv = argv.v,
							  .envp = env.v,
							  .stdio = { in, out, STDERR_FILENO },
							  .die_with_parent = true });
	if (r == 0)
		r = proc_wait(&proc, -1, &status);
	if (r == 0 && status != 0)
		return err_set(err, ERR_SYSTEM, "secret '%s': its command for %s failed: %s",
			       secret->name, option, proc_status_to_string(status));
	if (r == 0 && lseek(out, 0, SEEK_SET) < 0)
		r = -errno;
	if (r == 0 && ret)
		r = io_read_all(out, SECRET_SIZE_MAX, ret);
	return r < 0 ? err_sys(err, r, "secret '%s': run its command for %s", secret->name,
			       option) :
		       0;
}

/* --- either --- */

int secret_driver_store(const struct engine *e, const struct secret *secret,
			const struct strbuf *data, struct err *err)
{
	return str_eq(secret->driver, "shell") ? shell_run(secret, "store", data, NULL, err) :
						 file_store(e, secret, data, err);
}

int secret_driver_lookup(const struct engine *e, const struct secret *secret, struct strbuf *ret,
			 struct err *err)
{
	return str_eq(secret->driver, "shell") ? shell_run(secret, "lookup", NULL, ret, err) :
						 file_lookup(e, secret, ret, err);
}

int secret_driver_remove(const struct engine *e, const struct secret *secret, struct err *err)
{
	return str_eq(secret->driver, "shell") ? shell_run(secret, "delete", NULL, NULL, err) :
						 file_remove(e, secret, err);
}
