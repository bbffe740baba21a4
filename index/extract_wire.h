/* What the two sides of extraction say to each other. Both are the same
 * binary, so structs travel as they are. Private to index/extract*.c.
 *
 * Control socket (SOCK_SEQPACKET, one struct a message):
 *   zygote: REPORT_HELLO or REPORT_REFUSED once, then for each request
 *           REPORT_ENDED with the decoder's wait status
 *   parent: REQUEST_READ with two descriptors (sealed input, pipe to write
 *           to); REQUEST_KILL ends the running decoder, and says nothing
 *           when none runs
 * Pipe (frames: one byte of kind, four bytes of length big-endian, bytes):
 *   BEGUN once the sandbox is entered, TEXT… BARE…, of a picture also WORDS… and KNOWN, PAGES, TITLE,
 *   then DONE or NONE.
 *   A pipe that ends before: it crashed.
 */
#ifndef ARKKI_INDEX_EXTRACT_WIRE_H
#define ARKKI_INDEX_EXTRACT_WIRE_H

#include <stdint.h>

/* argv[2] of the zygote that reads pictures */
#define WIRE_KIND_OCR "ocr"

enum {
	WIRE_CONTROL_FD = 3, /* of the zygote */
	WIRE_INPUT_FD = 3,   /* of the decoder */
	WIRE_PIPE_FD = 4,    /* of the decoder */
	WIRE_HELPER_FD = 5,  /* of a decoder that may want programs */
	WIRE_MEDIA_TYPE_SIZE = 256,
	WIRE_FRAME_HEADER = 5,
	WIRE_FRAME_MAX = 65536,
	WIRE_BARE_MAX = 50000,  /* pages told of */
	WIRE_WORDS_FACTOR = 16, /* words with their places, as a multiple of the text limit */
};

enum wire_request_kind { REQUEST_READ = 1, REQUEST_KILL };

struct wire_request {
	uint32_t kind;
	uint32_t cpu_s;
	uint32_t wall_ms;
	uint32_t page; /* of an OCR zygote only; from 1 */
	uint64_t size;
	uint64_t memory_limit;
	uint64_t text_limit;
	char media_type[WIRE_MEDIA_TYPE_SIZE];
};

enum wire_report_kind { REPORT_HELLO = 1, REPORT_REFUSED, REPORT_ENDED };

struct wire_report {
	uint32_t kind;
	int32_t wait_status; /* ENDED; -1: the decoder was never started */
	char text[160];      /* HELLO: the sandbox; REFUSED: why */
};

enum wire_frame_kind {
	FRAME_BEGUN = 'B',
	FRAME_TEXT = 'T',
	FRAME_TITLE = 'H',
	FRAME_PAGES = 'P', /* four bytes, big-endian */
	FRAME_BARE = 'E',  /* a page to be read by its picture: four bytes, big-endian */
	FRAME_WORDS = 'W', /* words with their places */
	FRAME_KNOWN = 'K', /* per mille known to a dictionary: four bytes, big-endian */
	FRAME_DONE = 'D',  /* text is complete; bytes: a remark, or none */
	FRAME_NONE = 'N',  /* no text; bytes: the reason */
};

#endif
