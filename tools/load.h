/* arkki-load: closed-loop HTTP/1.1 load on a server of this machine.
 *
 * N clients hold a keep-alive connection each and send their next request
 * when the answer to the last is complete. One thread, epoll. The run is
 * bounded in requests and in seconds, and only loopback addresses are taken:
 * the program cannot be pointed at anyone else's server.
 *
 * The bytes of document n depend on n and the seed alone, so that a baseline
 * can be given the very same documents (mode `bytes`).
 *
 * Threads: one.
 */
#ifndef ARKKI_TOOLS_LOAD_H
#define ARKKI_TOOLS_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum load_mode { LOAD_FILE, LOAD_GET, LOAD_BYTES };

enum {
	LOAD_CLIENTS_MAX = 1024,
	LOAD_REQUESTS_MAX = 10000000,
	LOAD_SECONDS_MAX = 600,
	LOAD_SIZE_MAX = 64 << 20,
	LOAD_HEADERS_MAX = 16,
	LOAD_PIDS_MAX = 8,
	LOAD_HEAD_MAX =
	    32 << 10, /* a request's or answer's header section, metadata part included */
	LOAD_EXCERPT = 160,
};

struct load_options {
	enum load_mode mode;
	char host[64]; /* as sent in Host */
	struct sockaddr_storage address;
	socklen_t address_len;
	char *token;      /* NULL: no Authorization */
	char *metadata;   /* file: JSON text; "{n}" becomes the document's number */
	const char *path; /* file: where to POST */
	char **paths;     /* get: asked in turn */
	size_t path_count;
	const char *suffix; /* get: put after each path */
	const char *header[LOAD_HEADERS_MAX];
	size_t headers;
	const char *locations; /* file: Location of each 201 goes here, a line each */
	const char *out;       /* bytes: folder */
	long pid[LOAD_PIDS_MAX];
	size_t pids;
	size_t size;
	unsigned long clients, requests, warmup, seconds, seed;
};

/* Reads the command line. True, or false after a message on stderr. Ended with load_options_free(). */
bool load_options_read(int argc, char **argv, struct load_options *ret);
void load_options_free(struct load_options *o);
void load_usage(FILE *out);

enum load_event {
	LOAD_WAIT,   /* nothing complete yet */
	LOAD_ANSWER, /* status, location and excerpt are those of a whole answer */
	LOAD_BROKEN, /* the connection failed or the answer was not HTTP */
};

enum load_phase {
	LOAD_SENDING,
	LOAD_HEAD,
	LOAD_BODY,
	LOAD_CHUNK_SIZE,
	LOAD_CHUNK_END,
	LOAD_TRAILER
};

struct load_client {
	int fd; /* -1: not connected */
	enum load_phase phase;
	bool busy;  /* a request is on its way */
	bool close; /* the server will close after this answer */
	int64_t started_us;
	char *request; /* the head, and for `file` the body */
	size_t request_cap, request_len, sent;
	char *head; /* LOAD_HEAD_MAX + 1 bytes: the answer's head, then trailer and chunk lines */
	size_t head_len;
	uint64_t left; /* bytes of the body or chunk still to come */
	bool chunked;
	int status;
	char location[256];
	char excerpt[LOAD_EXCERPT];
	size_t excerpt_len;
	uint64_t received; /* body bytes since the start */
};

/* False when memory is out. */
bool load_client_init(struct load_client *c, const struct load_options *o);
void load_client_free(struct load_client *c);
/* Connects when needed, and builds and begins to send request `n`. False: no connection. */
bool load_client_start(struct load_client *c, const struct load_options *o, unsigned long n);
/* Sends and receives what can be without waiting. */
enum load_event load_client_step(struct load_client *c);
void load_client_drop(struct load_client *c);

/* The bytes of document n: `len` lower-case letters, spaces and line ends. */
void load_content(char *out, size_t len, unsigned long seed, unsigned long n);

int64_t load_now_us(void);

#endif
