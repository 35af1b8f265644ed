/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/container_hooks.h"

#include <fcntl.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/fs.h"
#include "core/log.h"
#include "runtime/hooks.h"
#include "spec/runtime_state.h"

/* All borrowed: it is only encoded. */
static struct oci_state state_of(const struct container *c, enum container_status status,
				 char *status_name, int pid)
{
	return (struct oci_state){
		.oci_version = c->spec->oci_version,
		.id = c->id,
		.status = status_name,
		.pid = status == CONTAINER_STOPPED ? 0 :
		       pid			   ? pid :
						     c->record.pid,
		.bundle = c->record.bundle,
		.annotations = c->spec->annotations,
	};
}

char *container_hook_state(const struct container *c, enum container_status status, int pid)
{
	auto_free char *name = xstrdup(container_status_to_string(status));
	struct oci_state state = state_of(c, status, name, pid);

	return json_encode(&oci_state_desc, &state, JSON_COMPACT);
}

char *container_listener_state(const struct container *c, enum container_status status,
			       const struct runtime_spec *spec, int pid)
{
	auto_free char *name = xstrdup(container_status_to_string(status));
	char listener[] = "seccompFd";
	char *fds[] = { listener };
	const struct oci_seccomp_state state = {
		.oci_version = spec->oci_version,
		.fds = fds,
		.n_fds = ARRAY_SIZE(fds),
		.pid = pid,
		.metadata = spec->linux_->seccomp->listener_metadata,
		.state = state_of(c, status, name, 0),
	};

	return json_encode(&oci_seccomp_state_desc, &state, JSON_COMPACT);
}

/* Those of the runtime's namespaces begin in the bundle, where runc and crun are then; it may be gone. */
static const char *directory_of(const struct container *c)
{
	return fs_exists(AT_FDCWD, c->record.bundle) ? c->record.bundle : NULL;
}

static int run_list(const struct container *c, enum container_status status, const char *name,
		    const struct oci_hook *hooks, size_t n, struct err *err)
{
	auto_hooks_output struct hooks_output output = HOOKS_OUTPUT_INIT;
	auto_free char *state = NULL;
	struct hooks_options opts = { .name = name,
				      .hooks = hooks,
				      .n_hooks = n,
				      .cwd = directory_of(c),
				      .output = &output };
	int r;

	if (n == 0)
		return 0;
	r = hooks_output_open(&output, c->spec, err);
	if (r < 0)
		return r;
	state = container_hook_state(c, status, 0);
	opts.state = state;
	return hooks_run(&opts, err);
}

int container_run_create_hooks(const struct container *c, struct err *err)
{
	const struct oci_hooks *hooks = c->spec->hooks;
	int r;

	if (!hooks)
		return 0;
	r = run_list(c, CONTAINER_CREATING, "prestart", hooks->prestart, hooks->n_prestart, err);
	if (r < 0)
		return r;
	return run_list(c, CONTAINER_CREATING, "createRuntime", hooks->create_runtime,
			hooks->n_create_runtime, err);
}

int container_run_poststart(const struct container *c, struct err *err)
{
	const struct oci_hooks *hooks = c->spec->hooks;
	int r;

	if (!hooks)
		return 0;
	r = run_list(c, CONTAINER_RUNNING, "poststart", hooks->poststart, hooks->n_poststart, err);
	if (r < 0)
		(void)container_signal_init(c, SIGKILL);
	return r;
}

int container_run_post_restore(const struct container *c, const struct restore_hooks *hooks,
			       struct err *err)
{
	return run_list(c, CONTAINER_RUNNING, "post-restore", hooks->post_restore,
			hooks->n_post_restore, err);
}

void container_run_poststop(const struct container *c)
{
	const struct oci_hooks *hooks = c->spec ? c->spec->hooks : NULL;
	auto_hooks_output struct hooks_output output = HOOKS_OUTPUT_INIT;
	auto_free char *state = NULL;
	struct hooks_options opts = { .name = "poststop",
				      .cwd = directory_of(c),
				      .output = &output };
	struct err err = ERR_INIT;

	if (!hooks || hooks->n_poststop == 0)
		return;
	if (hooks_output_open(&output, c->spec, &err) < 0)
		log_warning("%s", err.msg);
	state = container_hook_state(c, CONTAINER_STOPPED, 0);
	opts.hooks = hooks->poststop;
	opts.n_hooks = hooks->n_poststop;
	opts.state = state;
	hooks_run_all(&opts);
}
