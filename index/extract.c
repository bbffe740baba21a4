/* The parent's side of extraction: one struct extractor has one zygote.
 *
 * States of a job: begun (bytes go into a memfd of our own) → sealed and sent
 * → the pipe is read until it and the zygote's ENDED report are both there, or
 * the deadline kills the decoder. Between jobs the zygote is idle: whenever
 * that cannot be said for sure it is killed and a new one started.
 */
#include "arkki/index/extract.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "index/extract_intake.h"
#include "index/extract_wire.h"
#include "index/formats/format.h"
#include "index/ocr.h"

enum {
	START_MS =
	    60000, /* loading the libraries takes 20 ms, and on a machine with far too much to do 20 s */
	KILLED_MS = 5000,   /* for the zygote to report a decoder that was killed */
	INTERRUPT_MS = 200, /* between looks whether the job is to be cut off */
	NOT_ENDED = -2,
};

struct extractor {
	struct extract_config config;
	char *program;
	pid_t zygote; /* 0: none runs */
	int control;
	char sandbox[160];
	atomic_bool interrupted;
};

struct extract_job {
	struct extractor *e;
	char media_type[WIRE_MEDIA_TYPE_SIZE];
	int memfd;
	uint32_t page;
	uint64_t size, fed;
};

/* ---- the zygote's life ---- */
static void zygote_end(struct extractor *e)
{
	if (e->control >= 0)
		close(e->control);
	e->control = -1;
	if (e->zygote > 0) {
		kill(e->zygote, SIGKILL);
		while (waitpid(e->zygote, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	e->zygote = 0;
}

/* 1: a report, 0: none in time, negative: the zygote is gone. */
static int next_report(const struct extractor *e, int timeout_ms, struct wire_report *ret)
{
	struct pollfd fd = {.fd = e->control, .events = POLLIN};
	ssize_t n;
	int ready;

	do
		ready = poll(&fd, 1, timeout_ms);
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		return 0;
	do
		n = recv(e->control, ret, sizeof(*ret), 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*ret))
		return -1;
	ret->text[sizeof(ret->text) - 1] = '\0';
	return 1;
}

/* posix_spawn, because other threads may hold any lock: nothing of ours runs between fork and
 * exec. The child starts with no signal blocked, none handled, and four descriptors. */
static int spawn(const struct extractor *e, int control, pid_t *ret_pid)
{
	char name[] = "arkki", command[] = EXTRACT_CHILD_COMMAND, locale[] = "LC_ALL=C.UTF-8";
	/* tesseract works with OpenMP: one thread, since a process with more cannot fork and go on */
	char kind[] = WIRE_KIND_OCR, threads[] = "OMP_THREAD_LIMIT=1";
	bool ocr = e->config.kind == EXTRACT_OCR;
	char *argv[] = {name, command, ocr ? kind : NULL, NULL};
	char *envp[] = {locale, ocr ? threads : NULL, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	r = posix_spawn_file_actions_init(&files);
	if (r != 0)
		return r;
	r = posix_spawnattr_init(&attr);
	if (r != 0) {
		posix_spawn_file_actions_destroy(&files);
		return r;
	}
	if ((r = posix_spawnattr_setsigmask(&attr, &none)) == 0 &&
	    (r = posix_spawnattr_setsigdefault(&attr, &all)) == 0 &&
	    (r = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)) ==
		0 &&
	    (r = posix_spawn_file_actions_adddup2(&files, control, WIRE_CONTROL_FD)) == 0 &&
	    (r = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0)) == 0 &&
	    (r = posix_spawn_file_actions_adddup2(&files, 0, 1)) == 0 &&
	    (r = posix_spawn_file_actions_adddup2(&files, 0, 2)) == 0 &&
	    (r = posix_spawn_file_actions_addclosefrom_np(&files, WIRE_CONTROL_FD + 1)) == 0)
		r = posix_spawn(ret_pid, e->program, &files, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return r;
}

static int zygote_start(struct extractor *e, struct ark_error *err)
{
	int pair[2] = {-1, -1}, theirs, r, status = ARK_OK;
	struct wire_report hello;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot make a socket pair for extraction");
	/* above 3, so that no action of the spawn overwrites it before it is used */
	theirs = fcntl(pair[1], F_DUPFD_CLOEXEC, WIRE_CONTROL_FD + 1);
	close(pair[1]);
	e->control = pair[0];
	r = theirs < 0 ? errno : spawn(e, theirs, &e->zygote);
	if (theirs >= 0)
		close(theirs);
	if (r != 0) {
		e->zygote = 0;
		errno = r;
		status = ark_fail_errno(err, ARK_EIO, "cannot start %s for extraction", e->program);
		goto out;
	}
	r = next_report(e, START_MS, &hello);
	if (r == 1 && hello.kind == REPORT_HELLO) {
		memcpy(e->sandbox, hello.text, sizeof(e->sandbox));
		goto out;
	}
	status = ark_fail(err, ARK_EIO, "the extraction sandbox cannot be used here: %s",
	    r == 1   ? hello.text
	    : r == 0 ? "its process does not answer"
		     : "its process ended at once");
out:
	if (status != ARK_OK)
		zygote_end(e);
	return status;
}

static void set_defaults(struct extract_config *c)
{
	bool ocr = c->kind == EXTRACT_OCR;

	if (!c->cpu_s && ocr && !c->wall_ms)
		c->cpu_s = 60;
	if (!c->wall_ms)
		c->wall_ms = ocr ? 90000 : 20000;
	if (!c->cpu_s)
		c->cpu_s = (c->wall_ms + 999) / 1000 + 1;
	if (!c->memory_limit)
		c->memory_limit = UINT64_C(1) << (ocr ? 31 : 30);
	if (!c->input_limit)
		c->input_limit = UINT64_C(256) << 20;
	if (!c->text_limit)
		c->text_limit = UINT64_C(1) << (ocr ? 20 : 26);
}

int extractor_new(
    const struct extract_config *config, struct extractor **ret, struct ark_error *err)
{
	struct extractor *e = calloc(1, sizeof(*e));
	int status = ARK_ENOMEM;

	if (!e)
		return ark_fail(err, ARK_ENOMEM, "no memory for an extractor");
	e->control = -1;
	if (config)
		e->config = *config;
	e->program = strdup(e->config.program ? e->config.program : "/proc/self/exe");
	e->config.program = NULL;
	if (!e->program) {
		ark_fail(err, ARK_ENOMEM, "no memory for an extractor");
		goto out;
	}
	set_defaults(&e->config);
	status = zygote_start(e, err);
	if (status == ARK_OK) {
		*ret = e;
		e = NULL;
	}
out:
	extractor_free(e);
	return status;
}

void extractor_free(struct extractor *e)
{
	if (!e)
		return;
	zygote_end(e);
	free(e->program);
	free(e);
}

void extractor_interrupt(struct extractor *e)
{
	atomic_store(&e->interrupted, true);
}

const char *extractor_sandbox(const struct extractor *e)
{
	return e->sandbox;
}

bool extract_reads(const struct extractor *e, const char *media_type, uint64_t size,
    char reason[EXTRACT_REASON_SIZE])
{
	char type[WIRE_MEDIA_TYPE_SIZE], charset[48];

	reason[0] = '\0';
	format_split_type(media_type, type, sizeof(type), charset, sizeof(charset));
	if (e->config.kind == EXTRACT_OCR ? !ocr_reads(type) : !format_find(type))
		snprintf(reason, EXTRACT_REASON_SIZE, "not a format arkki reads (%.100s)", type);
	else if (size > e->config.input_limit)
		snprintf(reason, EXTRACT_REASON_SIZE, "larger than the %llu MiB that are read",
		    (unsigned long long)(e->config.input_limit >> 20));
	else if (size == 0)
		snprintf(reason, EXTRACT_REASON_SIZE, "the file is empty");
	return reason[0] == '\0';
}

/* ---- a job ---- */
static int make_memfd(void)
{
	/* MFD_NOEXEC_SEAL is of Linux 6.3; older kernels refuse the flag */
	int fd = memfd_create("arkki-extract", MFD_CLOEXEC | MFD_ALLOW_SEALING | 0x0008U);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("arkki-extract", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd;
}

int extract_begin(struct extractor *e, const char *media_type, uint64_t size,
    struct extract_job **ret, struct ark_error *err)
{
	struct extract_job *job;

	if (size > e->config.input_limit)
		return ark_fail(err, ARK_EINPUT, "larger than the %llu MiB that are read",
		    (unsigned long long)(e->config.input_limit >> 20));
	job = calloc(1, sizeof(*job));
	if (!job)
		return ark_fail(err, ARK_ENOMEM, "no memory for an extraction");
	job->e = e;
	job->size = size;
	job->page = 1;
	snprintf(job->media_type, sizeof(job->media_type), "%s", media_type);
	job->memfd = make_memfd();
	if (job->memfd < 0) {
		free(job);
		return ark_fail_errno(err, ARK_EIO, "cannot make memory for an extraction");
	}
	*ret = job;
	return ARK_OK;
}

int extract_feed(struct extract_job *job, const void *bytes, size_t len, struct ark_error *err)
{
	int status;

	if (len > job->size - job->fed)
		return ark_fail(err, ARK_EINPUT, "more bytes to extract than announced");
	status = fs_write_all(job->memfd, bytes, len, err);
	if (status == ARK_OK)
		job->fed += len;
	return status;
}

void extract_page(struct extract_job *job, uint32_t page)
{
	job->page = page;
}

void extract_abort(struct extract_job *job)
{
	if (!job)
		return;
	close(job->memfd);
	free(job);
}

void extract_result_free(struct extract_result *r)
{
	buf_wipe_free(&r->text);
	buf_wipe_free(&r->words);
	free(r->bare_pages);
	memset(r, 0, sizeof(*r));
}

/* Gives the zygote the input and the writing end of a pipe; the reading end, or negative. */
static int send_job(const struct extract_job *job, struct ark_error *err)
{
	const struct extract_config *config = &job->e->config;
	struct wire_request request = {.kind = REQUEST_READ,
	    .cpu_s = config->cpu_s,
	    .wall_ms = config->wall_ms,
	    .page = job->page,
	    .size = job->size,
	    .memory_limit = config->memory_limit,
	    .text_limit = config->text_limit};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = &request, .iov_len = sizeof(request)};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int ends[2], fds[2];
	ssize_t n;

	memcpy(request.media_type, job->media_type, sizeof(request.media_type));
	if (pipe2(ends, O_CLOEXEC) < 0)
		return ark_fail_errno(err, ARK_EIO, "cannot make a pipe for extraction");
	fds[0] = job->memfd, fds[1] = ends[1];
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	do
		n = sendmsg(job->e->control, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	close(ends[1]);
	if (n == (ssize_t)sizeof(request))
		return ends[0];
	close(ends[0]);
	return ark_fail_errno(err, ARK_EIO, "the extraction process does not take work");
}

enum run_end { RUN_ENDED, RUN_LATE, RUN_STOPPED, RUN_LOST };

/* The decoder must go: asks for it, and waits for the report. */
static enum run_end stop(struct extractor *e, enum run_end why, int *wait_status)
{
	const struct wire_request request = {.kind = REQUEST_KILL};
	struct wire_report report;

	if (*wait_status != NOT_ENDED)
		return why;
	if (send(e->control, &request, sizeof(request), MSG_NOSIGNAL) != (ssize_t)sizeof(request) ||
	    next_report(e, KILLED_MS, &report) != 1 || report.kind != REPORT_ENDED)
		zygote_end(e); /* and its decoder with it; started again for the next job */
	return why;
}

/* Reads until the pipe has ended and the decoder too, or it has to be stopped. */
static enum run_end run(struct extractor *e, int fd, struct intake *in, int *wait_status)
{
	int64_t deadline = clock_monotonic_us() + (int64_t)e->config.wall_ms * 1000;
	struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = e->control, .events = POLLIN}};

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		int64_t left = (deadline - clock_monotonic_us() + 999) / 1000;
		struct wire_report report;

		if (left <= 0 || atomic_load(&e->interrupted))
			return stop(e, RUN_LATE, wait_status);
		if (poll(fds, 2, left < INTERRUPT_MS ? (int)left : INTERRUPT_MS) < 0 &&
		    errno != EINTR)
			return stop(e, RUN_LOST, wait_status);
		if (fds[0].fd >= 0 && fds[0].revents && !intake_read(in, fd))
			fds[0].fd = -1;
		if (in->broken || in->no_memory)
			return stop(e, RUN_STOPPED, wait_status);
		if (fds[1].fd >= 0 && fds[1].revents) {
			if (next_report(e, 0, &report) != 1 || report.kind != REPORT_ENDED)
				return RUN_LOST;
			*wait_status = report.wait_status;
			fds[1].fd = -1;
		}
		fds[0].revents = fds[1].revents = 0;
	}
	return RUN_ENDED;
}

static void crash_reason(const struct extract_config *config, int wait_status, char *out)
{
	unsigned long long mib = config->memory_limit >> 20;

	if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGSYS)
		snprintf(
		    out, EXTRACT_REASON_SIZE, "the decoder tried what it may not and was stopped");
	else if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGXCPU)
		snprintf(out, EXTRACT_REASON_SIZE, "took more than %u s of processor time",
		    config->cpu_s);
	else if (WIFSIGNALED(wait_status))
		snprintf(out, EXTRACT_REASON_SIZE, "the decoder crashed (signal %d)",
		    WTERMSIG(wait_status));
	else
		snprintf(out, EXTRACT_REASON_SIZE,
		    "the decoder gave up, as when %llu MiB of memory are not enough (exit %d)", mib,
		    WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1);
}

/* Why the decoder did not come to its own end; "" when it did. */
static void cut_reason(const struct extract_config *config, enum run_end end, int wait_status,
    const struct intake *in, char *out)
{
	out[0] = '\0';
	if (end == RUN_LATE && config->wall_ms >= 1000)
		snprintf(out, EXTRACT_REASON_SIZE, "took longer than %u s", config->wall_ms / 1000);
	else if (end == RUN_LATE)
		snprintf(out, EXTRACT_REASON_SIZE, "took longer than %u ms", config->wall_ms);
	else if (end != RUN_STOPPED && (wait_status != 0 || !in->last || in->raw.len))
		crash_reason(config, wait_status, out);
}

/* What came before a decoder was cut off is a part of the text. Not where it did what no decoder of ours does, and not
 * of a picture, whose text without the places of its words and their share of known ones is no use. */
static bool is_part(const struct extractor *e, enum run_end end, int wait_status)
{
	bool attacked =
	    wait_status != NOT_ENDED && WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGSYS;

	return e->config.kind == EXTRACT_TEXT && !atomic_load(&e->interrupted) && !attacked &&
	       (end == RUN_LATE || end == RUN_ENDED);
}

static void take_text(struct intake *in, struct extract_result *ret)
{
	ret->outcome = EXTRACT_READY;
	memcpy(ret->title, in->title, sizeof(ret->title));
	ret->pages = in->pages;
	/* pages that all are bare leave only what divides them */
	if (in->text.len && strspn(in->text.data, "\f\n") == in->text.len)
		buf_clear(&in->text);
	ret->text = in->text;
	memset(&in->text, 0, sizeof(in->text));
	ret->words = in->words;
	memset(&in->words, 0, sizeof(in->words));
	ret->bare_pages = in->bare;
	ret->bare_pages_len = in->bare_len;
	in->bare = NULL;
	ret->known = in->known;
}

/* The decoder did not come to say how many pages it had begun. */
static void take_part(const char *why, struct intake *in, struct extract_result *ret)
{
	uint32_t last_bare = in->bare_len ? in->bare[in->bare_len - 1] : 0;

	in->pages = 0;
	for (size_t i = 0; i < in->text.len; i++)
		in->pages += in->text.data[i] == '\f';
	if (in->pages || last_bare)
		in->pages++;
	if (in->pages < last_bare)
		in->pages = last_bare;
	take_text(in, ret);
	snprintf(ret->reason, sizeof(ret->reason), "only a part was read: %.130s", why);
}

/* Fills ret from what came; takes in->text when there is text. */
static void conclude(const struct extractor *e, enum run_end end, int wait_status,
    struct intake *in, struct extract_result *ret)
{
	char why[EXTRACT_REASON_SIZE];

	memset(ret, 0, sizeof(*ret));
	ret->outcome = EXTRACT_NONE;
	cut_reason(&e->config, end, wait_status, in, why);
	if (why[0] && is_part(e, end, wait_status) && intake_text_visible(in))
		take_part(why, in, ret);
	else if (why[0])
		memcpy(ret->reason, why, sizeof(ret->reason));
	else if (end == RUN_STOPPED || !intake_text_fair(in))
		snprintf(ret->reason, sizeof(ret->reason), "the decoder gave what is not text");
	else {
		memcpy(ret->reason, in->reason, sizeof(ret->reason));
		if (in->last != FRAME_NONE)
			take_text(in, ret);
	}
}

/* One run of the decoder. RUN_LOST comes back as ARK_ECONFLICT: the zygote died with the job. */
static int attempt(struct extract_job *job, struct extract_result *ret, struct ark_error *err)
{
	struct intake in = {.text = {.limit = job->e->config.text_limit + 1},
	    .words = {.limit = WIRE_WORDS_FACTOR * job->e->config.text_limit + 1}};
	struct extractor *e = job->e;
	int fd = -1, wait_status = NOT_ENDED, status = ARK_OK;
	enum run_end end;

	if (e->zygote == 0)
		status = zygote_start(e, err);
	if (status != ARK_OK)
		goto out;
	fd = send_job(job, err);
	if (fd < 0) {
		zygote_end(e);
		status = ARK_ECONFLICT;
		goto out;
	}
	end = run(e, fd, &in, &wait_status);
	if (end == RUN_LOST || wait_status == -1) {
		zygote_end(e);
		status = ark_fail(err, ARK_ECONFLICT, "the extraction process died at work");
	} else if (end == RUN_ENDED && !in.begun) {
		status = ark_fail(err, ARK_EIO, "the decoder could not enter its sandbox");
	} else if (in.no_memory) {
		status = ark_fail(err, ARK_ENOMEM, "no memory for the extracted text");
	} else {
		conclude(e, end, wait_status, &in, ret);
	}
out:
	if (fd >= 0)
		close(fd);
	intake_free(&in);
	return status;
}

int extract_finish(struct extract_job *job, struct extract_result *ret, struct ark_error *err)
{
	int status;

	if (job->fed != job->size) {
		status = ark_fail(err, ARK_EINPUT, "fewer bytes to extract than announced");
		goto out;
	}
	if (fcntl(job->memfd, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0) {
		status = ark_fail_errno(err, ARK_EIO, "cannot seal the bytes to extract");
		goto out;
	}
	status = attempt(job, ret, err);
	if (status == ARK_ECONFLICT) /* once more, with a new zygote */
		status = attempt(job, ret, err);
	if (status == ARK_ECONFLICT)
		status =
		    ark_fail(err, ARK_EIO, "the extraction process died twice at this document");
out:
	extract_abort(job);
	return status;
}
