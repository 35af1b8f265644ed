/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/hook_file.h"

#include <fcntl.h>
#include <regex.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/str.h"

/* Schema 0.1.0, which is also that of files without a version. */
struct old_file {
	char *hook;
	char **arguments;
	size_t n_arguments;
	char **stages;
	size_t n_stages;
	char **cmds;
	size_t n_cmds;
	char **annotations;
	size_t n_annotations;
	struct opt_bool has_bind_mounts;
};

struct file_version {
	char *version;
};

/* clang-format off: one row a line. */
#define T struct hook_when
JSON_DESC_STATIC(when_desc, T, F_OPT_BOOL(T, always, "always", 0),
		 F_STRING_MAP(T, annotations, "annotations", 0),
		 F_STRINGS(T, commands, "commands", 0),
		 F_OPT_BOOL(T, has_bind_mounts, "hasBindMounts", 0));
#undef T
#define T struct oci_hook
JSON_DESC_STATIC(command_desc, T, F_STRING(T, path, "path", JSON_REQUIRED),
		 F_STRINGS(T, args, "args", 0), F_STRINGS(T, env, "env", 0),
		 F_OPT_I64(T, timeout, "timeout", 0));
#undef T
#define T struct hook_file
JSON_DESC_STATIC(hook_file_desc, T, F_STRING(T, version, "version", JSON_REQUIRED),
		 F_OBJECT(T, hook, struct oci_hook, "hook", JSON_REQUIRED, command_desc),
		 F_OBJECT(T, when, struct hook_when, "when", 0, when_desc),
		 F_STRINGS(T, stages, "stages", JSON_REQUIRED));
#undef T
#define T struct old_file
JSON_DESC_STATIC(old_file_desc, T, F_STRING(T, hook, "hook", JSON_REQUIRED),
		 F_STRINGS(T, arguments, "arguments", 0), F_STRINGS(T, stages, "stages", 0),
		 F_STRINGS(T, stages, "stage", JSON_DECODE_ONLY), F_STRINGS(T, cmds, "cmds", 0),
		 F_STRINGS(T, cmds, "cmd", JSON_DECODE_ONLY),
		 F_STRINGS(T, annotations, "annotations", 0),
		 F_STRINGS(T, annotations, "annotation", JSON_DECODE_ONLY),
		 F_OPT_BOOL(T, has_bind_mounts, "hasbindmounts", 0));
#undef T
/* clang-format on */
JSON_DESC_STATIC(file_version_desc, struct file_version,
		 F_STRING(struct file_version, version, "version", 0));

void hook_file_done(struct hook_file *file)
{
	for (size_t i = 0; i < file->when.n_values; i++)
		free(file->when.values[i]);
	free(file->when.values);
	json_done(&hook_file_desc, file);
	*file = (struct hook_file)HOOK_FILE_INIT;
}

static int load_old(struct hook_file *ret, const char *path, struct err *err)
{
	struct old_file old;
	int r = json_decode_file(&old_file_desc, &old, AT_FDCWD, path, err);

	if (r < 0)
		return r;
	*ret = (struct hook_file){
		.hook = { .path = take_ptr(old.hook) },
		.when = { .commands = take_ptr(old.cmds),
			  .n_commands = old.n_cmds,
			  .has_bind_mounts = old.has_bind_mounts,
			  .values = take_ptr(old.annotations),
			  .n_values = old.n_annotations,
			  .any = true },
		.stages = take_ptr(old.stages),
		.n_stages = old.n_stages,
	};
	old.n_cmds = old.n_annotations = old.n_stages = 0;
	json_strings_add(&ret->hook.args, &ret->hook.n_args, ret->hook.path);
	for (size_t i = 0; i < old.n_arguments; i++)
		json_strings_add(&ret->hook.args, &ret->hook.n_args, old.arguments[i]);
	json_done(&old_file_desc, &old);
	return 0;
}

int hook_file_load(struct hook_file *ret, const char *path, struct err *err)
{
	struct file_version v;
	int r = json_decode_file(&file_version_desc, &v, AT_FDCWD, path, err);

	if (r < 0)
		return r;
	if (!v.version || str_eq(v.version, "0.1.0"))
		r = load_old(ret, path, err);
	else if (str_eq(v.version, "1.0.0"))
		r = json_decode_file(&hook_file_desc, ret, AT_FDCWD, path, err);
	else
		r = err_set(err, ERR_UNSUPPORTED,
			    "version '%s' is not supported; there are 1.0.0 and 0.1.0", v.version);
	json_done(&file_version_desc, &v);
	return r;
}

/* ---- conditions ---- */

static int matches(const char *pattern, const char *text, bool *ret, struct err *err)
{
	regex_t regex;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return err_set(err, ERR_INVALID, "'%s' is no regular expression", pattern);
	*ret = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return 0;
}

/* Also without annotations both patterns are looked at: a mistake shall not wait for a container that has some. */
static int annotation_matches(const char *key, const char *value,
			      const struct json_string_map *have, bool *ret, struct err *err)
{
	bool key_ok;
	bool value_ok;
	int r = matches(key, "", &key_ok, err);

	*ret = false;
	if (r == 0)
		r = matches(value, "", &value_ok, err);
	for (size_t i = 0; r == 0 && !*ret && i < have->n; i++) {
		r = matches(key, have->v[i].key, &key_ok, err);
		if (r == 0)
			r = matches(value, have->v[i].value, &value_ok, err);
		*ret = r == 0 && key_ok && value_ok;
	}
	return r;
}

static int command_matches(const struct hook_when *when, const struct container_config *c,
			   bool *ret, struct err *err)
{
	const char *command = c->n_entrypoint > 0 ? c->entrypoint[0] :
			      c->n_command > 0	  ? c->command[0] :
						    "";
	int r = 0;

	*ret = false;
	for (size_t i = 0; r == 0 && i < when->n_commands; i++) {
		bool ok = false;

		r = matches(when->commands[i], command, &ok, err);
		*ret = *ret || ok;
	}
	return r;
}

struct tally {
	size_t given;
	size_t held;
};

static void count(struct tally *tally, bool holds)
{
	tally->given++;
	tally->held += holds;
}

static int count_patterns(struct tally *tally, const struct hook_when *when,
			  const struct container_config *c, struct err *err)
{
	bool ok = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < when->annotations.n; i++) {
		r = annotation_matches(when->annotations.v[i].key, when->annotations.v[i].value,
				       &c->annotations, &ok, err);
		count(tally, ok);
	}
	for (size_t i = 0; r == 0 && i < when->n_values; i++) {
		r = annotation_matches("", when->values[i], &c->annotations, &ok, err);
		count(tally, ok);
	}
	if (r == 0 && when->n_commands > 0) {
		r = command_matches(when, c, &ok, err);
		count(tally, ok);
	}
	return r;
}

int hook_file_applies(const struct hook_file *file, const struct container_config *config,
		      bool *ret, struct err *err)
{
	const struct hook_when *when = &file->when;
	struct tally tally = { 0 };
	int r;

	if (when->always.set)
		count(&tally, when->always.v);
	/* As podman has it: every mount that the user asked for is meant, and "false" is never true. */
	if (when->has_bind_mounts.set)
		count(&tally, when->has_bind_mounts.v && config->n_mounts > 0);
	r = count_patterns(&tally, when, config, err);
	*ret = r == 0 && tally.held > 0 && (when->any || tally.held == tally.given);
	return r;
}
