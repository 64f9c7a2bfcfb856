import { afterEach, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import type { ComputeCalls } from '../../../../origin/compute/calls.ts';
import { convertCsv, type CsvJob } from '../../../../origin/compute/csv.client.ts';
import { ComputeFault } from '../../../../origin/compute/faults.ts';
import { threadsEndingMax } from '../../../../origin/compute/limits.ts';
import { ComputePool } from '../../../../origin/compute/pool.ts';
import type { CsvPlan } from '../../../../shared/transforms/csv-plan.ts';
import { CsvRefused, type CsvBatch } from '../../../../shared/transforms/csv.ts';
import { eventually } from '../../../support/eventually.ts';
import { cutAt, runCsv } from '../../wasm/csv-run.ts';
import { column, hasZipcodes, instance, moduleFile, tombolo, zipcodesFile, zipcodesPlan } from '../../wasm/module.ts';
import { trap, withCode } from '../../wasm/patched-module.ts';

const plan: CsvPlan = { unknown: 'refuse', columns: [column('a'), column('b')] };
const signal = new AbortController().signal;
const bytes = (text: string) => new TextEncoder().encode(text);
const pools: ComputePool<ComputeCalls>[] = [];

function pool(threads: number, module = tombolo()): ComputePool<ComputeCalls> {
  const made = new ComputePool<ComputeCalls>({
    script: new URL('../../../../origin/compute/compute.worker.ts', import.meta.url),
    module,
    threads,
  });
  pools.push(made);
  return made;
}

afterEach(async () => {
  for (const each of pools.splice(0)) await each.close();
});

async function* each(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function gather(on: ComputePool<ComputeCalls>, job: Partial<CsvJob> & Pick<CsvJob, 'chunks'>) {
  const result = { ndjson: '', rows: [] as number[], rejected: [] as CsvBatch['rejected'][number][] };
  for await (const { ndjson, rows, rejected } of convertCsv(on, { plan, signal, ...job })) {
    result.ndjson += new TextDecoder().decode(ndjson);
    for (const row of rows) result.rows.push(row);
    result.rejected.push(...rejected);
  }
  return result;
}

/** Waits until every job has given its session back, by a call on a session of its own that runs behind theirs. */
async function released(on: ComputePool<ComputeCalls>): Promise<void> {
  while (on.stats().sessionsOpen > 0) {
    const session = on.session();
    await session.call('csv.close', { stream: session.id }, { signal });
    session.close();
  }
}

/** Rows of which every third is ragged: enough for many outputs of one chunk. */
const generated = bytes(`a,b\n${Array.from({ length: 120_000 }, (_, row) => (row % 3 ? `${row},"x ""${row}"""\n` : `${row}\n`)).join('')}`);

test('a stream converts on a thread as it does in place', async () => {
  const chunks = each([...cutAt(generated, [1, 2, 70_000, 900_001])]);
  expect(await gather(pool(1), { chunks })).toEqual(runCsv(instance(), plan, [generated]));
});

test.skipIf(!hasZipcodes)(
  `42 049 postal codes convert on a thread${hasZipcodes ? '' : ' (left out: zipcodes.csv is not beside the project)'}`,
  async () => {
    const result = await gather(pool(1), { plan: zipcodesPlan, chunks: Bun.file(zipcodesFile).stream() });
    expect(result).toEqual(runCsv(instance(), zipcodesPlan, [readFileSync(zipcodesFile)]));
    expect(result.rows.length).toBe(42_049);
  },
);

test('many streams share two threads and do not mix', async () => {
  const two = pool(2);
  const texts = Array.from({ length: 20 }, (_, index) => `a,b\n${`${index},"y\n"\n`.repeat(500 + index)}`);
  const results = await Promise.all(texts.map((text, index) => gather(two, { chunks: each(cutAt(bytes(text), [index, 100, 101])) })));
  results.forEach((result, index) => expect(result).toEqual(runCsv(instance(), plan, [bytes(texts[index] ?? '')])));
  await released(two);
  expect(two.stats()).toMatchObject({ busy: 0, waiting: 0, sessionsOpen: 0 });
});

test('a chunk is taken from the source when all batches of the one before it have come, one ahead of what was read', async () => {
  let taken = 0;
  async function* counted() {
    for (const chunk of [bytes('a,b\n1,2\n'), bytes('3,4\n'), bytes('5,6\n'), bytes('7,8\n')]) {
      taken += 1;
      yield chunk;
    }
  }
  const one = pool(1);
  const batches = convertCsv(one, { plan, signal, chunks: counted() });
  expect(taken).toBe(0);
  await batches.next();
  await eventually('the second is taken, and its batch waits', () => taken === 2 && one.stats().replies === 3);
  expect(taken).toBe(2);
  await batches.next();
  await eventually('the third is taken, and its batch waits', () => taken === 3 && one.stats().replies === 4);
  expect(taken).toBe(3);
  await batches.return();
  await released(one);
  expect(taken).toBe(3);
});

test('a chunk that is part of a larger buffer is copied, one that is all of its buffer is given away', async () => {
  const whole = bytes('a,b\n1,2\n');
  const part = bytes('3,4\nand more').subarray(0, 4);
  expect((await gather(pool(1), { chunks: each([whole, part]) })).rows).toEqual([1, 2]);
  expect(whole.byteLength).toBe(0);
  expect(part.byteLength).toBe(4);
});

test('a header that does not meet the plan is refused as in place, and the session comes back', async () => {
  const one = pool(1);
  const error = await gather(one, { chunks: each([bytes('a,x\n1,2\n')]) }).catch((refused: unknown) => refused);
  expect(error).toBeInstanceOf(CsvRefused);
  expect(error).toMatchObject({ refusal: { reason: 'header_columns', unknown: ['x'], missing: ['b'] } });
  expect((await gather(one, { chunks: each([bytes('a,b\n1,2\n')]) })).rows).toEqual([1]);
  expect(one.stats()).toMatchObject({ traps: 0, losses: 0, threads: 1 });
});

test('a job given up while its source hangs ends at once, tells the source, and frees its session', async () => {
  const one = pool(1);
  const abort = new AbortController();
  const cancelled = Promise.withResolvers<unknown>();
  const hanging = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(bytes('a,b\n1,2\n')),
    cancel: cancelled.resolve,
  });
  const batches = convertCsv(one, { plan, signal: abort.signal, chunks: hanging });
  await batches.next();
  const next = batches.next();
  abort.abort(new Error('past the deadline of the request'));
  expect(next).rejects.toThrow('past the deadline of the request');
  expect(await next.catch(() => 'ended')).toBe('ended');
  await released(one);
  expect((await gather(one, { chunks: each([bytes('a,b\n1,2\n')]) })).rows).toEqual([1]);
});

test('a job whose reader leaves cancels its source', async () => {
  const cancelled = Promise.withResolvers<unknown>();
  const one = pool(1);
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(bytes('a,b\n1,2\n')),
    cancel: cancelled.resolve,
  });
  for await (const _ of convertCsv(one, { plan, signal, chunks: endless })) break;
  await cancelled.promise;
  await released(one);
});

test('a job whose reader leaves while its source hangs frees its session', async () => {
  const one = pool(1);
  const hanging = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(bytes('a,b\n1,2\n')) });
  for await (const _ of convertCsv(one, { plan, signal, chunks: hanging })) break;
  await released(one);
});

test('a step that never ends in the module fails at its deadline; stuck threads are counted and bounded', async () => {
  // The process is the test's own: Bun cannot end a thread inside a Wasm call, only the end of a process does.
  const child = Bun.spawn([process.execPath, Bun.fileURLToPath(new URL('endless-module.ts', import.meta.url))], { stderr: 'inherit' });
  expect(await new Response(child.stdout).json()).toEqual({
    reasons: [...Array.from({ length: threadsEndingMax }, () => 'compute_deadline'), 'compute_full'],
    threadsEnding: threadsEndingMax,
    deadlines: threadsEndingMax,
    ready: false,
  });
  expect(await child.exited).toBe(0);
}, 60_000);

test('a trap fails every stream of its thread; the next stream has a new one', async () => {
  const one = pool(1, withCode('finish', trap, new Uint8Array(readFileSync(moduleFile))));
  const bystander = convertCsv(one, { plan, signal, chunks: each([bytes('a,b\n1,2\n'), bytes('3,4\n'), bytes('5,6\n')]) });
  expect((await bystander.next()).value?.rows).toEqual(Uint32Array.of(1));
  const error = await gather(one, { chunks: each([bytes('a,b\n')]) }).catch((fault: unknown) => fault);
  expect(error).toBeInstanceOf(ComputeFault);
  expect(error).toMatchObject({ reason: 'compute_trapped' });
  // It was one batch ahead.
  expect((await bystander.next()).value?.rows).toEqual(Uint32Array.of(2));
  expect(bystander.next()).rejects.toMatchObject({ reason: 'compute_thread_lost' });
  expect(one.stats()).toMatchObject({ traps: 1, threads: 0 });
  const after = convertCsv(one, { plan, signal, chunks: each([bytes('a,b\n5,6\n')]) });
  expect((await after.next()).value?.rows).toEqual(Uint32Array.of(1));
  await after.return();
});
