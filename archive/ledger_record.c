#include "archive/ledger_record.h"

#include <stdio.h>
#include <string.h>

#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

static const char part_label[] = "arkki-part-v1\n", entry_label[] = "arkki-entry-v1\n";

/* Runs of harmless bytes are copied whole: most strings are one run. */
static bool quote(struct buf *out, const char *text)
{
	const char *run = text;

	if (!utf8_valid(text, strlen(text)))
		return false;
	buf_addc(out, '"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= ' ' && c != '"' && c != '\\')
			continue;
		buf_add(out, run, (size_t)(text - run));
		if (c < ' ')
			buf_addf(out, "\\u%04x", c);
		else
			buf_add(out, (const char[]){'\\', (char)c}, 2);
		run = text + 1;
	}
	buf_add(out, run, (size_t)(text - run));
	buf_addc(out, '"');
	return true;
}

static bool add_text(struct buf *out, const char *key, const char *value)
{
	if (!value)
		return true;
	buf_adds(out, key);
	return quote(out, value);
}

static void add_number(struct buf *out, const char *key, uint64_t value)
{
	if (value)
		buf_addf(out, "%s%llu", key, (unsigned long long)value);
}

/* Read one level down, as it will be inside of A: what is accepted must be readable later. */
static bool is_object(const char *json)
{
	struct buf nested = BUF_INIT;
	json_t *v = NULL;
	bool ok;

	buf_addf(&nested, "[%s]", json);
	ok = !buf_failed(&nested) && json_read(nested.data, nested.len, &v, NULL) == ARK_OK &&
	     json_array_size(v) == 1 && json_is_object(json_array_get(v, 0));
	json_decref(v);
	buf_free(&nested);
	return ok;
}

static const char *outcome_name(enum ledger_outcome outcome)
{
	static const char *const names[] = {"ok", "denied", "not-found", "failed"};

	return (unsigned int)outcome < 4 ? names[outcome] : NULL;
}

static bool draft_a(const struct ledger_record *r, struct buf *out, struct record_draft *d)
{
	size_t start = out->len, middle;
	bool ok = add_text(out, ",\"kind\":", r->kind) &&
		  add_text(out, ",\"outcome\":", outcome_name(r->outcome)) &&
		  add_text(out, ",\"document\":", r->document);

	add_number(out, ",\"version\":", r->version);
	middle = out->len;
	ok = ok && add_text(out, ",\"purpose\":", r->purpose) &&
	     add_text(out, ",\"case\":", r->case_id) &&
	     add_text(out, ",\"breakGlass\":", r->break_glass);
	if (r->break_glass && r->glass_refused)
		buf_adds(out, ",\"breakGlassRefused\":true");
	ok = ok && add_text(out, ",\"author\":", r->author);
	if (r->about)
		buf_addf(out, ",\"about\":%llu", (unsigned long long)*r->about);
	add_number(out, ",\"bytes\":", r->bytes);
	if (r->detail) {
		ok = ok && is_object(r->detail);
		buf_adds(out, ",\"detail\":");
		buf_adds(out, r->detail);
	}
	buf_addc(out, '}');
	d->a_what_len = (uint32_t)(middle - start);
	d->a_rest_len = (uint32_t)(out->len - middle);
	return ok;
}

static bool draft_roles(struct buf *out, const char *roles)
{
	char sep = '[';

	buf_adds(out, ",\"roles\":");
	if (!*roles)
		buf_addc(out, '[');
	while (*roles) {
		char one[64];
		size_t n = strcspn(roles, " ");

		if (n == 0 || n >= sizeof(one))
			return false;
		memcpy(one, roles, n);
		one[n] = '\0';
		buf_addc(out, sep);
		sep = ',';
		if (!quote(out, one))
			return false;
		roles += n + (roles[n] == ' ');
	}
	buf_addc(out, ']');
	return true;
}

/* Each member begins with a comma; the first one is overwritten when B is completed. */
static bool draft_b(const struct ledger_record *r, struct buf *out, struct record_draft *d)
{
	size_t start = out->len;
	bool ok = add_text(out, ",\"principal\":", r->principal) &&
		  add_text(out, ",\"org\":", r->org) && (!r->roles || draft_roles(out, r->roles)) &&
		  add_text(out, ",\"authentication\":", r->authentication) &&
		  add_text(out, ",\"session\":", r->session) &&
		  add_text(out, ",\"address\":", r->address);

	d->b_len = (uint32_t)(out->len - start);
	return ok;
}

static bool draft_c(const struct ledger_record *r, struct buf *out, struct record_draft *d)
{
	size_t start = out->len;
	bool ok = true;

	if (r->query) {
		ok = add_text(out, "{\"query\":", r->query);
		buf_addc(out, '}');
	} else {
		buf_adds(out, "null");
	}
	d->c_len = (uint32_t)(out->len - start);
	return ok;
}

static size_t text_len(const char *s)
{
	return s ? strlen(s) : 0;
}

int record_draft(const struct keyring *keys, const struct ledger_record *r, struct buf *text,
    struct record_draft *ret, struct ark_error *err)
{
	struct record_draft d = {.time_us = r->time_us,
	    .own_series = r->own_series,
	    .glass = r->break_glass && !r->glass_refused,
	    .has_about = r->about,
	    .about = r->about ? *r->about : 0};
	size_t before = text->len;
	char hash[33];

	/* escaping makes at most six bytes of one */
	if (text_len(r->kind) + text_len(r->document) + text_len(r->purpose) +
		text_len(r->case_id) + text_len(r->break_glass) + text_len(r->detail) +
		text_len(r->principal) + text_len(r->org) + text_len(r->roles) +
		text_len(r->authentication) + text_len(r->session) + text_len(r->address) +
		text_len(r->query) + text_len(r->author) >
	    RECORD_TEXT_MAX)
		return ark_fail(
		    err, ARK_EINPUT, "a ledger record is over %d bytes", RECORD_TEXT_MAX);
	if (!r->kind || !outcome_name(r->outcome))
		return ark_fail(err, ARK_EINPUT, "a ledger record needs a kind and an outcome");
	if (r->document) {
		if (!docid_valid(r->document))
			return ark_fail(err, ARK_EINPUT, "a ledger record names no document id");
		d.has_document = hex_decode(d.document, 16, r->document, 32);
	}
	if (r->author) {
		d.has_author = docid_valid(r->author) && hex_decode(d.author, 16, r->author, 32);
		if (!d.has_author)
			return ark_fail(err, ARK_EINPUT, "a ledger record names no author");
	}
	if (d.has_about && d.about > INT64_MAX)
		return ark_fail(err, ARK_EINPUT, "a ledger record is about no entry");
	if (r->principal) {
		keyring_name(keys, "principal", r->principal, hash);
		d.has_principal = hex_decode(d.principal, 16, hash, 32);
	}
	if (r->org) {
		keyring_name(keys, "orgs", r->org, hash);
		d.has_org = hex_decode(d.org, 16, hash, 32);
	}
	if (!draft_a(r, text, &d) || !draft_b(r, text, &d) || !draft_c(r, text, &d))
		return ark_fail(err, ARK_EINPUT,
		    "a ledger record holds text that is not UTF-8, a role over 63 bytes, or a "
		    "detail "
		    "that is no JSON object");
	if (buf_failed(text))
		return ark_fail(err, ARK_ENOMEM, "no memory for a ledger record");
	if (text->len - before > RECORD_TEXT_MAX)
		return ark_fail(
		    err, ARK_EINPUT, "a ledger record is over %d bytes", RECORD_TEXT_MAX);
	*ret = d;
	return ARK_OK;
}

void record_time(char out[RECORD_TIME_SIZE], int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE];

	clock_format(text, time_us);
	memcpy(out, text, RECORD_TIME_SIZE - 1);
	out[RECORD_TIME_SIZE - 1] = '\0';
}

static char *put(char *p, const char *bytes, size_t len)
{
	memcpy(p, bytes, len);
	return p + len;
}

static char *put_number(char *p, const char *key, uint64_t value)
{
	char digits[20];
	size_t n = 0;

	p = put(p, key, strlen(key));
	do
		digits[n++] = (char)('0' + value % 10);
	while (value /= 10);
	while (n)
		*p++ = digits[--n];
	return p;
}

/* SHA-256("arkki-part-v1\n" || letter || salt || JSON); salt and JSON lie side by side. */
void record_commit_part(struct sha256 *sha, char letter, const unsigned char salt[32],
    const char *json, size_t json_len, unsigned char ret[32])
{
	char label[sizeof(part_label)];

	memcpy(label, part_label, sizeof(part_label) - 1);
	label[sizeof(part_label) - 1] = letter;
	sha256_update(sha, label, sizeof(label));
	sha256_update(sha, salt, 32);
	sha256_update(sha, json, json_len);
	sha256_final(sha, ret);
}

void record_commit_entry(
    struct sha256 *sha, const unsigned char commitments[96], unsigned char ret[33])
{
	ret[0] = 1;
	sha256_update(sha, entry_label, sizeof(entry_label) - 1);
	sha256_update(sha, commitments, 96);
	sha256_final(sha, ret + 1);
}

size_t record_complete(const struct record_draft *d, const char *text,
    const struct record_stamp *stamp, struct sha256 *sha, unsigned char *plain,
    unsigned char entry[33])
{
	unsigned char commitments[96];
	char *p = (char *)plain;

	for (int part = 0; part < 3; part++) {
		char *head = p, *json = p + 4 + 32;

		memcpy(head + 4, stamp->salts + 32 * part, 32);
		p = json;
		if (part == 0) {
			p = put(p, "{\"time\":\"", 9);
			p = put(p, stamp->time, strlen(stamp->time));
			*p++ = '"';
			p = put(p, text, d->a_what_len);
			if (stamp->document_sequence)
				p = put_number(
				    p, ",\"documentSequence\":", stamp->document_sequence);
			p = put(p, text + d->a_what_len, d->a_rest_len);
			text += d->a_what_len + d->a_rest_len;
		} else if (part == 1) {
			p = put(p, text, d->b_len);
			text += d->b_len;
			if (stamp->principal_sequence)
				p = put_number(
				    p, ",\"principalSequence\":", stamp->principal_sequence);
			if (d->own_series)
				p = put(p, ",\"series\":\"own\"", 15);
			if (p == json)
				p++;
			*json = '{';
			*p++ = '}';
		} else {
			p = put(p, text, d->c_len);
		}
		be32_put(head, (uint32_t)(p - json));
		record_commit_part(sha, (char)('A' + part), (const unsigned char *)head + 4,
		    head + 36, (size_t)(p - head) - 36, commitments + 32 * part);
	}
	record_commit_entry(sha, commitments, entry);
	return (size_t)(p - (char *)plain);
}

int record_split(const void *plain, size_t len, const unsigned char entry[33],
    struct record_part ret[3], struct ark_error *err)
{
	unsigned char commitments[96], want[33];
	struct sha256 *sha = sha256_new();
	const unsigned char *p = plain;
	int rc = ARK_OK;

	if (!sha)
		return ark_fail(err, ARK_ENOMEM, "no memory for a digest");
	for (int part = 0; part < 3 && !rc; part++) {
		uint32_t n = len < 36 ? 0 : be32_get(p);

		if (len < 36 || n > len - 36) {
			rc = ark_fail(err, ARK_ECORRUPT, "a ledger record is cut short");
			break;
		}
		ret[part] = (struct record_part){p + 4, (const char *)p + 36, n};
		record_commit_part(
		    sha, (char)('A' + part), p + 4, ret[part].json, n, commitments + 32 * part);
		p += 36 + n, len -= 36 + (size_t)n;
	}
	if (!rc) {
		record_commit_entry(sha, commitments, want);
		if (len || memcmp(want, entry, sizeof(want)) != 0)
			rc = ark_fail(err, ARK_ECORRUPT,
			    "a ledger record does not match the commitment in its entry");
	}
	sha256_free(sha);
	return rc;
}

void ledger_entry_free(struct ledger_entry *e)
{
	json_decref(e->a);
	json_decref(e->b);
	json_decref(e->c);
	e->a = e->b = e->c = NULL;
}

int record_read(const void *plain, size_t len, const unsigned char entry[33], uint64_t index,
    struct ledger_entry *ret, struct ark_error *err)
{
	struct record_part parts[3];
	struct ledger_entry e = {.index = index};
	json_t **to[3] = {&e.a, &e.b, &e.c};
	int rc = record_split(plain, len, entry, parts, err);

	for (int i = 0; !rc && i < 3; i++)
		rc = json_read(parts[i].json, parts[i].json_len, to[i], err);
	if (!rc && (!json_is_object(e.a) || !json_is_object(e.b)))
		rc = ark_fail(err, ARK_ECORRUPT, "the parts of a ledger record are no objects");
	if (rc) {
		ledger_entry_free(&e);
		return rc == ARK_EINPUT ? ARK_ECORRUPT : rc;
	}
	*ret = e;
	return ARK_OK;
}
