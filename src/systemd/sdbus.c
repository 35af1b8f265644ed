/* SPDX-License-Identifier: Apache-2.0 */
#include "systemd/sdbus.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "kernel/procfs.h"
#include "systemd/sdbus_library.h"
#include "systemd/sdbus_message.h"

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"
#define SYSTEM_SOCKET "/run/dbus/system_bus_socket"
#define PRIVATE_SOCKET "/run/systemd/private"

#define CALL_TIMEOUT_MS ((uint64_t)30000)
#define JOB_TIMEOUT_MS ((uint64_t)30000)

struct sdbus {
	struct sdbus_library lib;
	sd_bus *bus;
	int fd; /* the bus's own, to be given up in a child */
	bool user;
	unsigned int version;
	char *control_group;
	bool watches_jobs;
	char *job; /* object path of the job that is waited for; NULL: none */
	char *job_result; /* "done", "failed" ..., when it has ended */
};

bool sdbus_is_built(void)
{
	return true;
}

unsigned int sdbus_version(const struct sdbus *bus)
{
	return bus->version;
}

const char *sdbus_control_group(const struct sdbus *bus)
{
	return bus->control_group;
}

/* NSpid has a number for each namespace from that of /proc down to the process's own. */
static bool is_in_our_pid_namespace(pid_t pid)
{
	auto_procfs struct procfs proc = PROCFS_INIT;
	auto_free char *numbers = NULL;

	if (procfs_open(&proc, NULL) < 0)
		return false;
	numbers = procfs_status_field(&proc, pid, "NSpid");
	return numbers && numbers[strspn(numbers, "0123456789")] == '\0';
}

bool sdbus_shares_pids(const struct sdbus *bus)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	/* Who made the socket: systemd, or the bus that lives beside it. 0: above our namespace. */
	return getsockopt(bus->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid > 0 &&
	       is_in_our_pid_namespace(peer.pid);
}

/* --- calls --------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum err_kind kind;
} error_names[] = {
	{ SYSTEMD_NAME ".UnitExists", ERR_EXISTS },
	{ SYSTEMD_NAME ".NoSuchUnit", ERR_NOT_FOUND },
	{ "org.freedesktop.DBus.Error.AccessDenied", ERR_DENIED },
	{ "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", ERR_DENIED },
	{ "org.freedesktop.DBus.Error.Timeout", ERR_TIMEOUT },
	{ "org.freedesktop.DBus.Error.NoReply", ERR_TIMEOUT },
};

/* The error of a call, by its name on the bus; without one it is the connection's. */
static int call_failed(const sd_bus_error *error, int code, const char *what, const char *object,
		       struct err *err)
{
	enum err_kind kind = ERR_REMOTE;
	const char *text = error->message;
	size_t len = text ? strlen(text) : 0;

	if (!error->name || !text)
		return err_sys(err, code, "ask systemd to %s '%s'", what, object);
	for (size_t i = 0; i < ARRAY_SIZE(error_names); i++)
		if (str_eq(error->name, error_names[i].name))
			kind = error_names[i].kind;
	while (len > 0 && text[len - 1] == '.')
		len--;
	return err_set(err, kind, "ask systemd to %s '%s': %.*s", what, object, (int)len, text);
}

/* Send m and wait for the answer; both are given up. ret_path: the object path that the answer is, or
 * NULL. */
static int call(struct sdbus *bus, sd_bus_message *m, const char *what, const char *object,
		char **ret_path, struct err *err)
{
	const struct sdbus_library *lib = &bus->lib;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *path = NULL;
	int r = lib->call(bus->bus, m, CALL_TIMEOUT_MS * 1000, &error, &reply);

	if (r >= 0 && ret_path) {
		r = lib->message_read_basic(reply, 'o', &path);
		if (r == 0)
			r = -EBADMSG;
		if (r > 0)
			*ret_path = xstrdup(path);
	}
	if (r < 0)
		r = call_failed(&error, r, what, object, err);
	lib->error_free(&error);
	lib->message_unref(reply);
	lib->message_unref(m);
	return r < 0 ? r : 0;
}

/* A call of the manager; 0 and the message, or an error. */
static int new_call(struct sdbus *bus, const char *method, sd_bus_message **ret, struct err *err)
{
	int r = bus->lib.message_new_method_call(bus->bus, ret, SYSTEMD_NAME, MANAGER_PATH,
						 MANAGER_INTERFACE, method);

	return r < 0 ? err_sys(err, r, "make the D-Bus call '%s'", method) : 0;
}

/* --- jobs ---------------------------------------------------------------------------------- */

/* JobRemoved(u id, o job, s unit, s result). Runs only within sdbus_wait_job(), so that the job is
 * known. */
static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error UNUSED)
{
	struct sdbus *bus = userdata;
	const struct sdbus_library *lib = &bus->lib;
	uint32_t id;
	const char *job = NULL;
	const char *unit = NULL;
	const char *result = NULL;

	if (lib->message_read_basic(m, 'u', &id) > 0 && lib->message_read_basic(m, 'o', &job) > 0 &&
	    lib->message_read_basic(m, 's', &unit) > 0 &&
	    lib->message_read_basic(m, 's', &result) > 0 && bus->job && str_eq(job, bus->job))
		replace_ptr(bus->job_result, xstrdup(result));
	return 0;
}

/* Before the first job is asked for: it may be over before its number is known. systemd sends the signal
 * to whoever made the job, without a subscription. */
static int watch_jobs(struct sdbus *bus, struct err *err)
{
	int r;

	if (bus->watches_jobs)
		return 0;
	r = bus->lib.match_signal(bus->bus, NULL, SYSTEMD_NAME, MANAGER_PATH, MANAGER_INTERFACE,
				  "JobRemoved", on_job_removed, bus);
	if (r < 0)
		return err_sys(err, r, "listen to systemd's jobs");
	bus->watches_jobs = true;
	return 0;
}

static void forget_job(struct sdbus *bus)
{
	replace_ptr(bus->job, NULL);
	replace_ptr(bus->job_result, NULL);
}

int sdbus_wait_job(struct sdbus *bus, const char *unit, struct err *err)
{
	uint64_t deadline = clock_now_monotonic_ns() + JOB_TIMEOUT_MS * NSEC_PER_MSEC;
	int r = 0;

	while (!bus->job_result && r >= 0) {
		r = bus->lib.process(bus->bus, NULL);
		if (r != 0)
			continue;
		if (clock_ms_until(deadline) == 0)
			return err_set(err, ERR_TIMEOUT,
				       "systemd has not finished its job for unit '%s' within "
				       "%" PRIu64 " s",
				       unit, JOB_TIMEOUT_MS / 1000);
		r = bus->lib.wait(bus->bus, (uint64_t)clock_ms_until(deadline) * 1000);
		if (r == -EINTR)
			r = 0;
	}
	if (r < 0)
		return err_sys(err, r, "wait for systemd's job for unit '%s'", unit);
	if (!str_eq(bus->job_result, "done"))
		return err_set(err, ERR_REMOTE,
			       "systemd's job for unit '%s' ended as '%s' (journalctl %s-u '%s' "
			       "may say why)",
			       unit, bus->job_result, bus->user ? "--user " : "", unit);
	return 0;
}

/* The unit, and an argument unless it is NULL. */
static int append_unit(const struct sdbus *bus, sd_bus_message *m, const char *unit,
		       const char *argument, struct err *err)
{
	int r = bus->lib.message_append_basic(m, 's', unit);

	if (r >= 0 && argument)
		r = bus->lib.message_append_basic(m, 's', argument);
	return r < 0 ? err_sys(err, r, "name unit '%s' to systemd", unit) : 0;
}

static int append_no_auxiliary_units(const struct sdbus *bus, sd_bus_message *m, struct err *err)
{
	int r = bus->lib.message_open_container(m, 'a', "(sa(sv))");

	if (r >= 0)
		r = bus->lib.message_close_container(m);
	return r < 0 ? err_sys(err, r, "make the D-Bus call") : 0;
}

static int start_once(struct sdbus *bus, const char *unit, const struct systemd_plan *properties,
		      struct err *err)
{
	sd_bus_message *m = NULL;
	int r;

	forget_job(bus);
	r = new_call(bus, "StartTransientUnit", &m, err);
	if (r < 0)
		return r;
	r = append_unit(bus, m, unit, "replace", err);
	if (r == 0)
		r = sdbus_append_properties(&bus->lib, m, properties, err);
	if (r == 0)
		r = append_no_auxiliary_units(bus, m, err);
	if (r < 0) {
		bus->lib.message_unref(m);
		return r;
	}
	return call(bus, m, "start unit", unit, &bus->job, err);
}

int sdbus_start_unit(struct sdbus *bus, const char *unit, const struct systemd_plan *properties,
		     struct err *err)
{
	struct err first = ERR_INIT;
	int r = watch_jobs(bus, err);

	if (r < 0)
		return r;
	r = start_once(bus, unit, properties, &first);
	if (r < 0 && first.kind == ERR_EXISTS) {
		/* Left over from a container whose end systemd took for a failure. */
		sdbus_reset_failed(bus, unit);
		err_clear(&first);
		r = start_once(bus, unit, properties, &first);
	}
	if (r < 0 && err)
		*err = first;
	return r;
}

static int call_on_unit(struct sdbus *bus, const char *method, const char *unit,
			const char *argument, const char *what, char **ret_path, struct err *err)
{
	sd_bus_message *m = NULL;
	int r = new_call(bus, method, &m, err);

	if (r < 0)
		return r;
	r = append_unit(bus, m, unit, argument, err);
	if (r < 0) {
		bus->lib.message_unref(m);
		return r;
	}
	return call(bus, m, what, unit, ret_path, err);
}

int sdbus_stop_unit(struct sdbus *bus, const char *unit, struct err *err)
{
	int r = watch_jobs(bus, err);

	if (r < 0)
		return r;
	forget_job(bus);
	r = call_on_unit(bus, "StopUnit", unit, "replace", "stop unit", &bus->job, err);
	return r < 0 ? r : sdbus_wait_job(bus, unit, err);
}

void sdbus_reset_failed(struct sdbus *bus, const char *unit)
{
	struct err err = ERR_INIT;

	/* Not there, or not failed, as a rule. */
	if (call_on_unit(bus, "ResetFailedUnit", unit, NULL, "reset unit", NULL, &err) < 0)
		log_debug("%s", err.msg);
}

int sdbus_set_properties(struct sdbus *bus, const char *unit, const struct systemd_plan *properties,
			 struct err *err)
{
	const int runtime = 1; /* not beyond the next boot */
	sd_bus_message *m = NULL;
	int r = new_call(bus, "SetUnitProperties", &m, err);

	if (r < 0)
		return r;
	r = append_unit(bus, m, unit, NULL, err);
	if (r == 0 && bus->lib.message_append_basic(m, 'b', &runtime) < 0)
		r = err_set(err, ERR_INTERNAL, "make the D-Bus call");
	if (r == 0)
		r = sdbus_append_properties(&bus->lib, m, properties, err);
	if (r < 0) {
		bus->lib.message_unref(m);
		return r;
	}
	return call(bus, m, "change unit", unit, NULL, err);
}

int sdbus_attach_process(struct sdbus *bus, const char *unit, const char *subgroup, pid_t pid,
			 struct err *err)
{
	auto_systemd_value struct systemd_value pids = systemd_value_u32s((uint32_t)pid);
	sd_bus_message *m = NULL;
	int r;

	/* It would move whatever has that number there, anything in the user's part of the tree, and
	 * what it has moved ends with the unit. */
	if (!sdbus_shares_pids(bus))
		return err_set(err, ERR_UNSUPPORTED,
			       "ask systemd to put a process into unit '%s': it is in another pid "
			       "namespace, and takes no descriptors of processes here",
			       unit);
	r = new_call(bus, "AttachProcessesToUnit", &m, err);
	if (r < 0)
		return r;
	r = append_unit(bus, m, unit, subgroup, err);
	if (r == 0 && sdbus_append_value(&bus->lib, m, &pids) < 0)
		r = err_set(err, ERR_INTERNAL, "make the D-Bus call");
	if (r < 0) {
		bus->lib.message_unref(m);
		return r;
	}
	return call(bus, m, "put a process into unit", unit, NULL, err);
}

/* --- connecting ---------------------------------------------------------------------------- */

/* Where we looked, for messages; the caller owns it. */
static char *socket_name(bool user)
{
	const char *address = getenv(user ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS");
	const char *dir = getenv("XDG_RUNTIME_DIR");

	if (!str_is_empty(address))
		return xstrdup(address);
	if (!user)
		return xstrdup(SYSTEM_SOCKET);
	return str_is_empty(dir) ? NULL : xasprintf("%s/bus", dir);
}

static int not_reachable(bool user, const char *reason, struct err *err)
{
	auto_free char *socket = socket_name(user);

	if (!socket)
		return err_set(err, ERR_UNSUPPORTED,
			       "connect to the user's systemd for --systemd-cgroup: neither "
			       "DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set; log in with a "
			       "session, or use the cgroupfs driver (leave out --systemd-cgroup; "
			       "engines: cgroup manager 'cgroupfs')");
	return err_set(err, ERR_UNSUPPORTED,
		       "connect to the %s systemd for --systemd-cgroup through '%s': %s; where "
		       "systemd does not run, use the cgroupfs driver (leave out --systemd-cgroup; "
		       "engines: cgroup manager 'cgroupfs')",
		       user ? "user's" : "system's", socket, reason);
}

/* systemd's own socket, which root may use where there is no D-Bus (yet). */
static int connect_privately(struct sdbus *bus)
{
	sd_bus *private = NULL;
	int r = bus->lib.new(&private);

	if (r >= 0)
		r = bus->lib.set_address(private, "unix:path=" PRIVATE_SOCKET);
	if (r >= 0)
		r = bus->lib.start(private);
	if (r < 0) {
		bus->lib.unref(private);
		return r;
	}
	bus->bus = private;
	return 0;
}

static int connect_bus(struct sdbus *bus, struct err *err)
{
	int r = bus->user ? bus->lib.open_user(&bus->bus) : bus->lib.open_system(&bus->bus);

	if (r < 0 && !bus->user && connect_privately(bus) == 0)
		r = 0;
	if (r < 0)
		return not_reachable(bus->user, errno_text(r), err);
	bus->fd = bus->lib.get_fd(bus->bus);
	return 0;
}

static int get_property(struct sdbus *bus, const char *name, char **ret, struct err *err)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = bus->lib.get_property_string(bus->bus, SYSTEMD_NAME, MANAGER_PATH,
					     MANAGER_INTERFACE, name, &error, ret);

	/* The first word that is exchanged: only now is it known whether anybody is there. */
	if (r < 0)
		r = not_reachable(bus->user, error.message ? error.message : errno_text(r), err);
	bus->lib.error_free(&error);
	return r < 0 ? r : 0;
}

/* "252.38-1~deb12u1", "v255", "257~rc1" */
static unsigned int parse_version(const char *text)
{
	const char *digits = text + strcspn(text, "0123456789");
	unsigned long v = strtoul(digits, NULL, 10);

	return v < UINT32_MAX ? (unsigned int)v : 0;
}

static int get_acquainted(struct sdbus *bus, struct err *err)
{
	auto_free char *version = NULL;
	int r = get_property(bus, "Version", &version, err);

	if (r == 0)
		r = get_property(bus, "ControlGroup", &bus->control_group, err);
	if (r < 0)
		return r;
	bus->version = parse_version(version);
	log_debug("systemd %s, its cgroup is '%s'", version, bus->control_group);
	return 0;
}

int sdbus_open(struct sdbus **ret, bool user, struct err *err)
{
	struct sdbus *bus = xcalloc(1, sizeof(*bus));
	int r;

	bus->fd = -EBADF;
	bus->user = user;
	r = sdbus_library_load(&bus->lib, err);
	if (r == 0)
		r = connect_bus(bus, err);
	if (r == 0)
		r = get_acquainted(bus, err);
	if (r < 0) {
		sdbus_close(bus);
		return r;
	}
	*ret = bus;
	return 0;
}

void sdbus_close(struct sdbus *bus)
{
	if (!bus)
		return;
	if (bus->bus)
		bus->lib.flush_close_unref(bus->bus);
	forget_job(bus);
	free(bus->control_group);
	free(bus);
}

void sdbus_release_in_child(struct sdbus *bus)
{
	close_fd(&bus->fd);
}
