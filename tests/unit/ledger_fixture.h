/* An access log of its own keys in a scratch directory. */
#ifndef ARKKI_TESTS_LEDGER_FIXTURE_H
#define ARKKI_TESTS_LEDGER_FIXTURE_H

#include "tests/unit/unit.h"

#include "arkki/archive/ledger.h"

#define ORIGIN "arkki.example/test/access"
#define DOC_A "00112233445566778899aabbccddeeff"
#define DOC_B "ffeeddccbbaa99887766554433221100"

struct fixture {
	char dir[256], log[300], index[320];
	struct keyring *keys;
	struct ledger *l;
};

static inline int begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char keys[300], root[300];

	unit_scratch(f->dir);
	snprintf(keys, sizeof(keys), "%s/keys", f->dir);
	snprintf(root, sizeof(root), "%s/root", f->dir);
	snprintf(f->log, sizeof(f->log), "%s/log", f->dir);
	snprintf(f->index, sizeof(f->index), "%s/log/index.sqlite", f->dir);
	assert_int_equal(keyring_create_root(root, NULL), 0);
	assert_int_equal(keyring_create(keys, root, NULL), 0);
	assert_int_equal(keyring_open(keys, root, 1, &f->keys, NULL), 0);
	assert_int_equal(
	    ledger_create(f->log, ORIGIN, keyring_secrets(f->keys)->access_seed, NULL), 0);
	assert_int_equal(ledger_open(f->log, ORIGIN, LEDGER_ACCESS, f->keys, true, &f->l, NULL), 0);
	*state = f;
	return 0;
}

static inline int end(void **state)
{
	struct fixture *f = *state;

	ledger_close(f->l);
	keyring_close(f->keys);
	unit_scratch_end(f->dir);
	free(f);
	return 0;
}

static inline void reopen(struct fixture *f, bool for_writing)
{
	struct ark_error err = {0};

	ledger_close(f->l);
	f->l = NULL;
	if (ledger_open(f->log, ORIGIN, LEDGER_ACCESS, f->keys, for_writing, &f->l, &err))
		fail_msg("%s", err.text);
}

#endif
