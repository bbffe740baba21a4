// The cryptography that archive/README.md names, on node:crypto alone. What node lacks (XChaCha20's longer nonce,
// keyed and short BLAKE2b, HKDF without its Extract step) is written out here from the standards.
import { createDecipheriv, createHash, createHmac, createPrivateKey, createPublicKey, verify } from 'node:crypto';

export const sha256 = (...parts) => parts.reduce((h, p) => h.update(p), createHash('sha256')).digest();
export const sha512 = (bytes) => createHash('sha512').update(bytes).digest();
export const ascii = (text) => Buffer.from(text, 'latin1');

export function u32(value) {
	const out = Buffer.alloc(4);
	out.writeUInt32BE(value);
	return out;
}

export function u64(value) {
	const out = Buffer.alloc(8);
	out.writeBigUInt64BE(BigInt(value));
	return out;
}

// A 64-bit number of the format as a JavaScript number; none that means anything here is above 2^53.
export function number64(bytes, at) {
	const value = bytes.readBigUInt64BE(at);
	if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error(`${value} is no number that this archive can have`);
	return Number(value);
}

// ---- HChaCha20 and XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) ----

const rotl = (x, n) => (x << n) | (x >>> (32 - n));

function quarter(s, a, b, c, d) {
	s[a] += s[b];
	s[d] = rotl(s[d] ^ s[a], 16);
	s[c] += s[d];
	s[b] = rotl(s[b] ^ s[c], 12);
	s[a] += s[b];
	s[d] = rotl(s[d] ^ s[a], 8);
	s[c] += s[d];
	s[b] = rotl(s[b] ^ s[c], 7);
}

function hchacha20(key, input) {
	const s = new Uint32Array(16);
	const words = Buffer.concat([ascii('expand 32-byte k'), key, input]);
	for (let i = 0; i < 16; i++) s[i] = words.readUInt32LE(4 * i);
	for (let round = 0; round < 10; round++) {
		for (let i = 0; i < 4; i++) quarter(s, i, 4 + i, 8 + i, 12 + i);
		for (let i = 0; i < 4; i++) quarter(s, i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4));
	}
	const out = Buffer.alloc(32);
	for (let i = 0; i < 4; i++) {
		out.writeUInt32LE(s[i], 4 * i);
		out.writeUInt32LE(s[12 + i], 16 + 4 * i);
	}
	return out;
}

function aeadOpen(algorithm, key, nonce, sealed, aad) {
	const open = createDecipheriv(algorithm, key, nonce, { authTagLength: 16 });
	const end = sealed.length - 16;
	if (end < 0) throw new Error('shorter than its tag');
	if (aad.length) open.setAAD(aad, { plaintextLength: end });
	open.setAuthTag(sealed.subarray(end));
	const plain = open.update(sealed.subarray(0, end));
	open.final();
	return plain;
}

export function xchachaOpen(key, nonce, sealed, aad) {
	const short = Buffer.concat([Buffer.alloc(4), nonce.subarray(16, 24)]);
	return aeadOpen('chacha20-poly1305', hchacha20(key, nonce.subarray(0, 16)), short, sealed, aad);
}

export const gcmOpen = (key, nonce, sealed, aad) => aeadOpen('aes-256-gcm', key, nonce, sealed, aad);

// ---- BLAKE2b with a key and a length (RFC 7693) ----

const M64 = 0xffffffffffffffffn;
const BLAKE_IV = [
	0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
	0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
];
// one hexadecimal digit for each index
const SIGMA = [
	'0123456789abcdef', 'ea489fd61c02b753', 'b8c052fdae367194', '7931dcbe265a40f8', '905724afe1bc683d',
	'2c6a0b834d75fe19', 'c51fed4a0763928b', 'db7ec13950f4862a', '6fe9b308c2d714a5', 'a2847615fb9e3cd0',
].map((row) => [...row].map((digit) => parseInt(digit, 16)));
const COLUMNS_AND_DIAGONALS = [
	[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15],
	[0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14],
];

const rotr64 = (x, n) => ((x >> n) | (x << (64n - n))) & M64;

function blakeMix(v, [a, b, c, d], x, y) {
	v[a] = (v[a] + v[b] + x) & M64;
	v[d] = rotr64(v[d] ^ v[a], 32n);
	v[c] = (v[c] + v[d]) & M64;
	v[b] = rotr64(v[b] ^ v[c], 24n);
	v[a] = (v[a] + v[b] + y) & M64;
	v[d] = rotr64(v[d] ^ v[a], 16n);
	v[c] = (v[c] + v[d]) & M64;
	v[b] = rotr64(v[b] ^ v[c], 63n);
}

function blakeCompress(h, block, counted, last) {
	const m = Array.from({ length: 16 }, (_, i) => block.readBigUInt64LE(8 * i));
	const v = [...h, ...BLAKE_IV];
	v[12] ^= BigInt(counted);
	if (last) v[14] ^= M64;
	for (let round = 0; round < 12; round++) {
		const order = SIGMA[round % 10];
		COLUMNS_AND_DIAGONALS.forEach((four, i) => blakeMix(v, four, m[order[2 * i]], m[order[2 * i + 1]]));
	}
	for (let i = 0; i < 8; i++) h[i] ^= v[i] ^ v[i + 8];
}

export function blake2b(message, key, size) {
	const h = [...BLAKE_IV];
	h[0] ^= 0x01010000n ^ (BigInt(key.length) << 8n) ^ BigInt(size);
	const keyBlock = key.length ? Buffer.concat([key, Buffer.alloc(128 - key.length)]) : key;
	const all = Buffer.concat([keyBlock, message]);
	let at = 0;
	for (; at + 128 < all.length; at += 128) blakeCompress(h, all.subarray(at, at + 128), at + 128, false);
	const tail = Buffer.alloc(128);
	all.copy(tail, 0, at);
	blakeCompress(h, tail, all.length, true);
	const out = Buffer.alloc(64);
	h.forEach((word, i) => out.writeBigUInt64LE(word, 8 * i));
	return out.subarray(0, size);
}

// ---- Ed25519 (RFC 8032); node wants keys in their ASN.1 wrappings ----

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

export function ed25519Public(seed) {
	const secret = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
	return createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(SPKI.length);
}

export function ed25519Verify(publicKey, message, signature) {
	const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' });
	return verify(null, message, key, signature);
}

// ---- sealed bytes: C2SP chunked-encryption@v1, Cobblestone-256 ----

const SUITE = Buffer.concat([ascii('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM'), Buffer.from([0])]);
const CHUNK = 16384;
const HEAD = 56;

function hkdfExpandSha512(key, info, size) {
	let block = Buffer.alloc(0);
	let out = block;
	for (let n = 1; out.length < size; n++) {
		block = createHmac('sha512', key).update(block).update(info).update(Buffer.from([n])).digest();
		out = Buffer.concat([out, block]);
	}
	return out.subarray(0, size);
}

export function unseal(sealed, dataKey, context) {
	if (sealed.length < HEAD + 16 || (sealed.length - HEAD) % (CHUNK + 16) < 16)
		throw new Error(`no sealed message has ${sealed.length} bytes`);
	const info = Buffer.concat([SUITE, sealed.subarray(0, 24), Buffer.from(context, 'utf8')]);
	const derived = hkdfExpandSha512(dataKey, info, 76);
	if (!derived.subarray(44).equals(sealed.subarray(24, HEAD))) throw new Error('the key commitment differs');
	const plain = [];
	for (let at = HEAD, k = 0n; at < sealed.length; at += CHUNK + 16, k++) {
		const nonce = Buffer.from(derived.subarray(32, 44));
		nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ k, 4);
		plain.push(gcmOpen(derived.subarray(0, 32), nonce, sealed.subarray(at, at + CHUNK + 16), Buffer.alloc(0)));
	}
	return Buffer.concat(plain);
}
