/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/exec_process.h"

#include <string.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/parse.h"
#include "core/str.h"
#include "spec/validate.h"

/* json_decode_file() wants a regular file; callers also give pipes (<(...)). */
static int load_process(struct oci_process *ret, const char *path, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);
	int r = fd < 0 ? fd : io_read_all(fd, JSON_TEXT_MAX, &text);

	if (r < 0)
		return err_sys(err, r, "read process file '%s'", path);
	return json_decode(&oci_process_desc, ret, text.buf, text.len, path, err);
}

/* What the file leaves out is the container's, as in crun. */
static void inherit_labels(struct oci_process *process, struct oci_process *container)
{
	if (!process->apparmor_profile)
		process->apparmor_profile = take_ptr(container->apparmor_profile);
	if (!process->selinux_label)
		process->selinux_label = take_ptr(container->selinux_label);
}

static void free_strings(char ***v, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		free((*v)[i]);
	free(*v);
	*v = NULL;
	*n = 0;
}

static void replace_args(struct oci_process *process, char *const *args)
{
	free_strings(&process->args, &process->n_args);
	for (; *args; args++)
		json_strings_add(&process->args, &process->n_args, *args);
}

/* UID[:GID] */
static int set_user(struct oci_process *process, const char *user, struct err *err)
{
	auto_free char *copy = xstrdup(user);
	char *colon = strchr(copy, ':');

	if (colon)
		*colon++ = '\0';
	if (parse_u32(copy, &process->user.uid) < 0 ||
	    (colon && parse_u32(colon, &process->user.gid) < 0))
		return err_set(err, ERR_USAGE, "--user '%s': expected UID[:GID], both numbers",
			       user);
	return 0;
}

static int add_gids(struct oci_process *process, const struct strvec *gids, struct err *err)
{
	for (size_t i = 0; i < gids->n; i++) {
		uint32_t gid;

		if (parse_u32(gids->v[i], &gid) < 0)
			return err_set(err, ERR_USAGE, "--additional-gids '%s': expected a number",
				       gids->v[i]);
		*array_push(process->user.additional_gids, process->user.n_additional_gids) = gid;
	}
	return 0;
}

static void add_caps(struct oci_process *process, const struct strvec *caps)
{
	struct oci_capabilities *sets;

	if (caps->n == 0)
		return;
	if (!process->capabilities)
		process->capabilities = xcalloc(1, sizeof(*process->capabilities));
	sets = process->capabilities;
	for (size_t i = 0; i < caps->n; i++) {
		json_strings_add(&sets->bounding, &sets->n_bounding, caps->v[i]);
		json_strings_add(&sets->effective, &sets->n_effective, caps->v[i]);
		json_strings_add(&sets->permitted, &sets->n_permitted, caps->v[i]);
		/* Ambient capabilities must be inheritable (capabilities(7)). */
		if (sets->n_inheritable)
			json_strings_add(&sets->ambient, &sets->n_ambient, caps->v[i]);
	}
}

static int apply_options(struct oci_process *process, const struct exec_options *opts,
			 struct err *err)
{
	int r = 0;

	replace_args(process, opts->args);
	json_strings_add_all(&process->env, &process->n_env, opts->env.v, opts->env.n);
	/* The container's own terminal setting does not carry over. */
	process->terminal = opts->tty.set && opts->tty.v;
	if (opts->cwd)
		replace_ptr(process->cwd, xstrdup(opts->cwd));
	if (opts->no_new_privs)
		process->no_new_privileges = true;
	if (opts->apparmor)
		replace_ptr(process->apparmor_profile, xstrdup(opts->apparmor));
	if (opts->process_label)
		replace_ptr(process->selinux_label, xstrdup(opts->process_label));
	if (opts->user)
		r = set_user(process, opts->user, err);
	if (r == 0)
		r = add_gids(process, &opts->additional_gids, err);
	add_caps(process, &opts->caps);
	return r;
}

int exec_process_make(struct runtime_spec *spec, const struct exec_options *opts, struct err *err)
{
	int r;

	if (opts->process_file) {
		struct oci_process *process = xcalloc(1, sizeof(*process));

		r = load_process(process, opts->process_file, err);
		if (r < 0) {
			free(process);
			return r;
		}
		inherit_labels(process, spec->process);
		json_done(&oci_process_desc, spec->process);
		free(spec->process);
		spec->process = process;
	} else {
		r = apply_options(spec->process, opts, err);
		if (r < 0)
			return r;
	}
	return oci_process_validate(spec->process, err);
}
