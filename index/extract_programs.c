#include "index/extract_programs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arkki/base/fs.h"
#include "index/extract_wire.h"

enum {
	PIECE = 32768,
	HOST_FD = 3,
	OUTPUT_MAX = 256 << 20, /* then the program loses its pipe */
};

struct ask {
	uint32_t program;
	uint64_t len; /* bytes that follow */
};

/* Pieces of output, each with its length before it; a piece of no bytes ends it, with how. */
struct piece {
	uint32_t len;
	uint32_t end;
};

static bool read_all(int fd, void *bytes, size_t len)
{
	char *p = bytes;

	while (len) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n, len -= (size_t)n;
	}
	return true;
}

static bool write_all(int fd, const void *bytes, size_t len)
{
	return fs_write_all(fd, bytes, len, NULL) == ARK_OK;
}

/* ---- the program ---- */
static _Noreturn void become(const struct format_program *program,
    const struct sandbox_limits *limits, int input, int output, pid_t host)
{
	const struct sandbox_paths paths = {.program = program->path, .reads = program->reads};
	char *argv[16], locale[] = "LC_ALL=C", *envp[] = {locale, NULL};
	size_t n = 0;

	for (; n < 15 && program->args[n]; n++)
		memcpy(&argv[n], &program->args[n], sizeof(argv[n])); /* execve() takes no const */
	argv[n] = NULL;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != host ||
	    dup2(input, 0) < 0 || dup2(output, 1) < 0 || close_range(3, ~0U, 0) < 0 ||
	    sandbox_enter_program(limits, &paths, NULL) != ARK_OK)
		_exit(127);
	execve(program->path, argv, envp);
	_exit(127);
}

/* ---- the process that starts them ---- */
/* The bytes of a question, in sealed memory. Negative when they cannot be had. */
static int take_input(uint64_t len)
{
	int fd = memfd_create("arkki-helper", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char piece[PIECE];

	while (fd >= 0 && len) {
		size_t n = len < sizeof(piece) ? (size_t)len : sizeof(piece);

		if (!read_all(HOST_FD, piece, n))
			_exit(0); /* the decoder is gone */
		if (!write_all(fd, piece, n))
			break;
		len -= n;
	}
	if (fd >= 0 && len == 0 && lseek(fd, 0, SEEK_SET) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
		return fd;
	_exit(1); /* what follows on the socket cannot be told from a question any more */
}

static void relay(int from)
{
	size_t total = 0;
	char bytes[PIECE];

	while (total < OUTPUT_MAX) {
		struct piece head = {0};
		ssize_t n = read(from, bytes, sizeof(bytes));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		total += (size_t)n;
		head.len = (uint32_t)n;
		if (!write_all(HOST_FD, &head, sizeof(head)) ||
		    !write_all(HOST_FD, bytes, (size_t)n))
			_exit(0);
	}
}

static enum program_end run(
    const struct format_program *program, const struct sandbox_limits *limits, int input)
{
	pid_t self = getpid(), pid;
	int ends[2], status = -1;

	if (access(program->path, X_OK) < 0)
		return PROGRAM_MISSING;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return PROGRAM_NONE;
	pid = fork();
	if (pid == 0)
		become(program, limits, input, ends[1], self);
	close(ends[1]);
	if (pid > 0)
		relay(ends[0]);
	close(ends[0]);
	if (pid < 0)
		return PROGRAM_NONE;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return PROGRAM_NONE;
	return status == 0 ? PROGRAM_OK : PROGRAM_ENDED;
}

static _Noreturn void serve(
    const struct format_program *const *list, const struct sandbox_limits *limits)
{
	struct sandbox_paths paths[PROGRAMS_MAX];
	uint32_t n = 0;
	struct ask ask;

	for (; n < PROGRAMS_MAX && list[n]; n++)
		paths[n] =
		    (struct sandbox_paths){.program = list[n]->path, .reads = list[n]->reads};
	if (sandbox_narrow(paths, n, NULL) != ARK_OK)
		n = 0; /* no program without it */
	while (read_all(HOST_FD, &ask, sizeof(ask))) {
		struct piece last = {.end = PROGRAM_NONE};
		int input = take_input(ask.len);

		if (ask.program < n)
			last.end = run(list[ask.program], limits, input);
		close(input);
		if (!write_all(HOST_FD, &last, sizeof(last)))
			break;
	}
	_exit(0);
}

bool programs_start(const struct format_program *const *list, const struct sandbox_limits *limits)
{
	pid_t self = getpid(), pid;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return false;
	pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != self ||
		    dup2(pair[1], HOST_FD) < 0 || close_range(HOST_FD + 1, ~0U, 0) < 0)
			_exit(1);
		serve(list, limits);
	}
	signal(SIGPIPE, SIG_IGN); /* when it ends early, program_run() says so */
	close(pair[1]);
	if (pair[0] != WIRE_HELPER_FD) {
		if (pid > 0 && dup2(pair[0], WIRE_HELPER_FD) < 0)
			pid = -1;
		close(pair[0]);
	}
	return pid > 0;
}

/* ---- the decoder's side ---- */
enum program_end program_run(
    unsigned int index, const char *bytes, size_t len, size_t limit, struct buf *out)
{
	struct ask ask = {.program = index, .len = len};
	char piece[PIECE];
	struct piece head;

	if (!write_all(WIRE_HELPER_FD, &ask, sizeof(ask)) || !write_all(WIRE_HELPER_FD, bytes, len))
		return PROGRAM_NONE;
	for (;;) {
		if (!read_all(WIRE_HELPER_FD, &head, sizeof(head)) || head.len > sizeof(piece) ||
		    !read_all(WIRE_HELPER_FD, piece, head.len))
			return PROGRAM_NONE;
		if (head.len == 0)
			return head.end;
		/* beyond the limit it is read, so that the next question finds its own answer */
		if (out->len < limit)
			buf_add(
			    out, piece, head.len < limit - out->len ? head.len : limit - out->len);
	}
}
