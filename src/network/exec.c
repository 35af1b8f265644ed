/* SPDX-License-Identifier: Apache-2.0 */
#include "network/exec.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/auto.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/proc.h"

#define OUTPUT_MAX (4U << 20)

void network_exec_done(struct network_exec *exec)
{
	strbuf_done(&exec->output);
	strbuf_done(&exec->messages);
}

/* Memory files in the place of pipes: nobody has to read while the other writes. */
static int memory_file(const char *content)
{
	auto_close int fd = memfd_create("floe-network", MFD_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (content)
		r = io_write_all(fd, content, strlen(content));
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	return r < 0 ? r : take_fd(fd);
}

static int read_back(int fd, struct strbuf *ret)
{
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : io_read_all(fd, OUTPUT_MAX, ret);
}

int network_exec(struct network_exec *exec, struct err *err)
{
	auto_close int input = memory_file(exec->input);
	auto_close int output = memory_file(NULL);
	auto_close int messages = memory_file(NULL);
	struct proc_spawn_opts opts = { .argv = exec->argv,
					.envp = exec->envp,
					.stdio = { input, output, messages },
					.die_with_parent = true };
	auto_proc struct proc proc = PROC_INIT;
	int status;
	int r;

	if (input < 0 || output < 0 || messages < 0)
		return err_sys(err,
			       input < 0  ? input :
			       output < 0 ? output :
					    messages,
			       "make a memory file for '%s'", exec->argv[0]);
	r = proc_spawn(&proc, &opts);
	if (r < 0)
		return err_sys(err, r, "execute '%s'", exec->argv[0]);
	r = proc_wait(&proc, exec->timeout_ms, &status);
	if (r == -ETIMEDOUT)
		return err_set(err, ERR_TIMEOUT, "'%s' was still busy after %d s and was killed",
			       exec->argv[0], exec->timeout_ms / 1000);
	if (r == 0)
		r = read_back(output, &exec->output);
	if (r == 0)
		r = read_back(messages, &exec->messages);
	if (r < 0)
		return err_sys(err, r, "read the output of '%s'", exec->argv[0]);
	return proc_status_to_exit_code(status);
}
