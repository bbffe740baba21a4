#include "arkki/archive/signing.h"

#include <string.h>

#include "archive/checkpoint.h"
#include "archive/git_sign.h"

const char *const signing_names[4] = {"", "history", "access", "git"};

enum keyring_signing signing_by_name(const char *name)
{
	for (int i = SIGNING_HISTORY; name && i <= SIGNING_GIT; i++)
		if (strcmp(name, signing_names[i]) == 0)
			return (enum keyring_signing)i;
	return SIGNING_NONE;
}

int signing_public(enum keyring_signing which, const char *origin,
    const unsigned char public_key[32], struct buf *out, struct ark_error *err)
{
	struct gitsign *git = NULL;
	struct note_key key;
	int rc = which == SIGNING_GIT ? gitsign_new_public(public_key, &git, err)
				      : note_key_from_public(origin, public_key, &key, err);

	if (!rc && which == SIGNING_GIT)
		gitsign_public(git, out);
	else if (!rc)
		note_key_format(&key, out);
	gitsign_free(git);
	return rc || !buf_failed(out) ? rc : ark_fail(err, ARK_ENOMEM, "no memory for a key");
}
