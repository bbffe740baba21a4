// The root key file, keys/secrets and the shards, as archive/README.md section "Keys" lays them out.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ascii, blake2b, ed25519Public, number64, u64, xchachaOpen } from './primitives.mjs';

const SLOTS = 16384;
const SLOT = 72;
const HEADER = 128;
const PAST = 88;

function readRootKey(file) {
	const mode = statSync(file);
	if (!mode.isFile() || mode.mode & 0o077) throw new Error(`${file}: a root key is a file that only its owner can read`);
	const line = /^arkki-root-key-v1 ([1-9][0-9]{0,9}) ([0-9a-fA-F]{64})\n?$/.exec(readFileSync(file, 'latin1'));
	if (!line || Number(line[1]) > 0xffffffff) throw new Error(`${file}: not a root key file`);
	return { epoch: Number(line[1]), key: Buffer.from(line[2], 'hex') };
}

const unwrap = (wrapped, aad, key) => xchachaOpen(key, wrapped.subarray(0, 24), wrapped.subarray(24), aad);

// An earlier signing key: of what, its span in microseconds, its public half.
function readPast(b) {
	const of = [undefined, 'history', 'access', 'git'][b[0]];
	if (!of) throw new Error('keys/secrets: an earlier key of nothing known');
	return { of, from: number64(b, 8), until: number64(b, 16), publicKey: b.subarray(24, 56) };
}

// Every key of one kind, the newest first; from 0: since the archive was made, until 0: still.
export function signersOf(keys, of) {
	const seed = { history: keys.historySeed, access: keys.accessSeed, git: keys.commitSeed }[of];
	const past = keys.past.filter((one) => one.of === of);
	return [{ publicKey: ed25519Public(seed), from: past[0]?.until ?? 0, until: 0 }, ...past];
}

function readSecrets(file, root) {
	const bytes = readFileSync(file);
	const format = bytes.length < 248 || bytes.toString('latin1', 0, 8) !== 'ARKKISEC' ? 0 : bytes.readUInt32BE(8);
	const fits = format === 1 ? bytes.length === 248 : bytes.length > 248 && (bytes.length - 248) % PAST === 0;
	if ((format !== 1 && format !== 2) || !fits) throw new Error('keys/secrets: not a file of format 1 or 2');
	if (bytes.readUInt32BE(12) !== root.epoch) throw new Error(`keys/secrets: of epoch ${bytes.readUInt32BE(12)}`);
	if (!blake2b(ascii('arkki-root-check-v1'), root.key, 16).equals(bytes.subarray(32, 48)))
		throw new Error('keys/secrets: the root check differs');
	const aad = Buffer.concat([ascii(`arkki-secrets-v${format}`), bytes.subarray(12, 32)]);
	const plain = xchachaOpen(root.key, bytes.subarray(48, 72), bytes.subarray(72), aad);
	const secret = (n) => plain.subarray(32 * n, 32 * n + 32);
	const past = [];
	for (let at = 160; at < plain.length; at += PAST) past.unshift(readPast(plain.subarray(at, at + PAST)));
	return {
		past,
		archiveId: bytes.subarray(16, 32),
		historySeed: secret(0),
		accessSeed: secret(1),
		commitSeed: secret(2),
		nameKey: secret(3),
		tokenKey: secret(4),
	};
}

const bytes72 = (shard, at) => shard.bytes.subarray(at, at + SLOT);

function readShard(file, number, root, archiveId) {
	const bytes = readFileSync(file);
	const fields = [12, 16, 20].map((at) => bytes.readUInt32BE(at));
	if (bytes.toString('latin1', 0, 8) !== 'ARKKISHD' || bytes.readUInt32BE(8) !== 1) throw new Error('not a shard of format 1');
	if (fields[0] !== number || fields[1] !== root.epoch || fields[2] !== SLOTS || !archiveId.equals(bytes.subarray(24, 40)))
		throw new Error('its header names another place');
	if (bytes.subarray(112, HEADER).some((b) => b)) throw new Error('its header does not end in zeros');
	const aad = Buffer.concat([ascii('arkki-shard-v1'), bytes.subarray(0, 40)]);
	return { bytes, key: unwrap(bytes.subarray(40, 112), aad, root.key) };
}

// What opens everything: `dataKey(slot)`, the secrets, and the keyed name of a caller's id.
export function openKeys(dir, rootKeyFile, fault) {
	const root = readRootKey(rootKeyFile);
	const secrets = readSecrets(join(dir, 'keys', 'secrets'), root);
	const shards = [];
	for (const name of readdirSync(join(dir, 'keys')).sort()) {
		if (name === 'secrets' || name === 'shard.tmp') continue;
		try {
			if (name !== `shard-${String(shards.length).padStart(6, '0')}`) throw new Error('not the next shard');
			shards.push(readShard(join(dir, 'keys', name), shards.length, root, secrets.archiveId));
		} catch (error) {
			fault(`keys/${name}`, error);
			shards.push(null);
		}
	}
	const slots = shards.reduce((n, shard) => n + (shard ? Math.floor((shard.bytes.length - HEADER) / SLOT) : 0), 0);
	return {
		...secrets,
		slots,
		shards: shards.length,
		dataKey(slot) {
			const shard = shards[Math.floor(slot / SLOTS)];
			const at = HEADER + SLOT * (slot % SLOTS);
			if (!shard || at + SLOT > shard.bytes.length) throw new Error(`there is no slot ${slot}`);
			if (bytes72(shard, at).every((b) => b === 0xff)) throw new Error(`the key of slot ${slot} was destroyed`);
			const aad = Buffer.concat([ascii('arkki-slot-v1'), secrets.archiveId, shard.bytes.subarray(12, 20), u64(slot)]);
			try {
				return unwrap(bytes72(shard, at), aad, shard.key);
			} catch {
				throw new Error(`slot ${slot} does not open`);
			}
		},
		keyedName: (kind, name) => blake2b(Buffer.from(`${kind}\0${name}`), secrets.nameKey, 16).toString('hex'),
		context: (path) => `arkki-v1:${secrets.archiveId.toString('hex')}:${path}`,
	};
}

// The range of log entries behind the text of an Arkki-Receipt.
export function openReceipt(keys, text) {
	const key = blake2b(ascii('arkki-receipt-v1'), keys.tokenKey, 32);
	const bytes = Buffer.from(text, 'base64url');
	if (bytes.length !== 57 || bytes.toString('base64url') !== text) throw new Error('not the text of a receipt');
	const plain = xchachaOpen(key, bytes.subarray(0, 24), bytes.subarray(24), Buffer.alloc(0));
	if (!blake2b(plain, key, 24).equals(bytes.subarray(0, 24))) throw new Error('the nonce is not that of its range');
	return { log: ['history', 'access'][plain[0]], first: number64(plain, 1), count: number64(plain, 9) };
}
