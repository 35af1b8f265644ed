/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe/image_common.h"

#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/parse.h"
#include "core/str.h"
#include "engine/containers_conf.h"
#include "engine/create.h"
#include "engine/event.h"
#include "engine/image_use.h"
#include "engine/records.h"

#define RETRY_MAX 100
/* Of those who say how long to wait, but not how often: podman's default. */
#define RETRY_WITH_DELAY 3

int image_store_open(const struct cli_invocation *inv, struct store *ret, struct err *err)
{
	struct engine *e = floe_engine(inv);
	auto_free char *preferred = NULL;
	struct store_options options;
	int r = engine_prepare(e, err);

	if (r == 0)
		r = engine_store_options(e, &options, &preferred, err);
	if (r == 0)
		r = store_open(ret, &options, err);
	if (r < 0)
		return r;
	r = images_open(ret, err);
	if (r < 0)
		store_close(ret);
	return r;
}

struct users {
	const char *id;
	struct strvec *ids;
};

static int collect_user(void *context, struct container_config *config,
			struct container_status *status UNUSED, struct err *err UNUSED)
{
	struct users *u = context;

	if (str_eq(config->image_id, u->id))
		strvec_add(u->ids, config->id);
	return 0;
}

int image_containers(const struct cli_invocation *inv, const char *id, struct strvec *ret,
		     struct err *err)
{
	struct users u = { id, ret };

	return record_each(floe_engine(inv), collect_user, &u, err);
}

void image_event(const struct cli_invocation *inv, const char *status, const char *id,
		 const char *name)
{
	event_object(floe_engine(inv), "image", status, id, name ? name : "");
}

int image_retries(const struct cli_invocation *inv, const struct opt_u64 *given,
		  struct skopeo_options *ret, struct err *err)
{
	const struct conf_engine *conf = &floe_engine(inv)->conf->engine;
	const struct opt_u64 *n = given->set ? given : &conf->retry;

	if (n->set)
		ret->retry = (uint32_t)MIN(n->v, (uint64_t)RETRY_MAX);
	if (!ret->retry_delay_ns && !str_is_empty(conf->retry_delay) &&
	    parse_duration(conf->retry_delay, &ret->retry_delay_ns) < 0)
		return err_set(err, ERR_INVALID,
			       "containers.conf: retry_delay '%s': expected a time such as 5s",
			       conf->retry_delay);
	if (!n->set && ret->retry_delay_ns)
		ret->retry = RETRY_WITH_DELAY;
	return 0;
}

int image_authfile_check(const char *authfile, struct err *err)
{
	if (!authfile || access(authfile, F_OK) == 0)
		return 0;
	return err_sys(err, -errno, "credential file is not accessible: faccessat %s", authfile);
}

int image_json_format_check(const char *format, struct err *err)
{
	if (format && !str_eq(format, "json"))
		return err_set(err, ERR_USAGE, "option '--format': only 'json' is known here");
	return 0;
}

int image_platform_parse(const char *platform, struct skopeo_options *skopeo, char **ret_text,
			 struct err *err)
{
	char *text;
	char *arch;
	char *variant;

	*ret_text = NULL;
	if (!platform)
		return 0;
	if (skopeo->arch || skopeo->os || skopeo->variant)
		return err_set(err, ERR_USAGE,
			       "--platform option can not be specified with --arch or --os%s",
			       skopeo->arch || skopeo->os ? "" : ", nor --variant");
	text = xstrdup(platform);
	*ret_text = text;
	arch = strchr(text, '/');
	if (!arch || arch == text || !arch[1])
		return err_set(err, ERR_USAGE, "option '--platform': '%s' is not OS/ARCH[/VARIANT]",
			       platform);
	*arch++ = '\0';
	variant = strchr(arch, '/');
	if (variant)
		*variant++ = '\0';
	skopeo->os = text;
	skopeo->arch = arch;
	skopeo->variant = variant;
	return 0;
}

int image_root_needed(const struct container *c, const char *what, struct err *err)
{
	if (!c->config.rootfs)
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		       "%s container '%s': its root is the directory '%s', not an image", what,
		       c->config.name, c->config.rootfs);
}
