/* arkki's own engine against Cedar's: the shipped cases, and random policies. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Judge, readCases, readText, top, validate } from './oracle.mjs';
import { Generator } from './generate.mjs';

const program = resolve(top, process.env.ARKKI_BIN ?? 'build/arkki');

/* {passed, failed, disagreements, lines} of `arkki policy test`, or null where it did not come to an end. */
function policyTest(files, root) {
	const { stdout, stderr } = spawnSync(program, ['policy', 'test', '--validate', ...files, '--root', root],
		{ cwd: top, encoding: 'utf8', maxBuffer: 1 << 28, timeout: 300000 });
	const sum = /^(\d+) passed, (\d+) failed$/m.exec(stdout ?? '');
	const lines = `${stdout ?? ''}${stderr ?? ''}`.trim().split('\n');
	return {
		passed: sum ? Number(sum[1]) : -1,
		failed: sum ? Number(sum[2]) : -1,
		disagreements: Number(/(\d+) validation disagreements/.exec(stdout)?.[1] ?? 0),
		lines: lines.slice(0, 40),
	};
}

function faultsOf(result, files) {
	return result.passed === files && result.failed === 0 ? [] : [`${files} files wanted`, ...result.lines];
}

export function runEngine(report) {
	const name = 'test_policies__the_engine_decides_the_cases_as_said';
	if (!existsSync(program))
		return report.skip(name, `there is no ${program}; run make first`);
	const files = readCases().map(({ path }) => path);
	const result = policyTest(files, '.');
	report(name, faultsOf(result, files.length));
	report('test_policies__the_engine_finds_the_policies_valid', result.disagreements > 0 ? result.lines : []);
}

/* Writes one set with what Cedar says of it as a test; false where Cedar does not take the text. */
function writeSet(folder, n, seed, schema, counts) {
	const generator = new Generator(seed);
	const text = generator.policies();
	const entities = generator.entities();
	const judge = new Judge(schema);
	try {
		judge.take(text);
	} catch {
		counts.refused++;
		return false;
	}
	const requests = Array.from({ length: 5 }, () => generator.request());
	for (const [i, request] of requests.entries()) {
		Object.assign(request, { description: `seed ${seed}, request ${i}` }, judge.decide(request, entities));
		counts.requests++;
		counts.allowed += request.decision === 'allow' ? 1 : 0;
		counts.failing += request.errors.length > 0 ? 1 : 0;
	}
	const test = {
		policies: `tests/${n}.cedar`, entities: `tests/${n}.entities.json`, schema: 'tests/arkki.cedarschema',
		shouldValidate: validate(schema, text, false).length === 0, requests,
	};
	counts.valid += test.shouldValidate ? 1 : 0;
	writeFileSync(join(folder, `tests/${n}.cedar`), text);
	writeFileSync(join(folder, `tests/${n}.entities.json`), JSON.stringify(entities));
	writeFileSync(join(folder, `tests/${n}.json`), JSON.stringify(test, null, 1));
	return true;
}

export function runRandom(report) {
	const name = 'test_policies__the_engine_decides_random_policies_as_cedar_does';
	const sets = Number(process.env.ARKKI_POLICY_SETS ?? 500);
	const first = Number(process.env.ARKKI_POLICY_SEED ?? 1);
	const schema = readText('policies/arkki.cedarschema');
	const folder = mkdtempSync(join(tmpdir(), 'arkki-policies-'));
	const counts = { refused: 0, requests: 0, allowed: 0, failing: 0, valid: 0 };
	const files = [];

	mkdirSync(join(folder, 'tests'));
	writeFileSync(join(folder, 'tests/arkki.cedarschema'), schema);
	for (let seed = first; files.length < sets; seed++)
		if (writeSet(folder, files.length, seed, schema, counts))
			files.push(join(folder, `tests/${files.length}.json`));
	console.log(`policies: ${sets} random policy sets from seed ${first} on: ${counts.requests} requests, ${counts.allowed} allowed, ` +
		`${counts.failing} with failing policies; ${counts.valid} sets valid, ${counts.refused} more refused`);
	// a generator that goes stale tests nothing
	report('test_policies__random_policies_decide_and_fail_both_ways', [
		[counts.allowed > counts.requests / 10, 'too few requests are allowed'],
		[counts.allowed < counts.requests * 9 / 10, 'too few requests are denied'],
		[counts.failing > counts.requests / 20, 'too few policies fail'],
		[counts.valid > sets / 20, 'too few sets are valid'],
		[counts.refused < sets / 20, 'too many sets are refused'],
	].filter(([good]) => !good).map(([, text]) => text));
	if (!existsSync(program)) {
		rmSync(folder, { recursive: true });
		return report.skip(name, `there is no ${program}; run make first`);
	}
	const result = policyTest(files, folder);
	const faults = faultsOf(result, files.length);
	report(name, faults);
	report('test_policies__the_engine_validates_random_policies_as_cedar_does', result.disagreements > 0 ? result.lines : []);
	if (faults.length > 0 || result.disagreements > 0)
		console.log(`policies: the sets are left in ${folder}`);
	else
		rmSync(folder, { recursive: true });
}
