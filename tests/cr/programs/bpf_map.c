/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/bpf.h>
#include <sys/syscall.h>

#include "test.h"

static long call_bpf(int command, union bpf_attr *attributes)
{
	return syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static void run(void)
{
	union bpf_attr attributes = {
		.map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 16
	};
	uint32_t key = 5;
	uint64_t value = 12345;
	long fd = call_bpf(BPF_MAP_CREATE, &attributes);

	if (fd < 0)
		skip("bpf() is not allowed here: %s", strerror(errno));
	memset(&attributes, 0, sizeof(attributes));
	attributes.map_fd = (uint32_t)fd;
	attributes.key = (uint64_t)(uintptr_t)&key;
	attributes.value = (uint64_t)(uintptr_t)&value;
	must(call_bpf(BPF_MAP_UPDATE_ELEM, &attributes));
	wait_for_restore();
	value = 0;
	must(call_bpf(BPF_MAP_LOOKUP_ELEM, &attributes));
	check(value == 12345, "the value is %llu", (unsigned long long)value);
}
PROGRAM(bpf_map, run, .subject = "BPF maps", .refused = "bpf-map")
