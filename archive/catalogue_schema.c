/* The catalogue's tables.
 *
 * Invariants:
 *  1. One version row for each version of each document; its attributes are
 *     those of the newest metadata record that came with it or amends it.
 *  2. newest = 1 for exactly one version of each document: its highest.
 *  3. version_unit, version_county and version_addressee repeat the row's units, counties and
 *     addressees; version_unit also its day and document, so that a unit's documents are
 *     one range in order. unit_count is how many units the metadata names, as a text.
 *  4. change has a row for each version, metadata and rendition fact, in the store's order.
 *  5. The columns r_… are the newest public rendition's, NULL when `rendition` is 0.
 *  6. paged has a row for each form whose pages are not all text: rendition 0 is the version
 *     itself. `read` of its `bare` pages were read by OCR; merged: and that is in its text. A row of a
 *     rendition that is no longer the newest means nothing. Written by the indexer, as text_state is.
 *  7. applied holds the sequence up to which 1–5 are true: same transaction.
 */
#include "archive/catalogue_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMA_VERSION = 4 };

/* Names of people's choosing are BLOBs of 16 bytes: keyed hashes. The indices
 * carry newest and publicity, so that a list passes over what it does not show
 * without touching the rows; that a version comes once, apply_version() checks. */
static const char ddl[] =
    "CREATE TABLE applied (id INTEGER PRIMARY KEY CHECK (id = 1), sequence INTEGER NOT NULL);"
    "INSERT INTO applied VALUES (1, 0);"

    "CREATE TABLE version ("
    " id INTEGER PRIMARY KEY, document BLOB NOT NULL, version INTEGER NOT NULL,"
    " newest INTEGER NOT NULL, metadata INTEGER NOT NULL, sequence INTEGER NOT NULL,"
    " metadata_sequence INTEGER NOT NULL, filed_us INTEGER NOT NULL, day INTEGER NOT NULL,"
    " type TEXT NOT NULL, language TEXT NOT NULL, publicity TEXT NOT NULL, state TEXT NOT NULL,"
    " author BLOB, case_id BLOB, filed_by BLOB, filed_by_org BLOB,"
    " unit_count TEXT NOT NULL, visit_day INTEGER NOT NULL," /* visit_day 0: none */
    " size INTEGER NOT NULL, sealed_size INTEGER NOT NULL, media_type TEXT NOT NULL,"
    " content BLOB NOT NULL, chunks INTEGER NOT NULL, request TEXT,"
    " text_state TEXT NOT NULL DEFAULT 'pending', text_reason TEXT,"
    " sealed_metadata BLOB NOT NULL, sealed_version BLOB NOT NULL,"
    " renditions INTEGER NOT NULL DEFAULT 0," /* as many were filed, or withdrawn */
    " rendition INTEGER NOT NULL DEFAULT 0,"  /* the newest one; 0: none, or withdrawn */
    " r_sequence INTEGER, r_filed_us INTEGER, r_sealed BLOB, r_media_type TEXT, r_size INTEGER,"
    " r_sealed_size INTEGER, r_content BLOB, r_chunks INTEGER, r_text_state TEXT,"
    " r_text_reason TEXT);"
    "CREATE INDEX version_document ON version (document, version, newest, publicity);"
    "CREATE INDEX version_day ON version (day, document, version, newest, publicity);"
    "CREATE INDEX version_publicity ON version (publicity, day, document, version, newest);"
    "CREATE INDEX version_type ON version (type, day, document, version, newest, publicity);"
    "CREATE INDEX version_case ON version (case_id, day, document, version, newest, publicity)"
    " WHERE case_id IS NOT NULL;"
    "CREATE INDEX version_text ON version (text_state, text_reason);"
    "CREATE INDEX version_public_text ON version (r_text_state, r_text_reason)"
    " WHERE r_text_state IS NOT NULL;"
    "CREATE INDEX version_request ON version (request) WHERE request IS NOT NULL;"
    "CREATE INDEX version_size ON version (size);"

    "CREATE TABLE rendition_request (request TEXT NOT NULL, id INTEGER NOT NULL,"
    " PRIMARY KEY (request, id)) WITHOUT ROWID;"

    "CREATE TABLE version_unit (unit BLOB NOT NULL, day INTEGER NOT NULL, document BLOB NOT NULL,"
    " id INTEGER NOT NULL, PRIMARY KEY (unit, day, document, id)) WITHOUT ROWID;"
    "CREATE INDEX version_unit_id ON version_unit (id);"
    "CREATE TABLE version_county (id INTEGER NOT NULL, county BLOB NOT NULL,"
    " PRIMARY KEY (id, county)) WITHOUT ROWID;"
    "CREATE TABLE version_addressee (id INTEGER NOT NULL, addressee BLOB NOT NULL,"
    " PRIMARY KEY (id, addressee)) WITHOUT ROWID;"

    "CREATE TABLE paged (id INTEGER NOT NULL, rendition INTEGER NOT NULL, pages INTEGER NOT NULL,"
    " bare INTEGER NOT NULL, read INTEGER NOT NULL, merged INTEGER NOT NULL, rank INTEGER NOT NULL,"
    " PRIMARY KEY (id, rendition)) WITHOUT ROWID;"
    "CREATE INDEX paged_waiting ON paged (rank, id DESC) WHERE NOT merged;"

    "CREATE TABLE change (sequence INTEGER NOT NULL, item INTEGER NOT NULL,"
    " time_us INTEGER NOT NULL, kind INTEGER NOT NULL, id INTEGER NOT NULL,"
    " PRIMARY KEY (sequence, item)) WITHOUT ROWID;"

    "CREATE TABLE record (kind TEXT NOT NULL, name BLOB NOT NULL, number INTEGER NOT NULL,"
    " sealed BLOB NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID;";

int catalogue_schema(struct catalogue *c, bool create, struct ark_error *err)
{
	return db_schema(
	    &c->db, ddl, SCHEMA_VERSION, create, "run `arkki rebuild DIR catalogue`", err);
}

int64_t catalogue_day(const char *date)
{
	char digits[9];

	if (!date)
		return 0;
	memcpy(digits, date, 4);
	memcpy(digits + 4, date + 5, 2);
	memcpy(digits + 6, date + 8, 2);
	digits[8] = '\0';
	return -strtol(digits, NULL, 10);
}

void catalogue_day_text(char out[11], int64_t day)
{
	unsigned int d = (unsigned int)-day;

	snprintf(out, 11, "%04u-%02u-%02u", d / 10000 % 10000, d / 100 % 100, d % 100);
}
