/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/runtime_exec.h"

#include <json-c/json.h>

#include "core/alloc.h"
#include "core/capture.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/conmon.h"
#include "engine/conmon_cgroup.h"
#include "engine/sdnotify.h"

static const char *recorded(const struct container *c)
{
	return c->config.runtime ? c->config.runtime : engine_runtime_name(c->engine);
}

int container_find_runtime(struct container *c, struct err *err)
{
	const char *moved = c->engine->options->runtime;

	if (!c->runtime)
		c->runtime = engine_runtime_path(c->engine, recorded(c));
	if (!c->runtime && moved)
		c->runtime = engine_runtime_path(c->engine, moved);
	return c->runtime ?
		       0 :
		       err_set(err, ERR_NOT_FOUND,
			       "find OCI runtime '%s' of container '%s': no such program; tell "
			       "where it is with --runtime",
			       recorded(c), c->config.name);
}

const char *container_runtime_name(const struct container *c)
{
	return path_basename(recorded(c));
}

void runtime_global_args(const struct engine *e, const struct container_config *config,
			 struct strvec *ret)
{
	for (size_t i = 0; i < e->options->runtime_flags.n; i++)
		strvec_addf(ret, "--%s", e->options->runtime_flags.v[i]);
	if (str_eq(config->cgroups, "disabled")) {
		strvec_add(ret, "--cgroup-manager");
		strvec_add(ret, "disabled");
	}
}

bool runtime_uses_systemd(const struct container *c)
{
	return c->engine->cgroup_manager == ENGINE_SYSTEMD && !str_eq(c->config.cgroups, "split") &&
	       !str_eq(c->config.cgroups, "disabled");
}

int runtime_call(struct container *c, const char *const *args, char **ret_output, struct err *err)
{
	auto_strvec struct strvec argv = STRVEC_INIT;
	auto_strvec struct strvec env = STRVEC_INIT;
	auto_capture struct capture call = CAPTURE_INIT;
	int r = container_find_runtime(c, err);

	if (r < 0)
		return r;
	strvec_add(&argv, c->runtime);
	runtime_global_args(c->engine, &c->config, &argv);
	if (runtime_uses_systemd(c))
		strvec_add(&argv, "--systemd-cgroup");
	for (; *args; args++)
		strvec_add(&argv, *args);
	sdnotify_clean_environment(&env);
	call.argv = argv.v;
	call.envp = env.v;
	/* What it has begun for the container it shall end, also when somebody kills us. */
	call.outlives_us = true;
	r = capture_run(&call, err);
	if (r < 0)
		return err_wrap(err, r, "run OCI runtime");
	if (r > 0)
		return conmon_runtime_error(NULL, call.messages.len > 0 ? call.messages.buf : NULL,
					    err);
	if (ret_output)
		*ret_output = strbuf_take(&call.output);
	return 0;
}

int runtime_start(struct container *c, struct err *err)
{
	const char *const args[] = { "start", c->config.id, NULL };

	return runtime_call(c, args, NULL, err);
}

int runtime_kill(struct container *c, int signal_number, bool all, struct err *err)
{
	auto_free char *number = xasprintf("%d", signal_number);
	const char *const one[] = { "kill", c->config.id, number, NULL };
	const char *const every[] = { "kill", "--all", c->config.id, number, NULL };

	return runtime_call(c, all ? every : one, NULL, err);
}

int runtime_delete(struct container *c, struct err *err)
{
	const char *const args[] = { "delete", "--force", c->config.id, NULL };
	int r = runtime_call(c, args, NULL, err);

	/* Nobody else takes away what the runtime keeps: one that was killed over it gets another try. */
	if (r < 0 && container_find_runtime(c, NULL) == 0) {
		err_clear(err);
		r = runtime_call(c, args, NULL, err);
		container_cgroup_sweep(c);
	}
	return r;
}

bool runtime_can_checkpoint(struct container *c)
{
	const char *const args[] = { "checkpoint", "--help", NULL };

	return runtime_call(c, args, NULL, NULL) == 0;
}

int runtime_pause(struct container *c, struct err *err)
{
	const char *const args[] = { "pause", c->config.id, NULL };

	return runtime_call(c, args, NULL, err);
}

static bool is_running(struct container *c)
{
	const char *const args[] = { "state", c->config.id, NULL };
	auto_free char *text = NULL;
	struct json_object *state;
	struct json_object *status = NULL;
	bool running;

	if (runtime_call(c, args, &text, NULL) < 0)
		return false;
	state = json_tokener_parse(text);
	running = state && json_object_object_get_ex(state, "status", &status) &&
		  str_eq(json_object_get_string(status), "running");
	json_object_put(state);
	return running;
}

int runtime_resume(struct container *c, struct err *err)
{
	const char *const args[] = { "resume", c->config.id, NULL };
	int r = runtime_call(c, args, NULL, err);

	/* A checkpoint that failed has let it go already. */
	if (r >= 0 || !is_running(c))
		return r;
	if (err)
		err_clear(err);
	return 0;
}

int runtime_update(struct container *c, const char *resources_file, struct err *err)
{
	const char *const args[] = { "update", "--resources", resources_file, c->config.id, NULL };

	return runtime_call(c, args, NULL, err);
}
