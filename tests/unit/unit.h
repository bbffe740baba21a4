/* What every unit test needs: cmocka, a scratch directory, the corpus. */
#ifndef ARKKI_TESTS_UNIT_H
#define ARKKI_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A fresh directory under $TMPDIR, removed by unit_scratch_end(). */
static inline void unit_scratch(char out[256])
{
	const char *tmp = getenv("TMPDIR");

	snprintf(out, 256, "%s/arkki-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(out));
}

static inline void unit_scratch_end(const char *dir)
{
	char cmd[700];

	/* once more: a compaction that was told to end may have a git that writes its last file now */
	snprintf(cmd, sizeof(cmd), "rm -rf -- '%s' 2>/dev/null || { sleep 1; rm -rf -- '%s'; }",
	    dir, dir);
	if (system(cmd) != 0)
		fail_msg("cannot remove %s", dir);
}

/* Path below the corpus ($ARKKI_CORPUS, else ../shared/corpus); skips the test, saying so, when it is not there. */
static inline void unit_corpus(char out[512], const char *below, const char *test)
{
	const char *root = getenv("ARKKI_CORPUS");

	snprintf(out, 512, "%s/%s", root && *root ? root : "../shared/corpus", below);
	if (access(out, R_OK) != 0) {
		printf("SKIP %s: the corpus file %s is not there\n", test, below);
		skip();
	}
}

#endif
