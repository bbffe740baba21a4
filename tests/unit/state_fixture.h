/* A state.sqlite in a scratch directory, and a hand of the test's own in it. */
#ifndef ARKKI_TESTS_STATE_FIXTURE_H
#define ARKKI_TESTS_STATE_FIXTURE_H

#include "tests/unit/unit_keyring.h"

#include <sodium.h>
#include <sqlite3.h>

#include "archive/credentials_private.h"
#include "arkki/archive/credentials.h"

struct fixture {
	struct unit_keyring k;
	char path[300];
	struct state *s;
};

static inline int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	unit_keyring_begin(&f->k);
	snprintf(f->path, sizeof(f->path), "%s/state.sqlite", f->k.dir);
	assert_int_equal(state_open(f->path, f->k.keys, true, &f->s, NULL), ARK_OK);
	*state = f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	state_close(f->s);
	unit_keyring_end(&f->k);
	free(f);
	return 0;
}

/* Runs SQL of the test's own on the file. */
static inline void fixture_sql(const struct fixture *f, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* Argon2id's own text of what is stored of a password. */
static inline void stored_hash(
    struct state *s, const char *user, char out[crypto_pwhash_STRBYTES + 1])
{
	struct fields f;
	struct row r;

	assert_int_equal(state_enter(s, false, NULL), ARK_OK);
	row_init(s, &r, CREDENTIAL_PASSWORD, user);
	row_name(s, &r, user, NULL);
	assert_int_equal(state_leave(s, false, row_read(s, &r, NULL), NULL), ARK_OK);
	f = row_fields(&r, NULL);
	(void)fields_number(&f);
	fields_text(&f, out, crypto_pwhash_STRBYTES);
	row_free(&r);
}

#endif
