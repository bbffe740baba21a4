#include "index/likeness.h"

#include <string.h>

/* SplitMix64's finaliser (Steele, Lea, Flood 2014): every bit of x reaches every bit of the result. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xBF58476D1CE4E5B9u;
	x ^= x >> 27;
	x *= 0x94D049BB133111EBu;
	return x ^ x >> 31;
}

/* FNV-1a. */
static uint64_t hash_of(const char *word, size_t len)
{
	uint64_t h = 0xCBF29CE484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)word[i]) * 0x100000001B3u;
	return h;
}

void likeness_begin(struct likeness *l)
{
	*l = (struct likeness){0};
	memset(l->least, 0xFF, sizeof(l->least));
}

void likeness_add(struct likeness *l, const char *word, size_t len)
{
	const uint64_t now = hash_of(word, len);

	if (l->words++ >= 2) {
		const uint64_t row = mix(mix(mix(l->last[0]) + l->last[1]) + now);

		for (uint64_t i = 0; i < LIKENESS_LANES; i++) {
			/* an odd number of its own for each lane: multiply, keep the upper half */
			const uint32_t v = (uint32_t)(row * (mix(i + 1) | 1) >> 32);

			if (v < l->least[i])
				l->least[i] = v;
		}
	}
	l->last[0] = l->last[1];
	l->last[1] = now;
}

bool likeness_end(const struct likeness *l, unsigned char out[LIKENESS_BYTES])
{
	if (l->words < LIKENESS_WORDS_MIN)
		return false;
	for (size_t i = 0; i < LIKENESS_LANES; i++) {
		out[2 * i] = (unsigned char)(l->least[i] >> 8);
		out[2 * i + 1] = (unsigned char)l->least[i];
	}
	return true;
}

unsigned int likeness_equal(
    const unsigned char a[LIKENESS_BYTES], const unsigned char b[LIKENESS_BYTES])
{
	unsigned int equal = 0;

	for (size_t i = 0; i < LIKENESS_LANES; i++)
		equal += a[2 * i] == b[2 * i] && a[2 * i + 1] == b[2 * i + 1];
	return equal;
}
