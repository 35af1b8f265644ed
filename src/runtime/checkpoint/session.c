/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/session.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/path.h"
#include "core/str.h"
#include "criu/config_file.h"
#include "criu/log_tail.h"
#include "runtime/checkpoint/log_advice.h"
#include "runtime/checkpoint/options.h"

/* A directory by path, made when `create`; *ret_path is absolute. */
static int open_directory(const char *path, const char *what, bool create, char **ret_path,
			  int *ret_fd, struct err *err)
{
	auto_free char *absolute = path_absolute(path, NULL);
	int r = 0;

	if (!absolute)
		return err_sys(err, -errno, "find the current directory");
	if (create)
		r = fs_mkdir_all(AT_FDCWD, absolute, 0700, 0700);
	if (r < 0)
		return err_sys(err, r, "make %s directory '%s'", what, absolute);
	*ret_fd = fd_open_at(AT_FDCWD, absolute, O_RDONLY | O_DIRECTORY, 0);
	if (*ret_fd < 0)
		return err_sys(err, *ret_fd, "open %s directory '%s'", what, absolute);
	*ret_path = take_ptr(absolute);
	return 0;
}

int criu_session_open(struct criu_session *ret, const struct runtime *rt,
		      const struct criu_session_opts *opts, struct err *err)
{
	struct criu_find_opts find = { .configured = rt->criu_path };
	const char *image_path = opts->image_path ? opts->image_path : CHECKPOINT_DEFAULT_DIRECTORY;
	int r;

	r = open_directory(image_path, "image", opts->create_images, &ret->images_path,
			   &ret->images_fd, err);
	if (r == 0 && opts->work_path)
		r = open_directory(opts->work_path, "work", true, &ret->work_path, &ret->work_fd,
				   err);
	if (r < 0)
		return r;
	ret->log_path =
		path_join(ret->work_path ? ret->work_path : ret->images_path, opts->log_name);
	r = criu_find(&ret->location, &find, err);
	if (r == 0)
		criu_home_prepare(&ret->home, &ret->location, rt->root, rt->root_fd);
	return r;
}

/* A CRIU that came with libraries of its own must not load the plugins of another version. */
static void choose_plugins(const char *criu_path)
{
	auto_free char *directory = path_join(criu_path, "../../lib/criu");

	if (!getenv("CRIU_LIBS_DIR") && fs_exists(AT_FDCWD, directory))
		(void)setenv("CRIU_LIBS_DIR", directory, 1);
}

/* In the process that becomes criu. */
static int set_up(void *context)
{
	const struct criu_session *s = context;
	int r = s->setup ? s->setup(s->setup_context) : 0;

	choose_plugins(s->location.path);
	return r < 0 ? r : criu_home_enter(&s->home);
}

int criu_session_start(struct criu_session *s, const struct criu_client_opts *opts, struct err *err)
{
	struct criu_client_opts full = *opts;
	int r;

	full.program = s->location.path;
	full.log_path = s->log_path;
	s->setup = opts->setup;
	s->setup_context = opts->setup_context;
	full.setup = set_up;
	full.setup_context = s;
	log_debug("criu: '%s' (%s)", s->location.path, criu_source_to_string(s->location.source));
	r = criu_client_open(&s->client, &full, err);
	if (r < 0 && s->home.is_apart) {
		/* A home that cannot be made (an odd mount below /run) only costs time. */
		log_debug("criu: %s; without its own mounts", err ? err->msg : "not started");
		criu_home_give_up(&s->home);
		r = criu_client_open(&s->client, &full, err);
	}
	return r < 0 ? r : criu_client_version(&s->client, &s->version, err);
}

static void log_quotes(const struct criu_session *s, enum log_level level)
{
	auto_strvec struct strvec lines = STRVEC_INIT;

	if (!log_is_enabled(level) || criu_log_quote(AT_FDCWD, s->log_path, &lines) < 0 ||
	    lines.n == 0)
		return;
	log_write(level, "--- Quoting \"%s\"", s->log_path);
	for (size_t i = 0; i < lines.n; i++)
		log_write(level, "%s", lines.v[i]);
	log_write(level, "---");
}

int criu_session_explain(const struct criu_session *s, const struct criu_result *result,
			 bool *ret_known, struct err *err)
{
	auto_criu_log_finding struct criu_log_finding finding = CRIU_LOG_FINDING_INIT;
	int code = err ? err->code : -EREMOTEIO;
	int found;

	if (ret_known)
		*ret_known = true;
	log_quotes(s, LOG_LEVEL_DEBUG);
	/* A failure of ours (a hook, a full disk at descriptors.json) made CRIU fail, not the reverse. */
	if (!err || err->kind != ERR_REMOTE || str_has_prefix(err->msg, "error running"))
		return code;
	found = criu_log_explain(AT_FDCWD, s->log_path, &finding);
	if (found != 1 && *result->message)
		found = criu_log_explain_line(result->message, &finding);
	/* CRIU ends without a word about it. */
	if (found != 1 && geteuid() != 0)
		finding.cause = xstrdup("CRIU needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE; run "
					"the runtime as root");
	/* That it took too long is no cause. */
	if (ret_known)
		*ret_known = finding.cause &&
			     !(finding.option && str_has_prefix(finding.option, "timeout"));
	(void)log_advice_tell(&finding, err);
	err_append(err, " (criu's log: '%s')", s->log_path);
	return err->code;
}

void criu_session_quote(const struct criu_session *s)
{
	if (!log_is_enabled(LOG_LEVEL_DEBUG)) /* or it has been said already */
		log_quotes(s, LOG_LEVEL_WARNING);
}

static int pass_notification(void *context, struct criu_notification *notification, struct err *err)
{
	struct criu_session *s = context;
	pid_t pid;

	/* By its first word CRIU has probed the kernel. */
	if (str_has_prefix(notification->script, "pre-") &&
	    criu_client_pid(&s->client, &pid, NULL) == 0)
		criu_home_keep(&s->home, pid);
	return s->ops->notify ? s->ops->notify(s->ops_context, notification, err) : 0;
}

static void pass_answered(void *context)
{
	struct criu_session *s = context;

	if (s->ops->answered)
		s->ops->answered(s->ops_context);
}

static void warm_up(void *context)
{
	struct criu_session *s = context;

	criu_home_warm_up(&s->home);
}

/* The configuration file that a request names overrides it, and with it where the log goes. */
static void find_log(struct criu_session *s, const CriuReq *req)
{
	const char *config = req->opts ? req->opts->config_file : NULL;
	auto_free char *name = config ? criu_config_value(config, "log-file") : NULL;

	if (!name)
		return;
	replace_ptr(s->log_path, path_absolute(name, s->work_path ? s->work_path : s->images_path));
	s->client.opts.log_path = s->log_path;
}

int criu_session_run(struct criu_session *s, const CriuReq *req, const struct criu_notify_ops *ops,
		     void *context, struct criu_result *ret, struct err *err)
{
	static const struct criu_notify_ops passing = { .notify = pass_notification,
							.answered = pass_answered,
							.sent = warm_up };

	find_log(s, req);
	s->ops = ops;
	s->ops_context = context;
	return criu_client_run(&s->client, req, &passing, s, ret, err);
}

void criu_session_close(struct criu_session *s)
{
	criu_client_done(&s->client);
	criu_location_done(&s->location);
	criu_home_done(&s->home);
	free(s->images_path);
	free(s->work_path);
	free(s->log_path);
	close_fd(&s->images_fd);
	close_fd(&s->work_fd);
	*s = (struct criu_session)CRIU_SESSION_INIT;
}
