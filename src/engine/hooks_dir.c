/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/hooks_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/capture.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/containers_conf.h"
#include "engine/hook_file.h"

static int add_hook(struct spec_facts *f, const char *stage, const struct oci_hook *from,
		    struct err *err)
{
	struct oci_hook *to = str_eq(stage, "precreate") ?
				      array_push(f->precreate, f->n_precreate) :
				      oci_hooks_add(f->hooks, stage);

	if (!to)
		return err_set(err, ERR_UNSUPPORTED, "stage '%s' is not supported", stage);
	oci_hook_copy(to, from);
	return 0;
}

static int load_file(const char *path, const struct container_config *c, struct spec_facts *f,
		     struct err *err)
{
	auto_hook_file struct hook_file file = HOOK_FILE_INIT;
	bool wanted = false;
	int r = hook_file_load(&file, path, err);

	if (r == 0 && access(file.hook.path, X_OK) < 0) {
		/* Its package was removed, and this left behind. */
		if (errno == ENOENT) {
			log_warning("hook '%s' is passed over: there is no program '%s'", path,
				    file.hook.path);
			return 0;
		}
		r = err_sys(err, -errno, "program '%s'", file.hook.path);
	}
	if (r == 0)
		r = hook_file_applies(&file, c, &wanted, err);
	if (wanted && !f->hooks)
		f->hooks = xcalloc(1, sizeof(*f->hooks));
	for (size_t i = 0; r == 0 && wanted && i < file.n_stages; i++)
		r = add_hook(f, file.stages[i], &file.hook, err);
	return r < 0 ? err_wrap(err, r, "hook '%s'", path) : 0;
}

struct named_file {
	char *name;
	char *path;
};

static int compare_names(const void *a, const void *b)
{
	const struct named_file *x = a;
	const struct named_file *y = b;

	return strcasecmp(x->name, y->name);
}

/* Add the directory's files; one of the same name takes the place of the earlier one. */
static int list_dir(const char *dir_path, struct named_file **files, size_t *n, struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = fs_list(AT_FDCWD, dir_path, &names);

	/* Hooks guard: one that cannot be read is no reason to run without it. */
	if (r < 0 && r != -ENOENT)
		return err_sys(err, r, "read hooks '%s'", dir_path);
	for (size_t k = 0; k < names.n; k++) {
		const char *name = names.v[k];
		struct named_file *at = NULL;

		if (!str_has_suffix(name, ".json"))
			continue;
		for (size_t i = 0; i < *n; i++)
			if (str_eq((*files)[i].name, name))
				at = &(*files)[i];
		if (!at) {
			*files = array_reserve_one(*files, *n, sizeof(**files));
			at = &(*files)[(*n)++];
			at->name = xstrdup(name);
		}
		replace_ptr(at->path, path_join(dir_path, name));
	}
	return 0;
}

/* Of the kind of those that the runtime executes, wherever it is found out. */
static int hook_failed(int r, struct err *err)
{
	if (r < 0 && err)
		err->kind = ERR_REMOTE;
	return r;
}

int hooks_dir_load(struct engine *e, const struct container_config *config, struct spec_facts *f,
		   struct err *err)
{
	static const char *const defaults[] = { "/usr/share/containers/oci/hooks.d",
						"/etc/containers/oci/hooks.d" };
	/* The command line's, the configuration's, the usual ones. */
	struct strvec configured = { e->conf->engine.hooks_dir, e->conf->engine.n_hooks_dir };
	const struct strvec *given = e->options->hooks_dirs.n > 0 ? &e->options->hooks_dirs :
								    &configured;
	struct named_file *files = NULL;
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < given->n; i++)
		r = list_dir(given->v[i], &files, &n, err);
	for (size_t i = 0; r == 0 && given->n == 0 && i < ARRAY_SIZE(defaults); i++)
		r = list_dir(defaults[i], &files, &n, err);
	if (n > 0)
		qsort(files, n, sizeof(*files), compare_names);
	for (size_t i = 0; i < n; i++) {
		if (r == 0)
			r = load_file(files[i].path, config, f, err);
		free(files[i].name);
		free(files[i].path);
	}
	free(files);
	return hook_failed(r, err);
}

static const char *first_line(char *text)
{
	if (!text)
		return "";
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static int run_precreate(const struct oci_hook *hook, char **text, struct err *err)
{
	static char *const no_env[] = { NULL };
	auto_strvec struct strvec argv = STRVEC_INIT;
	auto_capture struct capture run = CAPTURE_INIT;
	int r;

	strvec_add(&argv, hook->path);
	for (size_t i = 1; i < hook->n_args; i++)
		strvec_add(&argv, hook->args[i]);
	run.argv = argv.v;
	run.envp = hook->n_env ? hook->env : no_env;
	run.input = *text;
	if (hook->timeout.set && hook->timeout.v > 0 && hook->timeout.v < INT32_MAX / 1000)
		run.timeout_ms = (int)hook->timeout.v * 1000;
	r = capture_run(&run, err);
	if (r < 0)
		return err_wrap(err, r, "precreate hook");
	if (r > 0)
		return err_set(err, ERR_REMOTE, "precreate hook '%s': exit code %d%s%s", hook->path,
			       r, run.messages.len ? ": " : "", first_line(run.messages.buf));
	/* One that says nothing changes nothing. */
	if (run.output.len > 0)
		replace_ptr(*text, strbuf_take(&run.output));
	return 0;
}

int hooks_dir_precreate(const struct spec_facts *f, char **text, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->n_precreate; i++)
		r = run_precreate(&f->precreate[i], text, err);
	return hook_failed(r, err);
}
