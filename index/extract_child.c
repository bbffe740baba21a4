/* The other side of extraction: the zygote, and the decoders it forks.
 *
 * The zygote has one thread, loads the libraries once, and runs no decoder on
 * a stranger's bytes itself. It lives as long as its control socket: the
 * parent's death closes that, whichever of its threads made it (a parent-death
 * signal would follow the thread, not the process). A decoder gets that signal
 * from the zygote, which has one thread only.
 *
 * A decoder holds: 0–2 /dev/null, 3 its input, 4 the pipe, 5 the way to its helper programs where its
 * format may want some, and nothing else.
 */
#include "index/extract_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arkki/base/clock.h"
#include "arkki/base/fs.h"
#include "arkki/base/text.h"
#include "arkki/index/extract.h"
#include "index/extract_programs.h"
#include "index/extract_sandbox.h"
#include "index/extract_wire.h"
#include "index/ocr.h"

enum {
	EXIT_NO_SANDBOX = 81, /* the sandbox could not be entered */
	EXIT_LEAK = 82,       /* trial only: something got through */
};

/* ---- the decoder ---- */
static void frame(char kind, const char *bytes, size_t len)
{
	unsigned char head[WIRE_FRAME_HEADER] = {(unsigned char)kind};

	be32_put(head + 1, (uint32_t)len);
	if (fs_write_all(WIRE_PIPE_FD, head, sizeof(head), NULL) != ARK_OK ||
	    fs_write_all(WIRE_PIPE_FD, bytes, len, NULL) != ARK_OK)
		_exit(1); /* nobody reads any more */
}

static void frame_text(void *arg, const char *bytes, size_t len)
{
	(void)arg;
	frame(FRAME_TEXT, bytes, len);
}

static void frame_number(char kind, uint32_t number)
{
	unsigned char bytes[4];

	be32_put(bytes, number);
	frame(kind, (const char *)bytes, sizeof(bytes));
}

static void frame_bare(void *arg, uint32_t page)
{
	uint32_t *told = arg;

	if ((*told)++ < WIRE_BARE_MAX)
		frame_number(FRAME_BARE, page);
}

/* What only a picture gives. */
static void finish_picture(const struct ocr_page *page)
{
	for (size_t at = 0; at < page->words.len; at += WIRE_FRAME_MAX) {
		size_t n = page->words.len - at;

		frame(FRAME_WORDS, page->words.data + at, n < WIRE_FRAME_MAX ? n : WIRE_FRAME_MAX);
	}
	frame_number(FRAME_KNOWN, page->known);
}

static void finish(struct textsink *out, enum format_outcome outcome)
{

	textsink_flush(out);
	if (outcome == FORMAT_NONE) {
		frame(FRAME_NONE, out->reason, strlen(out->reason));
		return;
	}
	if (out->full)
		snprintf(out->reason, sizeof(out->reason), "only the first %llu MiB of its text",
		    (unsigned long long)(out->limit >> 20));
	frame_number(FRAME_PAGES, out->pages);
	frame(FRAME_TITLE, out->title, strlen(out->title));
	frame(FRAME_DONE, out->reason, strlen(out->reason));
}

/* ocr: NULL in a zygote of texts. */
static enum format_outcome decode(const struct wire_request *request, const struct format *extra,
    struct ocr *ocr, struct ocr_page *page, struct textsink *out)
{
	char type[WIRE_MEDIA_TYPE_SIZE], charset[48];
	struct format_input in = {.len = request->size, .media_type = type, .charset = charset};
	const struct format *format;
	void *bytes;

	format_split_type(request->media_type, type, sizeof(type), charset, sizeof(charset));
	format = extra && extra->reads(type) ? extra : ocr ? NULL : format_find(type);
	if (!format && !(ocr && ocr_reads(type)))
		return format_none(out, "not a format arkki reads (%.100s)", type);
	if (request->size == 0)
		return format_none(out, "the file is empty");
	bytes = mmap(NULL, request->size, PROT_READ, MAP_PRIVATE, WIRE_INPUT_FD, 0);
	if (bytes == MAP_FAILED)
		return format_none(out, "needs more memory than a decoder may use");
	in.bytes = bytes;
	if (!format)
		return ocr_read(ocr, &in, page, out);
	if (format != extra)
		format = format_for(&in);
	return format->read(&in, out);
}

/* Before the sandbox, which forbids it. Without them only the formats that want one have no text. */
static void start_programs(const struct wire_request *request, const struct format *extra,
    const struct sandbox_limits *limits)
{
	char type[WIRE_MEDIA_TYPE_SIZE], charset[48];
	const struct format *format;

	format_split_type(request->media_type, type, sizeof(type), charset, sizeof(charset));
	format = extra && extra->reads(type) ? extra : format_find(type);
	if (format && format->programs && !programs_start(format->programs, limits))
		close(WIRE_HELPER_FD);
}

static _Noreturn void decoder(
    const struct wire_request *request, const struct format *extra, struct ocr *ocr, pid_t zygote)
{
	const struct sandbox_limits limits = {
	    .memory = request->memory_limit, .cpu_s = request->cpu_s};
	struct ocr_page page = {
	    .number = request->page, .cpu_s = request->cpu_s, .wall_ms = request->wall_ms};
	struct textsink *out = malloc(sizeof(*out));
	enum format_outcome outcome;
	uint32_t told = 0;

	if (!out || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != zygote)
		_exit(EXIT_NO_SANDBOX);
	if (!ocr)
		start_programs(request, extra, &limits);
	if (sandbox_enter(&limits, NULL) != ARK_OK)
		_exit(EXIT_NO_SANDBOX);
	frame(FRAME_BEGUN, "", 0);
	textsink_init(out, request->text_limit, frame_text, NULL);
	out->bare = frame_bare;
	out->arg = &told;
	/* what was read by then reaches the parent before its deadline */
	out->members_until_us = clock_monotonic_us() + (int64_t)request->wall_ms * 1000 / 5 * 3;
	outcome = decode(request, extra, ocr, &page, out);
	if (ocr && outcome == FORMAT_OK)
		finish_picture(&page);
	finish(out, outcome);
	_exit(0); /* no library's exit handler: they may want what is shut */
}

/* ---- the zygote ---- */
static void report(enum wire_report_kind kind, int wait_status, const char *text)
{
	struct wire_report r = {.kind = kind, .wait_status = wait_status};

	snprintf(r.text, sizeof(r.text), "%s", text);
	if (send(WIRE_CONTROL_FD, &r, sizeof(r), MSG_NOSIGNAL) != (ssize_t)sizeof(r))
		_exit(0); /* the parent is gone */
}

static int wait_for(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

/* In a child of its own: what the sandbox must refuse, it refuses. */
static _Noreturn void trial(void)
{
	const struct sandbox_limits limits = {.memory = UINT64_C(4) << 30, .cpu_s = 5};
	struct ark_error err = {0};

	if (sandbox_enter(&limits, &err) != ARK_OK) {
		/* the control socket is still open here */
		report(REPORT_REFUSED, -1, err.text);
		_exit(EXIT_NO_SANDBOX);
	}
	if (open("/proc/self/exe", O_RDONLY) >= 0 || open("/", O_PATH) >= 0 ||
	    socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || fork() >= 0)
		_exit(EXIT_LEAK);
	_exit(0);
}

/* False after having said why. */
static bool prove_sandbox(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		trial();
	status = pid > 0 ? wait_for(pid) : -1;
	if (status == 0)
		return true;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_NO_SANDBOX)
		report(REPORT_REFUSED, -1, "a trial process got through it, or crashed in it");
	return false;
}

static void say_hello(void)
{
	int landlock = sandbox_landlock_version();
	char text[64];

	if (landlock)
		snprintf(text, sizeof(text), "seccomp, Landlock %d", landlock);
	else
		snprintf(text, sizeof(text), "seccomp (this kernel has no Landlock)");
	report(REPORT_HELLO, 0, text);
}

/* 1 with a request, 0 at the end of the parent. fds are -1 where none came. */
static int receive(struct wire_request *request, int fds[2])
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = request, .iov_len = sizeof(*request)};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c;
	ssize_t n;

	fds[0] = fds[1] = -1;
	do
		n = recvmsg(WIRE_CONTROL_FD, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*request))
		return 0;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(2 * sizeof(int)))
		memcpy(fds, CMSG_DATA(c), 2 * sizeof(int));
	request->media_type[sizeof(request->media_type) - 1] = '\0';
	return 1;
}

/* Until the decoder ends: kills it when told to, when the parent is gone, and, should the
 * parent have forgotten it, well after its deadline. */
static void watch(pid_t pid, int pidfd, uint32_t wall_ms)
{
	struct pollfd fds[2] = {
	    {.fd = pidfd, .events = POLLIN}, {.fd = WIRE_CONTROL_FD, .events = POLLIN}};

	for (;;) {
		struct wire_request request;
		int ignored[2], n = poll(fds, 2, (int)wall_ms + 5000);

		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0 && fds[0].revents)
			return;
		if (n > 0 && receive(&request, ignored) && request.kind != REQUEST_KILL)
			continue;
		kill(pid, SIGKILL); /* not reaped yet, so the number is still its own */
		return;
	}
}

static void run_decoder(const struct wire_request *request, const int fds[2],
    const struct format *extra, struct ocr *ocr)
{
	pid_t self = getpid(), pid = fork();
	int pidfd;

	if (pid == 0) {
		/* both out of the way first: either may sit on a number that the other needs */
		int input = fcntl(fds[0], F_DUPFD, WIRE_PIPE_FD + 1);
		int output = fcntl(fds[1], F_DUPFD, WIRE_PIPE_FD + 1);

		if (dup2(input, WIRE_INPUT_FD) < 0 || dup2(output, WIRE_PIPE_FD) < 0 ||
		    close_range(WIRE_PIPE_FD + 1, ~0U, 0) < 0)
			_exit(EXIT_NO_SANDBOX);
		decoder(request, extra, ocr, self);
	}
	close(fds[0]);
	close(fds[1]);
	if (pid < 0) {
		report(REPORT_ENDED, -1, "");
		return;
	}
	pidfd = pidfd_open(pid, 0);
	if (pidfd < 0)
		kill(pid, SIGKILL);
	else
		watch(pid, pidfd, request->wall_ms);
	if (pidfd >= 0)
		close(pidfd);
	report(REPORT_ENDED, wait_for(pid), "");
	/* what a decoder started dies with it and becomes the zygote's; reaped now or after the next */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}

/* Ends with the parent, not with a Ctrl-C that reaches the whole group; first to go when memory
 * runs out; no core, no attaching. */
static void settle(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (write(fd, "500", 3) != 3)
			errno = 0; /* a favour to others; works without */
		close(fd);
	}
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	prctl(PR_SET_NAME, "arkki-extract", 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

int extract_child_run(int argc, char **argv, const struct format *extra)
{
	bool pictures = argc > 2 && strcmp(argv[2], WIRE_KIND_OCR) == 0;
	struct wire_request request;
	socklen_t len = sizeof(int);
	struct ocr *ocr = NULL;
	char reason[160];
	int fds[2], type = 0;

	if (getsockopt(WIRE_CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    type != SOCK_SEQPACKET) {
		fprintf(stderr, "%s is started by arkki itself\n", EXTRACT_CHILD_COMMAND);
		return 2;
	}
	settle();
	if (!pictures)
		format_warm_all();
	else if (!(ocr = ocr_new(reason))) {
		report(REPORT_REFUSED, -1, reason);
		return 1;
	}
	if (!prove_sandbox())
		return 1;
	say_hello();
	while (receive(&request, fds)) {
		/* a REQUEST_KILL here came just after its decoder had ended */
		if (request.kind == REQUEST_READ)
			run_decoder(&request, fds, extra, ocr);
	}
	_exit(0);
}

int extract_child_main(int argc, char **argv)
{
	setpriority(PRIO_PROCESS, 0, 10); /* decoders wait for those who file and read */
	return extract_child_run(argc, argv, NULL);
}
