#include "archive/receipt_private.h"
#include "arkki/archive/ledger.h"

int ledger_receipt(struct ledger *l, struct keyring *keys, const char *token, struct receipt **ret,
    struct ark_error *err)
{
	enum ledger_which which;
	uint64_t first, count;
	struct receipt *r;
	int rc = receipt_resolve(keys, token, &which, &first, &count, err);

	if (rc)
		return rc;
	if (which != LEDGER_ACCESS || count == 0 || first + count > ledger_size(l))
		return ark_fail(
		    err, ARK_EREFUSED, "the receipt's entries are not in the access log");
	r = receipt_new(first, count, token);
	if (!r)
		return ark_fail(err, ARK_ENOMEM, "no memory for a receipt");
	*ret = r;
	return ARK_OK;
}
