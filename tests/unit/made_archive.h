/* An archive that is made once for a whole program, DIR/a with its key DIR/root.key, and copied for each test. */
#ifndef ARKKI_TESTS_MADE_ARCHIVE_H
#define ARKKI_TESTS_MADE_ARCHIVE_H

#include "tests/unit/unit.h"

#include "arkki/archive/archive.h"

/* The setup of a group: making an archive is thirty commits. */
static inline int made_archive_begin(void **state)
{
	char *top = malloc(256), dir[300], key[300];
	struct ark_error err = {0};

	assert_non_null(top);
	unit_scratch(top);
	snprintf(dir, sizeof(dir), "%s/a", top);
	snprintf(key, sizeof(key), "%s/root.key", top);
	if (archive_init(dir, key, "test.example", &err))
		fail_msg("init: %s", err.text);
	*state = top;
	return 0;
}

static inline int made_archive_end(void **state)
{
	unit_scratch_end(*state);
	free(*state);
	return 0;
}

/* A copy in a scratch directory of the test's own, which it ends. */
static inline void made_archive_copy(const char *from, char top[256], char dir[300], char key[300])
{
	char command[1000];

	unit_scratch(top);
	snprintf(dir, 300, "%s/a", top);
	snprintf(key, 300, "%s/root.key", top);
	snprintf(command, sizeof(command), "cp -a '%s'/. '%s'", from, top);
	assert_int_equal(system(command), 0);
}

#endif
