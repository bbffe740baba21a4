// A second reader of arkki's archives, written from archive/README.md and the standards it names. It shares no code with
// arkki, so that what one of them misreads the other shows.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openKeys, openReceipt, signersOf } from './keys.mjs';
import { readLedger, vkeyOf } from './ledger.mjs';
import { checkDisclosure, followTiles } from './outsider.mjs';
import { unseal } from './primitives.mjs';
import { Store } from './store.mjs';

const USAGE = `usage: node reader.mjs DIR ROOTKEY verify                   check everything, a line for each fault
       node reader.mjs document DIR ROOTKEY DOCID VERSION OUT   the content of a version
       node reader.mjs rendition DIR ROOTKEY DOCID VERSION OUT  the content of its newest public rendition
       node reader.mjs sealed DIR ROOTKEY DOCID VERSION OUT     its sealed bytes; prints slot, data key, context
       node reader.mjs open SEALED DATAKEYHEX CONTEXT OUT       opens sealed bytes with their data key alone
       node reader.mjs vkey DIR ROOTKEY history|access          the verifier key of a log
       node reader.mjs receipt DIR ROOTKEY TOKEN                the log entries behind an Arkki-Receipt
       node reader.mjs disclosure FILE VKEY                     checks a disclosure, or those in an answer; prints their parts
       node reader.mjs follow DIR VKEY STATE                    verifies a log by its tiles, from the checkpoint kept in STATE
`;
const LOGS = ['history', 'access'];

function raise(where, error) {
	throw new Error(`${where}: ${error.message}`);
}

function originOf(dir) {
	const lines = readFileSync(join(dir, 'arkki.conf'), 'utf8').split('\n');
	if (!lines.includes('format 1')) throw new Error('arkki.conf: not an archive of format 1');
	const origin = lines.find((line) => line.startsWith('origin '));
	if (!origin) throw new Error('arkki.conf: names no origin');
	return origin.slice('origin '.length);
}

function ledger(dir, log, keys, fault) {
	const origin = `${originOf(dir)}/${log}`;
	return readLedger(join(dir, 'ledger', log), origin, signersOf(keys, log), keys, (where, error) => fault(`ledger/${log}/${where}`, error));
}

async function verify(dir, rootKey) {
	const faults = [];
	const fault = (where, error) => faults.push(`${where}: ${error.message}`);
	const summary = [];
	try {
		const keys = openKeys(dir, rootKey, fault);
		summary.push(`${keys.slots} slots in ${keys.shards} shards`);
		const logs = {};
		for (const log of LOGS) {
			logs[log] = ledger(dir, log, keys, fault);
			const read = logs[log];
			summary.push(read ? `${log} ${read.entries.length} entries, ${read.tiles} tiles, root ${read.root} of ${read.size}` : `${log} unreadable`);
		}
		const store = new Store(dir, keys);
		try {
			await store.verify(logs.history?.entries ?? null, fault);
			const n = store.count;
			summary.push(`${n.commits} commits, ${n.documents} documents, ${n.versions} versions and ${n.renditions} renditions of ${n.bytes} bytes, ${n.records} records`);
			summary.push(`${n.texts} texts open, ${n.badTexts} do not`);
		} finally {
			store.close();
		}
	} catch (error) {
		fault('archive', error);
	}
	for (const line of faults) console.log(line);
	console.log(`reader: ${faults.length ? `${faults.length} faults` : 'all as it must be'}; ${summary.join('; ')}`);
	return faults.length ? 1 : 0;
}

async function withVersion(dir, rootKey, document, number, use, form = 'version') {
	if (!/^[0-9a-f]{32}$/.test(document) || !/^[1-9]\d*$/.test(number)) throw new Error('DOCID is 32 hex digits, VERSION a number');
	const store = new Store(dir, openKeys(dir, rootKey, raise));
	try {
		use(await store[form](document, Number(number)));
	} finally {
		store.close();
	}
}

const commands = {
	document: [5, (dir, rootKey, document, number, out) =>
		withVersion(dir, rootKey, document, number, ({ plain }) => writeFileSync(out, plain))],
	rendition: [5, (dir, rootKey, document, number, out) =>
		withVersion(dir, rootKey, document, number, ({ plain }) => writeFileSync(out, plain), 'rendition')],
	sealed: [5, (dir, rootKey, document, number, out) =>
		withVersion(dir, rootKey, document, number, ({ slot, key, context, sealed }) => {
			writeFileSync(out, sealed, { mode: 0o600 });
			console.log(`slot ${slot}\nkey ${key.toString('hex')}\ncontext ${context}`);
		})],
	open: [4, (file, key, context, out) => {
		if (!/^[0-9a-f]{64}$/i.test(key)) throw new Error('DATAKEYHEX is 64 hex digits');
		writeFileSync(out, unseal(readFileSync(file), Buffer.from(key, 'hex'), context));
	}],
	vkey: [3, (dir, rootKey, log) => {
		if (!LOGS.includes(log)) throw new Error(`there is no log ${log}`);
		console.log(vkeyOf(`${originOf(dir)}/${log}`, signersOf(openKeys(dir, rootKey, raise), log)[0].publicKey).text);
	}],
	receipt: [3, (dir, rootKey, token) => {
		const keys = openKeys(dir, rootKey, raise);
		const { log, first, count } = openReceipt(keys, token);
		const { entries } = ledger(dir, log, keys, raise);
		if (first + count > entries.length) throw new Error(`the ${log} log has no entries ${first} to ${first + count - 1}`);
		for (const { index, a, b } of entries.slice(first, first + count)) console.log(JSON.stringify({ log, index, ...a, ...b }));
	}],
	disclosure: [2, (file, vkey) => {
		for (const { index, size, parts } of checkDisclosure(readFileSync(file, 'utf8'), vkey))
			console.log(JSON.stringify({ index, size, ...parts }));
	}],
	follow: [3, (where, vkey, state) => {
		const { size, before } = followTiles(where, vkey, state);
		console.log(`followed to ${size} entries from ${before}`);
	}],
};

async function main(args) {
	if (args.length === 3 && args[2] === 'verify') return verify(args[0], args[1]);
	const [count, run] = commands[args[0]] ?? [];
	if (args.length - 1 !== count) {
		process.stderr.write(USAGE);
		return 2;
	}
	try {
		await run(...args.slice(1));
		return 0;
	} catch (error) {
		process.stderr.write(`reader: ${error.message}\n`);
		return 1;
	}
}

process.exitCode = await main(process.argv.slice(2));
