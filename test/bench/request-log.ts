/**
 * What the line of a request costs the origin's cheapest get that reads its store: of none, of each and of one in a hundred, by
 * turns, written to a pipe's end that keeps nothing. `node_modules/.bin/bun test/bench/request-log.ts`
 */
import pino from 'pino';
import type { Context } from '../../origin/context.ts';
import { Watched } from '../../origin/watched.ts';
import { handle } from '../../origin/pipeline.ts';
import { served } from '../../shared/resources/all.ts';
import { OpenedOrigin } from '../support/opened-origin.ts';
import { testKeys } from '../support/scripted-origin.ts';
import { principalHeader, signHop } from '../support/signed-hop.ts';

const rounds = 9;
const getsPerRound = 1_000;
const linesAlone = 100_000;
const id = '01a22632-0000-7000-8000-000000000000';

await using origin = await OpenedOrigin.on('sqlite', served, {}, { TOMBOLO_ANSWERS_BYTES_MAX: '0' });
const films = served.resources.get('films');
if (films === undefined) throw new Error('there are no films');
const now = new Date().toISOString();
await origin.put(films, id, { title: 'A film', year: 2000, genres: ['Drama'], cast: [], rev: 1, createdAt: now, updatedAt: now });

const log = pino({ base: null }, pino.destination({ dest: '/dev/null', sync: true }));
const telling = (logOneIn: number): Context => ({ ...origin.context, log, settings: { ...origin.context.settings, logOneIn } });
const newId = () => `req_${crypto.randomUUID().replaceAll('-', '')}`;

function signed(): Request {
  const headers = { 'tombolo-principal': principalHeader('ada', ['editor']), 'tombolo-request': newId() };
  const { url, init } = signHop(testKeys, { url: `http://origin.test/v2/films/${id}`, method: 'GET', headers });
  return new Request(url, init);
}

/** Microseconds of a get. */
async function round(context: Context): Promise<number> {
  const asked = Array.from({ length: getsPerRound }, signed);
  const beganAtMs = performance.now();
  for (const request of asked) {
    const { status } = await handle(context, request, () => undefined);
    if (status !== 200) throw new Error(`a get answered ${status}`);
  }
  return ((performance.now() - beganAtMs) * 1_000) / getsPerRound;
}

const ids = Array.from({ length: linesAlone }, newId);
const principal = { subject: 'ada', roles: ['editor'], claims: {} };

/** Microseconds of what watches a request, and of its line where it has one. */
const alone = (context: Context): number => {
  const beganAtMs = performance.now();
  for (const requestId of ids) {
    const watched = new Watched(context);
    watched.trace = { requestId, traceId: undefined };
    watched.found({ operation: { name: 'get' }, resource: films, principal });
    watched.answered({ status: 200 }, 'a body');
  }
  return ((performance.now() - beganAtMs) * 1_000) / linesAlone;
};

const median = (of: readonly number[]): number => of.toSorted((a, b) => a - b)[of.length >> 1] ?? Number.NaN;

const contexts = [0, 1, 100].map((oneIn) => ({ oneIn, context: telling(oneIn), gets: [] as number[], lines: [] as number[] }));
for (let count = 0; count < rounds; count++) {
  for (const { context, gets, lines } of contexts) {
    gets.push(await round(context));
    lines.push(alone(context));
  }
}
const without = median(contexts[0]?.gets ?? []);
for (const { oneIn, gets, lines } of contexts) {
  const [get, line] = [median(gets), median(lines)];
  const share = ((line / without) * 100).toFixed(1);
  process.stdout.write(`one in ${oneIn}: a get ${get.toFixed(1)} µs; the watching alone ${line.toFixed(2)} µs, ${share} %\n`);
}
