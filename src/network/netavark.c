/* SPDX-License-Identifier: Apache-2.0 */
#include "network/netavark.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/capture.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/path.h"
#include "core/program.h"
#include "core/str.h"

#define CONFIG_DIR "/run/containers/networks"
/* A bridge with many rules and a busy machine take seconds, not minutes. */
#define TIMEOUT_MS 120000

static const char *const directories[] = {
	"/usr/libexec/podman",	 "/usr/lib/podman", "/usr/local/libexec/podman",
	"/usr/local/lib/podman", "/usr/bin",	    "/usr/local/bin"
};

/* The program in the same directory; NULL when it is not there. */
static char *beside(const char *path, const char *name)
{
	auto_free char *dir = path_dirname(path);
	auto_free char *found = path_join(dir, name);

	return access(found, X_OK) == 0 ? take_ptr(found) : NULL;
}

int netavark_find(struct netavark *ret, const char *path, struct err *err)
{
	auto_free char *found = path ? xstrdup(path) :
				       program_in(directories, ARRAY_SIZE(directories), "netavark");
	char *aardvark = NULL;

	if (!found || access(found, X_OK) < 0)
		return err_set(err, ERR_NOT_FOUND,
			       "netavark, which makes networks, %s%s%s; install it (Debian: "
			       "netavark), or use --network none or host",
			       path ? "is not at '" : "is not installed", path ? path : "",
			       path ? "'" : "");
	if (path)
		aardvark = beside(path, "aardvark-dns");
	if (!aardvark)
		aardvark = program_in(directories, ARRAY_SIZE(directories), "aardvark-dns");
	*ret = (struct netavark){ .path = take_ptr(found),
				  .aardvark = aardvark,
				  .config_dir = CONFIG_DIR };
	return 0;
}

void netavark_done(struct netavark *nv)
{
	free(nv->path);
	free(nv->aardvark);
	*nv = (struct netavark)NETAVARK_INIT;
}

/* ---- the document ---- */

/* Everything in it is borrowed. */
struct input {
	char *container_id;
	char *container_name;
	char *container_hostname;
	struct network_port *port_mappings;
	size_t n_port_mappings;
	char **dns_servers;
	size_t n_dns_servers;
	struct network_attachment *networks;
	size_t n_networks;
	struct network *network_info;
	size_t n_network_info;
};

JSON_DESC_STATIC(input_desc, struct input,
		 F_STRING(struct input, container_id, "container_id", JSON_ALWAYS),
		 F_STRING(struct input, container_name, "container_name", JSON_ALWAYS),
		 F_STRING(struct input, container_hostname, "container_hostname", 0),
		 F_OBJECTS(struct input, port_mappings, struct network_port, "port_mappings", 0,
			   network_port_desc),
		 F_STRINGS(struct input, dns_servers, "dns_servers", 0),
		 F_OBJECT_MAP(struct input, networks, struct network_attachment, "networks",
			      JSON_ALWAYS, network_attachment_desc),
		 F_OBJECT_MAP(struct input, network_info, struct network, "network_info",
			      JSON_ALWAYS, network_desc));

char *netavark_input(const struct network_request *request, const struct network *networks)
{
	auto_free char *id = xstrdup(request->container_id);
	auto_free char *name = xstrdup(request->container_name);
	auto_free char *hostname = xstrdup(request->hostname);
	auto_free struct network *info =
		xmemdup(networks, request->n_attachments * sizeof(*networks));
	struct input input = {
		.container_id = id,
		.container_name = name,
		.container_hostname = hostname,
		.port_mappings = request->ports.v,
		.n_port_mappings = request->ports.n,
		.dns_servers = request->dns_servers.v,
		.n_dns_servers = request->dns_servers.n,
		.networks = request->attachments,
		.n_networks = request->n_attachments,
		.network_info = info,
		.n_network_info = request->n_attachments,
	};

	return json_encode(&input_desc, &input, JSON_COMPACT);
}

/* ---- running it ---- */

struct failure {
	char *error;
};

JSON_DESC_STATIC(failure_desc, struct failure,
		 F_STRING(struct failure, error, "error", JSON_REQUIRED));

/* Several errors come as several lines, with marks in front. */
static char *join_lines(const char *text)
{
	auto_strbuf struct strbuf line = STRBUF_INIT;

	while (*text) {
		size_t len = strcspn(text, "\n");
		size_t marks = strspn(text, " \t-");

		if (marks < len) {
			if (line.len)
				strbuf_adds(&line, line.buf[line.len - 1] == ':' ? " " : "; ");
			strbuf_add(&line, text + marks, len - marks);
		}
		text += len + (text[len] == '\n');
	}
	return strbuf_take(&line);
}

/* Its own words are on stdout, as {"error": "..."}. */
static int fail(const struct capture *exec, int status, struct err *err)
{
	struct failure failure = { 0 };
	auto_free char *line = NULL;
	const char *text = exec->messages.buf;
	int r;

	if (json_decode(&failure_desc, &failure, exec->output.buf, exec->output.len, "netavark",
			NULL) == 0)
		text = failure.error;
	line = join_lines(text);
	r = err_set(err, ERR_REMOTE, "netavark: %s", *line ? line : "failed without a word");
	if (!*line)
		err_append(err, " (exit status %d)", status);
	json_done(&failure_desc, &failure);
	return r;
}

static int run(const struct netavark *nv, const char *verb, const struct network_request *request,
	       const struct network *networks, const char *netns_path, struct capture *exec,
	       struct err *err)
{
	auto_free char *input = netavark_input(request, networks);
	auto_strvec struct strvec argv = STRVEC_INIT;
	int r = fs_mkdir_all(AT_FDCWD, nv->config_dir, 0755, 0755);

	if (r < 0)
		return err_sys(err, r, "make '%s'", nv->config_dir);
	strvec_add(&argv, nv->path);
	strvec_addf(&argv, "--config=%s", nv->config_dir);
	strvec_add(&argv, "--rootless=false");
	if (nv->aardvark)
		strvec_addf(&argv, "--aardvark-binary=%s", nv->aardvark);
	for (size_t i = 0; i < nv->n_plugin_dirs; i++)
		strvec_addf(&argv, "--plugin-directory=%s", nv->plugin_dirs[i]);
	strvec_add(&argv, verb);
	strvec_add(&argv, netns_path);
	exec->argv = argv.v;
	exec->input = input;
	exec->timeout_ms = TIMEOUT_MS;
	log_debug("netavark %s: %s", verb, input);
	r = capture_run(exec, err);
	exec->argv = NULL;
	exec->input = NULL;
	return r > 0 ? fail(exec, r, err) : r;
}

int netavark_setup(const struct netavark *nv, const struct network_request *request,
		   const struct network *networks, const char *netns_path,
		   struct network_status *ret, struct err *err)
{
	auto_capture struct capture exec = CAPTURE_INIT;
	int r = run(nv, "setup", request, networks, netns_path, &exec, err);

	return r < 0 ? r :
		       network_status_parse(ret, exec.output.buf, exec.output.len,
					    "answer of netavark", err);
}

int netavark_teardown(const struct netavark *nv, const struct network_request *request,
		      const struct network *networks, const char *netns_path, struct err *err)
{
	auto_capture struct capture exec = CAPTURE_INIT;

	return run(nv, "teardown", request, networks, netns_path, &exec, err);
}

int netavark_update(const struct netavark *nv, const struct network *network, struct err *err)
{
	auto_free char *file = xasprintf("%s/aardvark-dns/%s", nv->config_dir, network->name);
	auto_free char *internal = xasprintf("%s%%int", file);
	auto_strvec struct strvec argv = STRVEC_INIT;
	auto_strvec struct strvec servers = STRVEC_INIT;
	auto_capture struct capture exec = CAPTURE_INIT;
	int r;

	if (!nv->aardvark || (access(file, F_OK) < 0 && access(internal, F_OK) < 0))
		return 0;
	strvec_add_all(&servers, network->network_dns_servers, network->n_network_dns_servers);
	strvec_add(&argv, nv->path);
	strvec_addf(&argv, "--config=%s", nv->config_dir);
	strvec_add(&argv, "--rootless=false");
	strvec_addf(&argv, "--aardvark-binary=%s", nv->aardvark);
	strvec_add(&argv, "update");
	strvec_add(&argv, network->name);
	strvec_add(&argv, "--network-dns-servers");
	strvec_add_take(&argv, strvec_join(&servers, ","));
	exec.argv = argv.v;
	exec.timeout_ms = TIMEOUT_MS;
	r = capture_run(&exec, err);
	exec.argv = NULL;
	return r > 0 ? fail(&exec, r, err) : r;
}
