/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/preflight_check.h"

#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/str.h"

/* For all sockets that are open: k is what sock_diag tells about the socket. */
#define FOR_EACH_KNOWN_SOCKET(s, u, k)                                                             \
	for (const struct preflight_use *u = (s)->uses; u < (s)->uses + (s)->n_uses; u++)          \
		for (const struct sock_diag_socket *k = known_socket(s, u); k; k = NULL)

static bool is_socket(const struct preflight_file *f)
{
	return S_ISSOCK(f->mode) && f->path[0] != '/';
}

static const struct sock_diag_socket *known_socket(const struct preflight_snapshot *s,
						   const struct preflight_use *u)
{
	const struct preflight_file *f = preflight_file_of(s, u);

	return is_socket(f) ? sock_diag_find(&s->sockets, (uint32_t)f->ino) : NULL;
}

static bool is_tcp(const struct sock_diag_socket *k)
{
	return (k->family == AF_INET || k->family == AF_INET6) && k->protocol == IPPROTO_TCP;
}

static void check_tcp(const struct preflight_snapshot *s, struct preflight_report *report,
		      const char *check)
{
	FOR_EACH_KNOWN_SOCKET(s, u, k)
	{
		auto_free char *path = NULL;

		if (!is_tcp(k) || k->state == TCP_LISTEN || k->state == TCP_CLOSE)
			continue;
		path = xasprintf("%s - %s", k->local, k->remote);
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .use = u,
				      .path = path,
				      .message = xasprintf("TCP connection %s (%s)", path,
							   sock_diag_tcp_state(k->state)),
				      .option = PREFLIGHT_TCP_ESTABLISHED });
	}
}

static void check_tcp_in_flight(const struct preflight_snapshot *s, struct preflight_report *report,
				const char *check)
{
	FOR_EACH_KNOWN_SOCKET(s, u, k)
	if (is_tcp(k) && k->state == TCP_LISTEN && k->read_queue > 0)
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .use = u,
				      .path = k->local,
				      .message = xasprintf("%u TCP connection%s to %s not accepted "
							   "yet",
							   k->read_queue,
							   k->read_queue == 1 ? "" : "s", k->local),
				      .option = PREFLIGHT_TCP_SKIP_IN_FLIGHT,
				      .remedy = "or try again" });
}

static void check_udp(const struct preflight_snapshot *s, struct preflight_report *report,
		      const char *check)
{
	FOR_EACH_KNOWN_SOCKET(s, u, k)
	if ((k->family == AF_INET || k->family == AF_INET6) && k->protocol == IPPROTO_UDP &&
	    k->read_queue > 0)
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .severity = PREFLIGHT_WARNING,
				      .use = u,
				      .path = k->local,
				      .message = xasprintf("%u bytes of datagrams to UDP %s are "
							   "unread and will be lost",
							   k->read_queue, k->local) });
}

/* The kernel's names of protocols whose sockets CRIU keeps. */
static bool is_kept_protocol(const char *name)
{
	static const char *const kept[] = { "TCP",	"TCPv6",     "UDP",  "UDPv6",
					    "UDP-Lite", "UDPLITEv6", "UNIX", "UNIX-STREAM",
					    "NETLINK",	"PACKET",    "RAW",  "RAWv6",
					    "PING",	"PINGv6" };

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (strcmp(name, kept[i]) == 0)
			return true;
	return false;
}

static const char *protocol_of(const struct preflight_snapshot *s, const struct preflight_file *f)
{
	const struct sock_diag_socket *k = sock_diag_find(&s->sockets, (uint32_t)f->ino);

	if (k && k->protocol == IPPROTO_MPTCP && k->family != AF_NETLINK)
		return "MPTCP";
	return f->protocol;
}

static void check_protocol(const struct preflight_snapshot *s, struct preflight_report *report,
			   const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	{
		const char *protocol = is_socket(f) ? protocol_of(s, f) : NULL;
		bool is_mptcp;

		if (!protocol || is_kept_protocol(protocol))
			continue;
		is_mptcp = str_has_prefix(protocol, "MPTCP");
		preflight_add(
			report, s, check,
			(struct preflight_item){
				.use = u,
				.message = xasprintf("a socket of protocol %s, which CRIU cannot "
						     "keep",
						     protocol),
				.remedy = is_mptcp ? "use plain TCP (Go programs: "
						     "GODEBUG=multipathtcp=0)" :
						     "close it before the checkpoint" });
	}
}

/* The range of groups that may have such sockets is empty in a new namespace. */
static void check_ping(const struct preflight_snapshot *s, struct preflight_report *report,
		       const char *check)
{
	bool own_netns = s->n_processes &&
			 s->processes[0].ns[PREFLIGHT_NS_NET] != s->host.ns[PREFLIGHT_NS_NET];

	PREFLIGHT_FOR_EACH_USE(s, u, f)
	if (own_netns && is_socket(f) && f->protocol && str_has_prefix(f->protocol, "PING"))
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .use = u,
				      .message = xstrdup("an ICMP socket as ping uses it, which is "
							 "not allowed in the new network "
							 "namespace of a restore"),
				      .remedy = "close it before the checkpoint" });
}

static void check_namespace(const struct preflight_snapshot *s, struct preflight_report *report,
			    const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	if (is_socket(f) && f->netns)
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .use = u,
				      .message = xasprintf("%s is of a network namespace outside "
							   "of the container",
							   f->path),
				      .remedy = "close it: it was handed in from outside" });
}

static void check_netlink(const struct preflight_snapshot *s, struct preflight_report *report,
			  const char *check)
{
	FOR_EACH_KNOWN_SOCKET(s, u, k)
	{
		const char *what = NULL;
		const char *remedy = "close it before the checkpoint";

		if (k->family != AF_NETLINK)
			continue;
		if (k->read_queue > 0) {
			what = "a netlink socket with unread messages";
			remedy = "try again";
		} else if (k->has_high_netlink_groups) {
			what = "a netlink socket that listens to a group above 32, which CRIU "
			       "cannot "
			       "keep";
		} else if (k->netlink_groups && !k->netlink_port) {
			what = "a netlink socket that listens to groups without an address of its "
			       "own, which CRIU cannot keep";
			remedy = "bind(2) it in the program";
		}
		if (what)
			preflight_add(report, s, check,
				      (struct preflight_item){ .use = u,
							       .message = xstrdup(what),
							       .remedy = remedy });
	}
}

/* How CRIU could do without the other end: by a datagram socket's path, at which it must be there. */
static bool can_be_left(const struct sock_diag_socket *k, const struct sock_diag_socket *peer)
{
	return peer && peer->name && k->type == SOCK_DGRAM;
}

static bool is_unreachable(const struct preflight_snapshot *s, const struct sock_diag_socket *peer)
{
	return strvec_contains(&s->unreachable_sockets, peer->name);
}

/*
 * The other end must be in the container as well. CRIU can leave it out (ext-unix-sk) for datagram
 * sockets to a name, when the other end is of the same network namespace, where CRIU finds it.
 */
static void check_unix_outside(const struct preflight_snapshot *s, struct preflight_report *report,
			       const char *check)
{
	FOR_EACH_KNOWN_SOCKET(s, u, k)
	{
		const struct sock_diag_socket *peer = sock_diag_find(&s->sockets, k->peer);
		const char *name = peer ? peer->name : NULL;
		bool lost = peer && name && is_unreachable(s, peer);
		bool optional = can_be_left(k, peer) && !lost;

		if (k->family != AF_UNIX || k->peer == 0 || preflight_has_socket(s, k->peer))
			continue;
		preflight_add(
			report, s, check,
			(struct preflight_item){
				.use = u,
				.path = name,
				.message = xasprintf("a unix %s socket whose other end%s%s%s is "
						     "outside of the container",
						     k->type == SOCK_DGRAM ? "datagram" : "stream",
						     name ? ", '" : "", name ? name : "",
						     name ? "'," : ""),
				.option = optional ? PREFLIGHT_EXT_UNIX_SK : PREFLIGHT_NO_OPTION,
				.remedy = optional ? NULL :
					  lost && can_be_left(k, peer) ?
						     "have the path of that socket in the "
						     "container too, and use --ext-unix-sk" :
						     "close it before the checkpoint" });
	}
}

static void check_unix_pending(const struct preflight_snapshot *s, struct preflight_report *report,
			       const char *check)
{
	FOR_EACH_KNOWN_SOCKET(s, u, k)
	{
		bool was_closed = false;

		for (size_t i = 0; k->family == AF_UNIX && i < k->n_pending; i++)
			was_closed |= k->pending[i] == 0;
		if (was_closed)
			preflight_add(
				report, s, check,
				(struct preflight_item){
					.use = u,
					.path = k->name,
					.message = xasprintf("a connection to unix socket '%s' was "
							     "closed before it was accepted",
							     k->name ? k->name : ""),
					.remedy = "try again when it has been accepted" });
	}
}

/* The image gets the present name (socket_names.h). */
static void add_moved(const struct preflight_snapshot *s, struct preflight_report *report,
		      const char *check, const struct preflight_use *u, const char *name)
{
	const char *path = preflight_file_of(s, u)->socket_path;

	preflight_add(
		report, s, check,
		(struct preflight_item){
			.severity = PREFLIGHT_NOTE,
			.use = u,
			.path = path,
			.message =
				str_eq(name, path) ?
					xasprintf("unix socket '%s' has a name that fills the "
						  "whole address; after a restore getsockname(2) "
						  "says the last part of it alone",
						  name) :
					xasprintf("unix socket '%s' is '%s' now; a restore makes "
						  "it there, and getsockname(2) says so then",
						  name, path) });
}

static void add_misnamed(const struct preflight_snapshot *s, struct preflight_report *report,
			 const char *check, const struct preflight_use *u, const char *name)
{
	const struct preflight_file *f = preflight_file_of(s, u);
	bool is_linked = f->place != SOCKET_LOST;

	preflight_add(
		report, s, check,
		(struct preflight_item){
			.severity = PREFLIGHT_WARNING,
			.use = u,
			.path = f->socket_path,
			.message = is_linked ? xasprintf("unix socket '%s' has other names (hard "
							 "links), which do not lead to it after a "
							 "restore",
							 f->socket_path) :
					       xasprintf("unix socket '%s' is not at that name any "
							 "more, and no other was found that a "
							 "restore could give it",
							 name),
			.remedy = is_linked ? "use symbolic links" :
					      "keep it in the directory that it was made in, under "
					      "a name of at most 107 bytes" });
}

static void check_unix_name(const struct preflight_snapshot *s, struct preflight_report *report,
			    const char *check)
{
	FOR_EACH_KNOWN_SOCKET(s, u, k)
	{
		const struct preflight_file *f = preflight_file_of(s, u);

		if (f->place == SOCKET_MOVED || f->place == SOCKET_MOVED_AND_LINKED)
			add_moved(s, report, check, u, k->name);
		if (f->place == SOCKET_LINKED || f->place == SOCKET_MOVED_AND_LINKED ||
		    f->place == SOCKET_LOST)
			add_misnamed(s, report, check, u, k->name);
		if (f->place == SOCKET_BAD_NAME)
			preflight_add(report, s, check,
				      (struct preflight_item){
					      .use = u,
					      .path = f->socket_path,
					      .message = xasprintf(
						      "a unix socket was bound to the relative "
						      "name '%s' and is at '%s', which CRIU "
						      "cannot keep",
						      k->name, f->socket_path),
					      .remedy = "bind it to an absolute path" });
	}
}

static void check_unix_credentials(const struct preflight_snapshot *s,
				   struct preflight_report *report, const char *check)
{
	FOR_EACH_KNOWN_SOCKET(s, u, k)
	if (k->family == AF_UNIX && k->state != TCP_LISTEN && k->read_queue > 0 &&
	    preflight_file_of(s, u)->passes_credentials)
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .use = u,
				      .message = xstrdup("unread data with the sender's "
							 "credentials (SO_PASSCRED) in a unix "
							 "socket, which CRIU cannot keep"),
				      .remedy = "try again when it has been read" });
}

/* A restored network namespace has no devices but those that the runtime gives it. */
static void check_tun(const struct preflight_snapshot *s, struct preflight_report *report,
		      const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	if (u->tun_device)
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .use = u,
				      .path = u->tun_device,
				      .message = xasprintf("%s is attached to network device '%s', "
							   "which a restore does not bring back",
							   f->path, u->tun_device),
				      .remedy = "detach it before the checkpoint, or share the "
						"network namespace by path" });
}

const struct preflight_check preflight_socket_checks[] = {
	{ "tcp-established", check_tcp },
	{ "tcp-in-flight", check_tcp_in_flight },
	{ "udp-unread", check_udp },
	{ "socket-protocol", check_protocol },
	{ "socket-ping", check_ping },
	{ "socket-namespace", check_namespace },
	{ "socket-netlink", check_netlink },
	{ "unix-outside", check_unix_outside },
	{ "unix-pending", check_unix_pending },
	{ "unix-name", check_unix_name },
	{ "unix-credentials", check_unix_credentials },
	{ "tun-attached", check_tun },
	{ NULL, NULL },
};
