/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/runtime_exec.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/proc.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "engine/conmon.h"

#define OUTPUT_MAX (16U << 20)

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

/* Both pipes to their end, whichever fills first: stdout first is safe, since what a runtime says on
 * stderr is short. */
static int collect(int out, int errors, struct strbuf *ret_out, struct strbuf *ret_errors)
{
	int r = io_read_all(out, OUTPUT_MAX, ret_out);
	int r2 = io_read_all(errors, OUTPUT_MAX, ret_errors);

	return r < 0 ? r : r2;
}

static int run(struct strvec *argv, struct strbuf *out, struct strbuf *errors, int *ret_status)
{
	int out_pipe[2] = { -EBADF, -EBADF };
	int err_pipe[2] = { -EBADF, -EBADF };
	auto_proc struct proc proc = PROC_INIT;
	int r = pipe2(out_pipe, O_CLOEXEC) < 0 ? -errno : 0;

	if (r == 0 && pipe2(err_pipe, O_CLOEXEC) < 0)
		r = -errno;
	if (r == 0)
		r = proc_spawn(&proc, &(struct proc_spawn_opts){
					      .argv = argv->v,
					      .stdio = { -1, out_pipe[1], err_pipe[1] },
				      });
	close_fd(&out_pipe[1]);
	close_fd(&err_pipe[1]);
	if (r == 0)
		r = collect(out_pipe[0], err_pipe[0], out, errors);
	close_fd(&out_pipe[0]);
	close_fd(&err_pipe[0]);
	return r < 0 ? r : proc_wait(&proc, -1, ret_status);
}

int runtime_call(struct container *c, const char *const *args, char **ret_output, struct err *err)
{
	auto_strvec struct strvec argv = STRVEC_INIT;
	auto_strbuf struct strbuf out = STRBUF_INIT;
	auto_strbuf struct strbuf errors = STRBUF_INIT;
	int status = 0;
	int r = engine_find_runtime(c->engine, err);

	if (r < 0)
		return r;
	strvec_add(&argv, c->engine->runtime);
	runtime_global_args(c->engine, &c->config, &argv);
	if (c->engine->cgroup_manager == ENGINE_SYSTEMD)
		strvec_add(&argv, "--systemd-cgroup");
	for (; *args; args++)
		strvec_add(&argv, *args);
	r = run(&argv, &out, &errors, &status);
	if (r < 0)
		return err_sys(err, r, "run OCI runtime '%s'", c->engine->runtime);
	if (status != 0)
		return conmon_runtime_error(NULL, errors.len > 0 ? errors.buf : NULL, err);
	if (ret_output)
		*ret_output = strbuf_take(&out);
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

	return runtime_call(c, args, NULL, err);
}

int runtime_pause(struct container *c, struct err *err)
{
	const char *const args[] = { "pause", c->config.id, NULL };

	return runtime_call(c, args, NULL, err);
}

int runtime_resume(struct container *c, struct err *err)
{
	const char *const args[] = { "resume", c->config.id, NULL };

	return runtime_call(c, args, NULL, err);
}

int runtime_update(struct container *c, const char *resources_file, struct err *err)
{
	const char *const args[] = { "update", "--resources", resources_file, c->config.id, NULL };

	return runtime_call(c, args, NULL, err);
}
