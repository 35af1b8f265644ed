/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/validate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "core/str.h"
#include "spec/defaults.h"

/* Change a document by a merge patch (RFC 7386): objects are merged, null removes. */
static void merge(struct json_object *into, struct json_object *patch)
{
	json_object_object_foreach(patch, key, change)
	{
		struct json_object *old = NULL;

		if (!change)
			json_object_object_del(into, key);
		else if (json_object_is_type(change, json_type_object) &&
			 json_object_object_get_ex(into, key, &old) &&
			 json_object_is_type(old, json_type_object))
			merge(old, change);
		else
			json_object_object_add(into, key, json_object_get(change));
	}
}

/* The default configuration with a patch; apostrophes stand for quotes. */
static void patched(struct runtime_spec *ret, const char *patch_text)
{
	char *text = strdup(patch_text);
	struct runtime_spec base;
	struct json_object *value;
	struct json_object *patch;
	struct err err = ERR_INIT;

	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	patch = json_tokener_parse(text);
	assert_non_null(patch);
	runtime_spec_default(&base, &(struct spec_default_opts){ 0 });
	value = json_encode_value(&runtime_spec_desc, &base);
	runtime_spec_done(&base);
	merge(value, patch);
	if (json_decode_value(&runtime_spec_desc, ret, value, "patched", &err) < 0)
		fail_msg("%s", err.msg);
	json_object_put(value);
	json_object_put(patch);
	free(text);
}

struct refusal {
	const char *patch;
	const char *message; /* its beginning */
};

static void check_refusals(const struct refusal *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct err err = ERR_INIT;
		struct runtime_spec spec;

		patched(&spec, cases[i].patch);
		assert_true(runtime_spec_validate(&spec, &err) < 0);
		if (!str_has_prefix(err.msg, cases[i].message))
			fail_msg("%s gives '%s', not '%s'", cases[i].patch, err.msg,
				 cases[i].message);
		assert_true(err.kind == ERR_INVALID || err.kind == ERR_UNSUPPORTED);
		assert_true(runtime_spec_validate(&spec, NULL) < 0);
		runtime_spec_done(&spec);
	}
}

static void check_accepted(const char *const *patches, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct err err = ERR_INIT;
		struct runtime_spec spec;

		patched(&spec, patches[i]);
		if (runtime_spec_validate(&spec, &err) < 0)
			fail_msg("%s gives '%s'", patches[i], err.msg);
		runtime_spec_done(&spec);
	}
}

#define ALL_NAMESPACES                                                                             \
	"'namespaces':[{'type':'pid'},{'type':'network'},{'type':'ipc'},{'type':'uts'},"           \
	"{'type':'mount'},{'type':'user'},{'type':'cgroup'},{'type':'time'}]"
#define MAPPINGS                                                                                   \
	"'uidMappings':[{'containerID':0,'hostID':1,'size':9}],"                                   \
	"'gidMappings':[{'containerID':0,'hostID':1,'size':9}]"
#define USER_NAMESPACE "'namespaces':[{'type':'mount'},{'type':'uts'},{'type':'user'}]"

static void test_top_level(void **state UNUSED)
{
	static const struct refusal cases[] = {
		{ "{'ociVersion':null}", "ociVersion: missing, expected the version" },
		{ "{'ociVersion':'one'}", "ociVersion: 'one' is no version" },
		{ "{'ociVersion':'1'}", "ociVersion: '1' is no version" },
		{ "{'ociVersion':'2.0.0'}", "ociVersion: 2.0.0 is not supported, expected 1.x" },
		{ "{'ociVersion':'10.0.0'}", "ociVersion: 10.0.0 is not supported, expected 1.x" },
		{ "{'root':null}", "root: missing" },
		{ "{'annotations':{'':''}}", "annotations: a key is empty" },
		{ "{'root':{'path':null}}", "root.path: missing" },
		{ "{'vm':{'kernel':{'path':'/k'}}}", "vm: containers in virtual machines" },
		{ "{'process':null}", "process: missing, process property must not be empty" },
		{ "{'linux':{'namespaces':[{'type':'mount'}]}}",
		  "hostname: unable to set hostname without a private UTS namespace" },
		{ "{'hostname':null,'domainname':'d','linux':{'namespaces':[{'type':'mount'}]}}",
		  "domainname: unable to set domainname without a private UTS namespace" },
		{ "{'linux':null}", "hostname: " },
	};
	static const char *const accepted[] = {
		"{}",
		"{'ociVersion':'1.0.0-rc5'}",
		"{'ociVersion':'1.9.9'}",
		"{'ociVersion':'0.6.0'}",
		"{'linux':null,'hostname':null}",
		"{'hostname':'','linux':{'namespaces':[{'type':'mount'}]}}",
		"{'domainname':'d'}",
		"{'annotations':{'a':''}}",
		"{'windows':{},'zos':{},'process':{'commandLine':'x'}}",
	};

	check_refusals(cases, ARRAY_SIZE(cases));
	check_accepted(accepted, ARRAY_SIZE(accepted));
}

static void test_process(void **state UNUSED)
{
	static const struct refusal cases[] = {
		{ "{'process':{'cwd':null}}",
		  "process.cwd: missing, Cwd property must not be empty" },
		{ "{'process':{'cwd':'x'}}", "process.cwd: 'x', Cwd must be an absolute path" },
		{ "{'process':{'user':{'uid':4294967295,'gid':0}}}",
		  "process.user.uid: 4294967295 is no id, expected 0 to 4294967294" },
		{ "{'process':{'user':{'uid':0,'gid':4294967295}}}",
		  "process.user.gid: 4294967295" },
		{ "{'process':{'user':{'uid':0,'gid':0,'additionalGids':[7,4294967295]}}}",
		  "process.user.additionalGids: 4294967295" },
		{ "{'process':{'args':null}}", "process.args: missing, args must not be empty" },
		{ "{'process':{'args':[]}}", "process.args: missing, args must not be empty" },
		{ "{'process':{'args':['']}}", "process.args[0]: executable path is empty" },
		{ "{'process':{'env':['A=1','SECRET']}}",
		  "process.env[1]: invalid environment variable: missing '=', expected "
		  "NAME=VALUE" },
		{ "{'process':{'env':['=x']}}",
		  "process.env[0]: invalid environment variable: name is empty" },
		{ "{'process':{'rlimits':[{'type':'NOFILE'}]}}",
		  "process.rlimits[0].type: unknown value 'NOFILE', expected one of RLIMIT_" },
		{ "{'process':{'rlimits':[{'type':'RLIMIT_CPU','soft':1,'hard':1},{'type':"
		  "'RLIMIT_AS'},{'type':'RLIMIT_CPU'}]}}",
		  "process.rlimits[2].type: duplicate of process.rlimits[0]" },
		{ "{'process':{'rlimits':[{'type':'RLIMIT_CPU','soft':2,'hard':1}]}}",
		  "process.rlimits[0].soft: 2 is above the hard limit 1" },
		{ "{'process':{'oomScoreAdj':1001}}",
		  "process.oomScoreAdj: 1001, expected -1000 to 1000" },
		{ "{'process':{'execCPUAffinity':{'initial':'0-'}}}",
		  "process.execCPUAffinity.initial: '0-' is no list of CPUs" },
		{ "{'process':{'execCPUAffinity':{'final':'3-1'}}}",
		  "process.execCPUAffinity.final: '3-1' is no list of CPUs" },
		{ "{'process':{'execCPUAffinity':{'final':'1,,2'}}}",
		  "process.execCPUAffinity.final: '1,,2' is no list of CPUs" },
		{ "{'process':{'ioPriority':{'class':'RT','priority':1}}}",
		  "process.ioPriority.class: unknown value 'RT', expected one of IOPRIO_CLASS_RT, "
		  "IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE" },
		{ "{'process':{'ioPriority':{'class':'IOPRIO_CLASS_RT','priority':8}}}",
		  "process.ioPriority.priority: 8, expected 0 to 7" },
	};
	static const char *const accepted[] = {
		"{'process':{'env':['A=','B==','C=x=y']}}",
		"{'process':{'env':[]}}",
		"{'process':{'capabilities':{'bounding':['CAP_FUTURE']}}}",
		"{'process':{'rlimits':[{'type':'RLIMIT_CORE','hard':18446744073709551615}]}}",
		"{'process':{'oomScoreAdj':-1000}}",
		"{'process':{'execCPUAffinity':{'initial':'','final':'0-3, 7'}}}",
		"{'process':{'ioPriority':{'class':'IOPRIO_CLASS_BE','priority':0}}}",
	};

	check_refusals(cases, ARRAY_SIZE(cases));
	check_accepted(accepted, ARRAY_SIZE(accepted));
}

static void test_scheduler(void **state UNUSED)
{
#define SCHEDULER(x) "{'process':{'scheduler':{" x "}}}"
	static const struct refusal cases[] = {
		{ SCHEDULER("'nice':1"), "process.scheduler.policy: missing, expected one of "
					 "SCHED_OTHER" },
		{ SCHEDULER("'policy':'SCHED_X'"), "process.scheduler.policy: unknown value" },
		{ SCHEDULER("'policy':'SCHED_OTHER','nice':20"),
		  "process.scheduler.nice: 20, expected -20 to 19 with policy SCHED_OTHER" },
		{ SCHEDULER("'policy':'SCHED_BATCH','nice':-21"), "process.scheduler.nice: -21" },
		{ SCHEDULER("'policy':'SCHED_OTHER','priority':1"),
		  "process.scheduler.priority: 1, can only be given with policy SCHED_FIFO or "
		  "SCHED_RR" },
		{ SCHEDULER("'policy':'SCHED_FIFO'"),
		  "process.scheduler.priority: 0, expected 1 to 99 with policy SCHED_FIFO" },
		{ SCHEDULER("'policy':'SCHED_RR','priority':1,'runtime':1"),
		  "process.scheduler.runtime: can only be given with policy SCHED_DEADLINE" },
		{ SCHEDULER("'policy':'SCHED_OTHER','period':1"), "process.scheduler.period: can" },
		{ SCHEDULER("'policy':'SCHED_OTHER','flags':['X']"),
		  "process.scheduler.flags[0]: unknown value 'X', expected one of "
		  "SCHED_FLAG_RESET_ON_FORK" },
	};
	static const char *const accepted[] = {
		SCHEDULER("'policy':'SCHED_OTHER','nice':19,'priority':0,'runtime':0"),
		SCHEDULER("'policy':'SCHED_RR','priority':99"),
		SCHEDULER("'policy':'SCHED_DEADLINE','runtime':1,'deadline':2,'period':3"),
		SCHEDULER("'policy':'SCHED_IDLE','flags':['SCHED_FLAG_RECLAIM']"),
	};

	check_refusals(cases, ARRAY_SIZE(cases));
	check_accepted(accepted, ARRAY_SIZE(accepted));
}

static void test_mounts(void **state UNUSED)
{
#define MOUNT(x) "{'mounts':[{" x "}]}"
#define ONE_ID "[{'containerID':0,'hostID':1,'size':1}]"
	static const struct refusal cases[] = {
		{ MOUNT("'type':'proc'"), "mounts[0].destination: missing" },
		{ MOUNT("'destination':'/','type':'tmpfs'"),
		  "mounts[0].destination: '/' is the container's root itself" },
		{ MOUNT("'destination':'/a/../.','type':'tmpfs'"),
		  "mounts[0].destination: '/a/../.' is the container's root itself" },
		{ MOUNT("'destination':'/a'"), "mounts[0].type: missing" },
		{ MOUNT("'destination':'/a','type':'bind','options':['rbind']"),
		  "mounts[0].source: missing" },
		{ MOUNT("'destination':'/a','source':'/','options':['bind'],'uidMappings':" ONE_ID),
		  "mounts[0].gidMappings: missing, uidMappings and gidMappings go together" },
		{ MOUNT("'destination':'/a','source':'/','options':['bind'],'gidMappings':" ONE_ID),
		  "mounts[0].uidMappings: missing, uidMappings and gidMappings go together" },
		{ MOUNT("'destination':'/a','type':'tmpfs','uidMappings':" ONE_ID
			",'gidMappings':" ONE_ID),
		  "mounts[0]: id-mapped mounts are only supported for bind mounts" },
		{ MOUNT("'destination':'/a','type':'tmpfs','options':['idmap']"),
		  "mounts[0]: id-mapped mounts are only supported for bind mounts" },
		{ MOUNT("'destination':'/a','source':'/','options':['bind','ridmap']"),
		  "mounts[0].options: idmap without a user namespace" },
		{ MOUNT("'destination':'/a','source':'/','options':['bind'],'uidMappings':" ONE_ID
			",'gidMappings':[{'containerID':0,'hostID':0}]"),
		  "mounts[0].gidMappings[0].size: 0 ids from 0 and 0 on, expected at least 1" },
	};
	static const char *const accepted[] = {
		MOUNT("'destination':'a','type':'tmpfs'"),
		MOUNT("'destination':'/a','source':'relative','options':['bind']"),
		MOUNT("'destination':'/a','type':'tmpfs','options':['size=1k','made-up']"),
		MOUNT("'destination':'/a','options':['remount','ro']"),
		MOUNT("'destination':'/a','source':'/"
		      "','options':['rbind','idmap'],'uidMappings':" ONE_ID
		      ",'gidMappings':" ONE_ID),
		"{'mounts':[{'destination':'/a','source':'/','options':['bind','idmap']}],"
		"'linux':{" USER_NAMESPACE "," MAPPINGS "}}",
		"{'mounts':null}",
	};

	check_refusals(cases, ARRAY_SIZE(cases));
	check_accepted(accepted, ARRAY_SIZE(accepted));
}

static void test_hooks(void **state UNUSED)
{
	static const struct refusal cases[] = {
		{ "{'hooks':{'prestart':[{'path':'/a'},{'path':'b'}]}}",
		  "hooks.prestart[1].path: 'b' is not an absolute path" },
		{ "{'hooks':{'poststop':[{}]}}",
		  "hooks.poststop[0].path: '' is not an absolute path" },
		{ "{'hooks':{'createContainer':[{'path':'/a','timeout':0}]}}",
		  "hooks.createContainer[0].timeout: 0, expected seconds above 0" },
		{ "{'hooks':{'startContainer':[{'path':'/a','timeout':-5}]}}",
		  "hooks.startContainer[0].timeout: -5" },
		{ "{'hooks':{'createRuntime':[{'path':''}]}}", "hooks.createRuntime[0].path" },
		{ "{'hooks':{'poststart':[{'path':'./x'}]}}", "hooks.poststart[0].path" },
	};
	static const char *const accepted[] = {
		"{'hooks':{}}",
		"{'hooks':{'prestart':[{'path':'/a','args':['a'],'timeout':1}]}}",
	};

	check_refusals(cases, ARRAY_SIZE(cases));
	check_accepted(accepted, ARRAY_SIZE(accepted));
}

static void test_namespaces(void **state UNUSED)
{
#define LINUX(x) "{'linux':{" x "}}"
#define EXTENT(c, h, s) "{'containerID':" c ",'hostID':" h ",'size':" s "}"
	static const struct refusal cases[] = {
		{ LINUX("'namespaces':[{'type':'uts'},{'type':'net'}]"),
		  "linux.namespaces[1].type: unknown value 'net', expected one of pid, network, "
		  "mount, ipc, uts, user, cgroup, time" },
		{ LINUX("'namespaces':[{'type':'uts'},{'path':'/x'}]"),
		  "linux.namespaces[1].type: missing, expected one of pid" },
		{ LINUX("'namespaces':[{'type':'uts'},{'type':'pid'},{'type':'uts'}]"),
		  "linux.namespaces[2].type: duplicate of linux.namespaces[0], uts" },
		{ LINUX(USER_NAMESPACE ",'uidMappings':[" EXTENT("0", "0", "0") "]"),
		  "linux.uidMappings[0].size: 0 ids" },
		{ LINUX(USER_NAMESPACE ",'uidMappings':[" EXTENT("1", "0", "4294967295") "]"),
		  "linux.uidMappings[0].size: 4294967295 ids from 1 and 0 on" },
		{ LINUX(USER_NAMESPACE
			",'gidMappings':[" EXTENT("0", "10", "5") "," EXTENT("5", "14", "5") "]"),
		  "linux.gidMappings[1]: overlaps with linux.gidMappings[0]" },
		{ LINUX(USER_NAMESPACE
			",'gidMappings':[" EXTENT("0", "10", "5") "," EXTENT("4", "100", "5") "]"),
		  "linux.gidMappings[1]: overlaps with linux.gidMappings[0]" },
		{ LINUX("'timeOffsets':{'boottime':{'secs':1}}"),
		  "linux.timeOffsets: time namespace offsets specified, but time namespace isn't "
		  "enabled in the config" },
		{ LINUX("'namespaces':[{'type':'uts'},{'type':'mount'},{'type':'time',"
			"'path':'/t'}],'timeOffsets':{'boottime':{'secs':1}}"),
		  "linux.timeOffsets: the offsets of the time namespace at '/t'" },
		{ LINUX(ALL_NAMESPACES "," MAPPINGS ",'timeOffsets':{'realtime':{'secs':1}}"),
		  "linux.timeOffsets: unknown clock 'realtime', expected monotonic or boottime" },
		{ LINUX(ALL_NAMESPACES "," MAPPINGS
				       ",'timeOffsets':{'monotonic':{'nanosecs':1000000000}}"),
		  "linux.timeOffsets.monotonic.nanosecs: 1000000000, expected 0 to 999999999" },
		{ LINUX("'namespaces':[{'type':'uts'}]"),
		  "linux.maskedPaths: unable to restrict sys entries without a private MNT "
		  "namespace" },
		{ LINUX("'namespaces':[{'type':'uts'}],'maskedPaths':null"),
		  "linux.readonlyPaths: unable to restrict sys entries" },
	};
	static const char *const accepted[] = {
		LINUX(ALL_NAMESPACES "," MAPPINGS),
		LINUX(ALL_NAMESPACES "," MAPPINGS
				     ",'timeOffsets':{'monotonic':{'secs':-1,'nanosecs':1}}"),
		LINUX(USER_NAMESPACE ",'uidMappings':[" EXTENT("0", "0", "4294967295") "]"),
		LINUX(USER_NAMESPACE
		      ",'uidMappings':[" EXTENT("0", "10", "5") "," EXTENT("5", "15", "5") "]"),
		LINUX("'namespaces':[{'type':'mount'},{'type':'uts','path':''},{'type':'user',"
		      "'path':'/proc/1/ns/user'}]"),
		LINUX("'namespaces':[{'type':'mount'},{'type':'uts'},{'type':'user',"
		      "'path':'/x'}]," MAPPINGS),
		LINUX("'namespaces':[{'type':'uts'}],'maskedPaths':[],'readonlyPaths':null"),
	};

	check_refusals(cases, ARRAY_SIZE(cases));
	check_accepted(accepted, ARRAY_SIZE(accepted));
}

static void test_net_devices(void **state UNUSED)
{
	static const struct refusal cases[] = {
		{ LINUX("'namespaces':[{'type':'mount'},{'type':'uts'}],'netDevices':{'eth0':{}}"),
		  "linux.netDevices: unable to move network devices without a private NET "
		  "namespace" },
		{ LINUX("'netDevices':{'a/b':{}}"),
		  "linux.netDevices[\"a/b\"]: 'a/b' is no interface name" },
		{ LINUX("'netDevices':{'..':{}}"), "linux.netDevices[\"..\"]" },
		{ LINUX("'netDevices':{'':{}}"), "linux.netDevices[\"\"]" },
		{ LINUX("'netDevices':{'eth0':{'name':'a b'}}"),
		  "linux.netDevices[\"eth0\"]: 'a b' is no interface name" },
		{ LINUX("'netDevices':{'eth0':{'name':'sixteen-letters-'}}"),
		  "linux.netDevices[\"eth0\"]: 'sixteen-letters-' is no interface name" },
	};
	static const char *const accepted[] = {
		LINUX("'netDevices':{'eth0':{},'eth1':{'name':''},'eth2':{'name':'net%d'}}"),
	};

	check_refusals(cases, ARRAY_SIZE(cases));
	check_accepted(accepted, ARRAY_SIZE(accepted));
}

static void test_sysctl(void **state UNUSED)
{
#define HOST_LINUX(x) LINUX("'namespaces':[{'type':'mount'},{'type':'uts'}]," x)
	static const struct refusal cases[] = {
		{ HOST_LINUX("'sysctl':{'kernel.sem':'1'}"),
		  "linux.sysctl: sysctl \"kernel.sem\" is not allowed in the hosts ipc namespace" },
		{ HOST_LINUX("'sysctl':{'fs.mqueue.msg_max':'1'}"),
		  "linux.sysctl: sysctl \"fs.mqueue.msg_max\" is not allowed in the hosts ipc" },
		{ HOST_LINUX("'sysctl':{'net/ipv4/ip_forward':'1'}"),
		  "linux.sysctl: sysctl \"net/ipv4/ip_forward\" not allowed in host network "
		  "namespace" },
		{ HOST_LINUX("'sysctl':{'user.max_pid_namespaces':'1'}"),
		  "linux.sysctl: sysctl \"user.max_pid_namespaces\" is not in a separate kernel "
		  "namespace, add one to linux.namespaces of type user" },
		{ LINUX("'sysctl':{'kernel.hostname':'x'}"),
		  "linux.sysctl: sysctl \"kernel.hostname\" is not allowed as it conflicts with "
		  "the OCI \"hostname\" field" },
		{ LINUX("'sysctl':{'vm.swappiness':'1'}"),
		  "linux.sysctl: sysctl \"vm.swappiness\" is not in a separate kernel namespace" },
		{ LINUX("'sysctl':{'net/../vm/swappiness':'1'}"),
		  "linux.sysctl[\"net/../vm/swappiness\"]: no parameter has such a name" },
		{ LINUX("'sysctl':{'':'1'}"), "linux.sysctl[\"\"]: no parameter" },
		{ "{'hostname':null,'linux':{'namespaces':[{'type':'mount'}],"
		  "'sysctl':{'kernel.domainname':'x'}}}",
		  "linux.sysctl: sysctl \"kernel.domainname\" is not in a separate kernel "
		  "namespace" },
	};
	static const char *const accepted[] = {
		LINUX("'sysctl':{'net.ipv4.ip_forward':'1','kernel.msgmax':'1','kernel.domainname':"
		      "'d','fs.mqueue.msg_max':'1'}"),
		LINUX(ALL_NAMESPACES "," MAPPINGS ",'sysctl':{'user.max_pid_namespaces':'1'}"),
	};

	check_refusals(cases, ARRAY_SIZE(cases));
	check_accepted(accepted, ARRAY_SIZE(accepted));
}

static void test_devices_and_resources(void **state UNUSED)
{
#define RESOURCES(x) LINUX("'resources':{" x "}")
	static const struct refusal cases[] = {
		{ LINUX("'devices':[{'path':'/dev/x','type':'x'}]"),
		  "linux.devices[0].type: 'x', expected c, b, u or p" },
		{ LINUX("'devices':[{'path':'/dev/x'}]"), "linux.devices[0].type: ''" },
		{ LINUX("'devices':[{'type':'c'}]"), "linux.devices[0].path: missing" },
		{ LINUX("'devices':[{'path':'/dev/x','type':'c','major':-1,'minor':0}]"),
		  "linux.devices[0]: -1:0 is no device number" },
		{ RESOURCES("'devices':[{'allow':true,'type':'p'}]"),
		  "linux.resources.devices[0].type: 'p', expected a, b or c" },
		{ RESOURCES("'devices':[{'allow':true},{'allow':true,'access':'rx'}]"),
		  "linux.resources.devices[1].access: 'rx', expected some of r, w and m" },
		{ RESOURCES("'devices':[{'allow':true,'access':'a'}]"),
		  "linux.resources.devices[0].access: 'a', expected some of r, w and m" },
		{ RESOURCES("'devices':[{'allow':true,'major':-2}]"),
		  "linux.resources.devices[0]: -2:0 is no device number, expected -1 for any" },
		{ RESOURCES("'hugepageLimits':[{'pageSize':'../x','limit':1}]"),
		  "linux.resources.hugepageLimits[0].pageSize: '../x', expected a size such as" },
		{ RESOURCES("'hugepageLimits':[{'pageSize':'2M','limit':1}]"),
		  "linux.resources.hugepageLimits[0].pageSize: '2M'" },
		{ RESOURCES("'unified':{'a/b':'1'}"),
		  "linux.resources.unified: 'a/b' must be a file name (no slashes)" },
		{ RESOURCES("'unified':{'..':'1'}"), "linux.resources.unified: '..'" },
		{ LINUX("'rootfsPropagation':'none'"),
		  "linux.rootfsPropagation: unknown value 'none', expected one of private" },
		{ LINUX("'intelRdt':{'closID':'..'}"), "linux.intelRdt.closID: '..'" },
		{ LINUX("'intelRdt':{'closID':'a/b'}"), "linux.intelRdt.closID: 'a/b'" },
		{ LINUX("'personality':{'domain':'BSD'}"),
		  "linux.personality.domain: unknown value 'BSD', expected one of LINUX, LINUX32" },
	};
	static const char *const accepted[] = {
		LINUX("'devices':[{'path':'/dev/p','type':'p','major':-1},{'path':'/dev/u',"
		      "'type':'u','major':1,'minor':3}]"),
		RESOURCES("'devices':[{'allow':true,'type':'a','major':-1,'minor':-1,'access':''},"
			  "{'allow':false,'type':'','access':'mrw'}]"),
		RESOURCES("'hugepageLimits':[{'pageSize':'64KB','limit':1},{'pageSize':'1GB'}]"),
		RESOURCES("'unified':{'memory.high':'1'}"),
		LINUX("'resources':{}"),
		LINUX("'resources':null"),
		LINUX("'rootfsPropagation':''"),
		LINUX("'rootfsPropagation':'runbindable'"),
		LINUX("'intelRdt':{'closID':'/'}"),
		LINUX("'intelRdt':{}"),
		LINUX("'personality':{'domain':'LINUX32','flags':['x']}"),
	};

	check_refusals(cases, ARRAY_SIZE(cases));
	check_accepted(accepted, ARRAY_SIZE(accepted));
	assert_int_equal(oci_resources_validate(NULL, NULL), 0);
}

static void test_memory_policy(void **state UNUSED)
{
#define POLICY(x) LINUX("'memoryPolicy':{" x "}")
	static const struct refusal cases[] = {
		{ POLICY("'nodes':'0'"),
		  "linux.memoryPolicy.mode: invalid memory policy mode: missing, "
		  "expected one of MPOL_DEFAULT" },
		{ POLICY("'mode':'BIND'"),
		  "linux.memoryPolicy.mode: invalid memory policy mode: unknown value 'BIND'" },
		{ POLICY("'mode':'MPOL_LOCAL','nodes':'0'"),
		  "linux.memoryPolicy.nodes: '0', with mode MPOL_LOCAL set_mempolicy(2) takes no "
		  "nodes" },
		{ POLICY("'mode':'MPOL_BIND'"),
		  "linux.memoryPolicy.nodes: missing, mode MPOL_BIND needs at least one node" },
		{ POLICY("'mode':'MPOL_BIND','nodes':'a'"),
		  "linux.memoryPolicy.nodes: invalid memory policy nodes 'a'" },
		{ POLICY("'mode':'MPOL_BIND','nodes':'0','flags':['X']"),
		  "linux.memoryPolicy.flags[0]: invalid memory policy flag: unknown value 'X'" },
	};
	static const char *const accepted[] = {
		POLICY(""),
		POLICY("'mode':'MPOL_DEFAULT'"),
		POLICY("'mode':'MPOL_PREFERRED'"),
		POLICY("'mode':'MPOL_PREFERRED','nodes':'1'"),
		POLICY("'mode':'MPOL_WEIGHTED_INTERLEAVE','nodes':'0-1,3','flags':["
		       "'MPOL_F_STATIC_NODES','MPOL_F_RELATIVE_NODES']"),
	};

	check_refusals(cases, ARRAY_SIZE(cases));
	check_accepted(accepted, ARRAY_SIZE(accepted));
}

static void test_seccomp(void **state UNUSED)
{
#define SECCOMP(x) LINUX("'seccomp':{" x "}")
#define CALL(x) SECCOMP("'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{" x "}]")
	static const struct refusal cases[] = {
		{ SECCOMP("'syscalls':[{'names':['read'],'action':'SCMP_ACT_ALLOW'}]"),
		  "linux.seccomp.defaultAction: missing, expected one of SCMP_ACT_ALLOW" },
		{ SECCOMP("'defaultAction':'ALLOW'"),
		  "linux.seccomp.defaultAction: unknown value 'ALLOW'" },
		{ SECCOMP("'defaultAction':'SCMP_ACT_NOTIFY'"),
		  "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be used as default action" },
		{ SECCOMP("'defaultAction':'SCMP_ACT_KILL','architectures':['X86']"),
		  "linux.seccomp.architectures[0]: unknown value 'X86'" },
		{ SECCOMP("'defaultAction':'SCMP_ACT_KILL','flags':['LOG']"),
		  "linux.seccomp.flags[0]: unknown value 'LOG'" },
		{ CALL("'names':['read']"), "linux.seccomp.syscalls[0].action: missing" },
		{ CALL("'names':['read',''],'action':'SCMP_ACT_LOG'"),
		  "linux.seccomp.syscalls[0].names[1]: empty string is not a valid syscall" },
		{ CALL("'names':['a'],'action':'SCMP_ACT_LOG','args':[{'index':6,'op':"
		       "'SCMP_CMP_EQ'}]"),
		  "linux.seccomp.syscalls[0].args[0].index: 6, expected 0 to 5" },
		{ CALL("'names':['a'],'action':'SCMP_ACT_LOG','args':[{'index':5,'op':'EQ'}]"),
		  "linux.seccomp.syscalls[0].args[0].op: unknown value 'EQ', expected one of "
		  "SCMP_CMP_EQ" },
		{ CALL("'names':['read','write'],'action':'SCMP_ACT_NOTIFY'"),
		  "linux.seccomp.syscalls[0].action: SCMP_ACT_NOTIFY cannot be used for the write "
		  "syscall" },
		{ CALL("'names':['read'],'action':'SCMP_ACT_NOTIFY'"),
		  "linux.seccomp.listenerPath: missing" },
	};
	static const char *const accepted[] = {
		SECCOMP(""),
		SECCOMP("'defaultAction':'SCMP_ACT_ERRNO','architectures':['SCMP_ARCH_LOONGARCH64'"
			"],'flags':[]"),
		CALL("'names':['made_up'],'action':'SCMP_ACT_TRACE','errnoRet':7"),
		CALL("'names':[],'action':'SCMP_ACT_KILL'"),
		SECCOMP("'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/s','syscalls':[{'names':"
			"['mkdir'],'action':'SCMP_ACT_NOTIFY'}]"),
	};

	check_refusals(cases, ARRAY_SIZE(cases));
	check_accepted(accepted, ARRAY_SIZE(accepted));
}

static void test_rootless(void **state UNUSED)
{
	static const struct {
		const char *patch;
		const char *message; /* NULL: accepted */
	} cases[] = {
		{ "{}", "linux.namespaces: rootless container requires user namespaces" },
		{ "{'linux':null}", "linux.namespaces: rootless container requires user" },
		{ LINUX(USER_NAMESPACE),
		  "linux.uidMappings: rootless container requires at least one mapping" },
		{ LINUX(USER_NAMESPACE ",'uidMappings':" ONE_ID),
		  "linux.gidMappings: rootless container requires at least one mapping" },
		{ LINUX(ALL_NAMESPACES "," MAPPINGS ",'netDevices':{'eth0':{}}"),
		  "linux.netDevices: not supported for rootless containers" },
		{ "{'mounts':[{'destination':'/a','type':'tmpfs','options':['ro','size=1,gid=9']}],"
		  "'linux':{" USER_NAMESPACE "," MAPPINGS "}}",
		  "mounts[0].options: 'gid=9' names an id that a rootless container has no mapping "
		  "for" },
		{ "{'mounts':[{'destination':'/a','type':'tmpfs','options':['uid=x']}],"
		  "'linux':{" USER_NAMESPACE "," MAPPINGS "}}",
		  "mounts[0].options: 'uid=x'" },
		{ "{'mounts':[{'destination':'/a','type':'tmpfs','options':['uid=8,gid=0']}],"
		  "'linux':{" USER_NAMESPACE "," MAPPINGS "}}",
		  NULL },
		{ LINUX("'namespaces':[{'type':'mount'},{'type':'user','path':'/x'}]"), NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		struct runtime_spec spec;
		int r;

		patched(&spec, cases[i].patch);
		r = runtime_spec_validate_rootless(&spec, &err);
		assert_true(cases[i].message ? r < 0 : r == 0);
		if (cases[i].message && !str_has_prefix(err.msg, cases[i].message))
			fail_msg("%s gives '%s'", cases[i].patch, err.msg);
		runtime_spec_done(&spec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_top_level),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_scheduler),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_net_devices),
		cmocka_unit_test(test_sysctl),
		cmocka_unit_test(test_devices_and_resources),
		cmocka_unit_test(test_memory_policy),
		cmocka_unit_test(test_seccomp),
		cmocka_unit_test(test_rootless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
