/* A document through an extractor, whose zygote is the test program itself: its main() begins with
 * UNIT_EXTRACT_MAIN. */
#ifndef ARKKI_TESTS_UNIT_EXTRACT_H
#define ARKKI_TESTS_UNIT_EXTRACT_H

#include "arkki/index/extract.h"
#include "tests/unit/unit.h"

#define UNIT_EXTRACT_MAIN(argc, argv)                                                              \
	do {                                                                                       \
		if ((argc) > 1 && strcmp((argv)[1], EXTRACT_CHILD_COMMAND) == 0)                   \
			return extract_child_main(argc, argv);                                     \
	} while (0)

static inline struct extractor *unit_extractor(void)
{
	const struct extract_config config = {.wall_ms = 20000};
	struct extractor *e;
	struct ark_error err = {0};

	if (extractor_new(&config, &e, &err) != ARK_OK)
		fail_msg("%s", err.text);
	return e;
}

static inline void unit_extract(struct extractor *e, const char *type, const void *bytes,
    size_t len, struct extract_result *ret)
{
	struct extract_job *job;
	struct ark_error err = {0};

	if (extract_begin(e, type, len, &job, &err) != ARK_OK ||
	    extract_feed(job, bytes, len, &err) != ARK_OK ||
	    extract_finish(job, ret, &err) != ARK_OK)
		fail_msg("%s", err.text);
}

/* The text of the result, "" for none. */
static inline const char *unit_text(const struct extract_result *r)
{
	return r->outcome == EXTRACT_READY && r->text.data ? r->text.data : "";
}

/* One extractor for a whole group, which its tests find here. */
static struct extractor *extractor;

static inline int unit_extract_begin(void **state)
{
	(void)state;
	extractor = unit_extractor();
	return 0;
}

static inline int unit_extract_end(void **state)
{
	(void)state;
	extractor_free(extractor);
	return 0;
}

#endif
