/**
 * What metrics cost: a get at the origin, signed and carried out, measured and not, by turns; and the measuring by itself, which
 * is less than what two such rounds differ by. `node_modules/.bin/bun test/bench/metrics.ts`
 */
import { Registry } from '@prometheus-io/client';
import type { Context } from '../../origin/context.ts';
import { Requests } from '../../origin/metrics/requests.ts';
import { handle } from '../../origin/pipeline.ts';
import { served } from '../../shared/resources/all.ts';
import { OpenedOrigin } from '../support/opened-origin.ts';
import { testKeys } from '../support/scripted-origin.ts';
import { principalHeader, signHop } from '../support/signed-hop.ts';

const rounds = 15;
const getsPerRound = 1_000;
const measuredAlone = 1_000_000;

await using origin = await OpenedOrigin.on('sqlite', served, {}, { TOMBOLO_ANSWERS_BYTES_MAX: '0' });
const films = served.resources.get('films');
if (films === undefined) throw new Error('there are no films');
const id = '01a22632-0000-7000-8000-000000000000';
const now = new Date().toISOString();
await origin.put(films, id, { title: 'A film', year: 2000, genres: ['Drama'], cast: [], rev: 1, createdAt: now, updatedAt: now });

const requests = new Requests(new Registry(Registry.OPENMETRICS_CONTENT_TYPE));
const plain: Context = { ...origin.context, measuring: undefined };
const measured: Context = { ...origin.context, measuring: { requests, registry: new Registry() } };

function signed(): Request {
  const headers = { 'tombolo-principal': principalHeader('ada', ['editor']), 'tombolo-request': `req_${crypto.randomUUID()}` };
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

function alone(): number {
  const beganAtMs = performance.now();
  for (let count = 0; count < measuredAlone; count++) {
    const seen = requests.begin();
    seen.operation = 'get';
    seen.end(200);
  }
  return ((performance.now() - beganAtMs) * 1_000) / measuredAlone;
}

const median = (of: readonly number[]): number => of.toSorted((a, b) => a - b)[of.length >> 1] ?? Number.NaN;

await round(plain);
await round(measured);
const times: { readonly plain: number[]; readonly measured: number[] } = { plain: [], measured: [] };
for (let count = 0; count < rounds; count++) {
  times.plain.push(await round(plain));
  times.measured.push(await round(measured));
}
alone();
const [without, withMetrics, cost] = [median(times.plain), median(times.measured), median([alone(), alone(), alone()])];
process.stdout.write(`a get: ${without.toFixed(1)} µs; measured: ${withMetrics.toFixed(1)} µs; `);
process.stdout.write(`the measuring alone: ${cost.toFixed(2)} µs, ${((cost / without) * 100).toFixed(1)} %\n`);
