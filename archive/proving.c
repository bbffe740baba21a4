#include "arkki/archive/proving.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/ledger_private.h"
#include "arkki/archive/disclosure.h"
#include "arkki/archive/seal.h"
#include "arkki/archive/witnesses.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { BLOCK = 256 * 1024 };

struct look {
	struct archive *a;
	const struct receipt *receipt;
	const struct catalogue_row *row;
	struct proving *p;
	json_t *meta;
	bool has_bytes;
	unsigned char sha256[32]; /* of the bytes that are there */
};

/* Notes what is false; only memory is a failure. */
static int finding(struct look *k, enum proven *which, const struct ark_error *why)
{
	if (why->status == ARK_ENOMEM)
		return ARK_ENOMEM;
	*which = PROVEN_FALSE;
	if (!k->p->fault[0])
		snprintf(k->p->fault, sizeof(k->p->fault), "%s", why->text);
	return ARK_OK;
}

static int finding_of(struct look *k, enum proven *which, const char *why)
{
	struct ark_error e;
	int rc = ark_fail(&e, ARK_ECORRUPT, "%s", why);

	(void)rc;
	return finding(k, which, &e);
}

/* ---- the bytes ---- */

static int digest(struct look *k, struct content *c, struct ark_error *why)
{
	struct sha256 *h = sha256_new();
	unsigned char *block = malloc(BLOCK);
	uint64_t at = 0;
	ssize_t n = -1;

	if (!h || !block) {
		n = ark_fail(why, ARK_ENOMEM, "no memory for a digest");
		goto out;
	}
	while ((n = content_read(c, at, block, BLOCK, why)) > 0) {
		sha256_update(h, block, (size_t)n);
		at += (uint64_t)n;
	}
	sha256_final(h, k->sha256);
	k->has_bytes = n == 0;
out:
	if (block)
		explicit_bzero(block, BLOCK);
	free(block);
	sha256_free(h);
	return (int)n;
}

static int look_at_bytes(struct look *k)
{
	struct content *c = NULL;
	struct ark_error why;
	char hex[65];
	const char *filed;
	int rc = reading_version(k->a, k->receipt, k->row, FORM_WHOLE, &k->meta, &why);

	k->p->size = k->row->size;
	if (rc)
		return finding(k, &k->p->bytes, &why);
	if (k->row->size > PROVING_BYTES_MAX) {
		k->p->bytes = PROVEN_NOT;
		return ARK_OK;
	}
	rc = reading_content(k->a, k->receipt, k->row, FORM_WHOLE, &c, &why);
	if (!rc)
		rc = digest(k, c, &why);
	content_close(c);
	if (rc)
		return finding(k, &k->p->bytes, &why);
	hex_encode(hex, k->sha256, sizeof(k->sha256));
	filed = json_text(k->meta, "sha256");
	if (!filed || strcmp(filed, hex) != 0)
		return finding_of(k, &k->p->bytes, "the bytes have another digest than was filed");
	k->p->bytes = PROVEN_HOLDS;
	return ARK_OK;
}

/* ---- the entry of the history log ---- */

struct filed {
	uint32_t version;
	uint64_t index;
	json_t *a;
};

static int match_filing(void *arg, const struct ledger_entry *e)
{
	struct filed *f = arg;
	const char *kind = json_text(e->a, "kind");

	if (!kind || (strcmp(kind, "filing") != 0 && strcmp(kind, "version") != 0) ||
	    (uint32_t)json_integer_value(json_object_get(e->a, "version")) != f->version)
		return 0;
	f->index = e->index;
	f->a = json_incref(e->a);
	return 1;
}

/* What the entry must say of the bytes that are there: as filing made it (filing_json.c). */
static bool committed(const struct look *k, const json_t *a)
{
	static const char label[] = "arkki-plain-v1\n";
	unsigned char in[sizeof(label) - 1 + 64], out[32];
	const char *salt = json_text(k->meta, "salt"),
		   *said = json_text(json_object_get(a, "detail"), "commitment");
	char hex[65];

	memcpy(in, label, sizeof(label) - 1);
	if (!salt || !said || !hex_decode(in + sizeof(label) - 1, 32, salt, strlen(salt)))
		return false;
	memcpy(in + sizeof(label) - 1 + 32, k->sha256, 32);
	sha256_of(in, sizeof(in), out);
	hex_encode(hex, out, sizeof(out));
	return strcmp(hex, said) == 0;
}

static int look_at_entry(struct look *k)
{
	const struct ledger_filter filter = {.document = k->row->document};
	struct filed f = {.version = k->row->version};
	struct proving *p = k->p;
	struct ark_error why;
	const char *time;
	int rc = ledger_find(
	    archive_ledger(k->a, LEDGER_HISTORY), &filter, UINT_MAX, match_filing, &f, &why);

	if (rc < 0)
		return finding(k, &p->entry, &why);
	if (!f.a)
		return finding_of(k, &p->entry, "the history log has no entry of this filing");
	p->index = f.index;
	time = json_text(f.a, "time");
	snprintf(p->filed, sizeof(p->filed), "%s", time ? time : "");
	rc = ARK_OK;
	if (!k->has_bytes)
		p->entry = PROVEN_NOT;
	else if (committed(k, f.a))
		p->entry = PROVEN_HOLDS;
	else
		rc = finding_of(
		    k, &p->entry, "the history log commits to other bytes than are there");
	json_decref(f.a);
	return rc;
}

/* ---- inclusion and signature ---- */

static int check_inclusion(struct look *k, const char *vkey, struct ark_error *why)
{
	struct buf text = BUF_INIT;
	struct disclosed d = {0};
	int rc = disclosure_write(archive_ledger(k->a, LEDGER_HISTORY), k->p->index, 0, &text, why);

	if (!rc)
		rc = disclosure_check(text.data, text.len, vkey, &d, why);
	if (!rc) {
		k->p->tree_size = d.tree_size;
		disclosed_free(&d);
	}
	buf_free(&text);
	return rc;
}

/* The checkpoint as it stands, by any of the log's keys. */
static int check_signature(struct ledger *l, struct note *note, struct ark_error *why)
{
	struct buf text = BUF_INIT;
	struct checkpoint c;
	int rc = ledger_checkpoint(l, &text, why);

	if (!rc)
		rc = note_parse(text.data ? text.data : "", text.len, note, why);
	if (!rc)
		rc = ledger_verify_note(l, note, why);
	if (!rc)
		rc = checkpoint_parse(note->text, note->text_len, l->origin, &c, why);
	buf_free(&text);
	return rc;
}

static int look_at_log(struct look *k)
{
	struct ledger *l = archive_ledger(k->a, LEDGER_HISTORY);
	struct note *note = malloc(sizeof(*note));
	struct buf vkey = BUF_INIT;
	struct ark_error why;
	int rc = ARK_ENOMEM;

	k->p->included = PROVEN_NOT;
	k->p->signature = PROVEN_NOT;
	pthread_mutex_lock(&l->sign_lock);
	note_key_format(&l->signers[0].key, &vkey);
	pthread_mutex_unlock(&l->sign_lock);
	if (!note || buf_failed(&vkey))
		goto out;
	rc = ARK_OK;
	if (k->p->filed[0]) {
		rc = check_inclusion(k, vkey.data, &why);
		k->p->included = PROVEN_HOLDS;
		rc = rc ? finding(k, &k->p->included, &why) : ARK_OK;
	}
	if (rc)
		goto out;
	rc = check_signature(l, note, &why);
	k->p->signature = PROVEN_HOLDS;
	rc = rc ? finding(k, &k->p->signature, &why) : ARK_OK;
out:
	free(note);
	buf_free(&vkey);
	return rc;
}

/* ---- witnesses ---- */

static int look_at_witnesses(struct look *k)
{
	struct proving *p = k->p;
	struct witnessed w;
	struct ark_error why;
	int rc = witnesses_seen(k->a, LEDGER_HISTORY, &w, &why);

	p->has_witnesses = w.policy;
	p->witnessed = PROVEN_ABSENT;
	if (rc == ARK_ENOTFOUND)
		return ARK_OK;
	if (rc)
		return finding(k, &p->witnessed, &why);
	p->cosigned_size = w.size;
	for (size_t i = 0; i < w.by_len && i < PROVING_WITNESSES_MAX; i++) {
		struct proving_witness *by = &p->witnesses[p->witnesses_len++];

		snprintf(by->name, sizeof(by->name), "%s", w.by[i].name);
		by->time_us = w.by[i].time_s * 1000000;
	}
	if (w.enough && p->filed[0] && w.size > p->index)
		p->witnessed = PROVEN_HOLDS;
	return ARK_OK;
}

int proving_look(struct archive *a, const struct receipt *receipt, const struct catalogue_row *row,
    struct proving *ret, struct ark_error *err)
{
	struct look k = {.a = a, .receipt = receipt, .row = row, .p = ret};
	int rc;

	*ret = (struct proving){.bytes = PROVEN_NOT, .entry = PROVEN_NOT};
	rc = look_at_bytes(&k);
	if (!rc)
		rc = look_at_entry(&k);
	if (!rc)
		rc = look_at_log(&k);
	if (!rc)
		rc = look_at_witnesses(&k);
	json_decref(k.meta);
	return rc ? ark_fail(err, rc, "no memory to look at a proof") : ARK_OK;
}

bool proving_holds(const struct proving *p)
{
	return p->bytes != PROVEN_FALSE && p->entry != PROVEN_FALSE &&
	       p->included != PROVEN_FALSE && p->signature != PROVEN_FALSE &&
	       p->witnessed != PROVEN_FALSE;
}
