/* SPDX-License-Identifier: Apache-2.0 */
#include "core/capture.h"

#include <ctype.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/proc.h"

void capture_done(struct capture *capture)
{
	strbuf_done(&capture->output);
	strbuf_done(&capture->messages);
}

static int read_back(int fd, size_t max, struct strbuf *ret)
{
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : io_read_all(fd, max, ret);
}

int capture_run(struct capture *capture, struct err *err)
{
	const char *program = capture->argv[0];
	auto_close int input = capture->input ? io_memory_file("input", capture->input) : -EBADF;
	auto_close int output = io_memory_file("output", NULL);
	auto_close int messages = io_memory_file("messages", NULL);
	struct proc_spawn_opts opts = { .argv = capture->argv,
					.envp = capture->envp,
					.stdio = { input, output, messages },
					.die_with_parent = !capture->outlives_us };
	auto_proc struct proc proc = PROC_INIT;
	int status;
	int r;

	if ((capture->input && input < 0) || output < 0 || messages < 0)
		return err_sys(err,
			       output < 0   ? output :
			       messages < 0 ? messages :
					      input,
			       "make a memory file for '%s'", program);
	r = proc_spawn(&proc, &opts);
	if (r < 0)
		return err_sys(err, r, "execute '%s'", program);
	r = proc_wait(&proc, capture->timeout_ms, &status);
	if (r == -ETIMEDOUT)
		return err_set(err, ERR_TIMEOUT, "'%s' was still busy after %d s and was killed",
			       program, capture->timeout_ms / 1000);
	if (r == 0)
		r = read_back(output, capture->output_max, &capture->output);
	if (r == 0)
		r = read_back(messages, capture->output_max, &capture->messages);
	if (r < 0)
		return err_sys(err, r, "read the output of '%s'", program);
	return proc_status_to_exit_code(status);
}

char *capture_text(char *const *argv, int timeout_ms)
{
	auto_capture struct capture run = CAPTURE_INIT;

	run.argv = argv;
	run.timeout_ms = timeout_ms;
	if (access(argv[0], X_OK) < 0 || capture_run(&run, NULL) != 0)
		return NULL;
	while (run.output.len > 0 && isspace((unsigned char)run.output.buf[run.output.len - 1]))
		run.output.buf[--run.output.len] = '\0';
	return xstrdup(run.output.buf);
}
