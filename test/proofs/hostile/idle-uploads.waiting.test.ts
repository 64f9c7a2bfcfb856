/** Imports that send a byte now and then: they lock nobody out, and they end. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { limits } from '../../../shared/wire/limits.ts';
import type { Answer } from '../../support/answer.ts';
import { eventually } from '../../support/eventually.ts';
import { startWorld, type World } from '../../support/whole-world.ts';

const head = 'zip_code,latitude,longitude,city,state,county\n';
const rowOf = (zip: string) => `${zip},40.9,-72.6,Holtsville,NY,Suffolk\n`;

let world: World;
beforeAll(async () => void (world = await startWorld({ engine: 'sqlite', logLevel: 'debug' })));
afterAll(() => world.close());

function trickle(first: string): ReadableStream<Uint8Array> {
  let timer: Timer | undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(first));
      timer = setInterval(() => controller.enqueue(Uint8Array.of(0x30)), 500);
    },
    cancel: () => clearInterval(timer),
  });
}

async function importBy(subject: string, body: Bun.BodyInit): Promise<Answer> {
  return world.request('/v2/places/import', { token: await world.token({ subject }), headers: { 'content-type': 'text/csv' }, body });
}

test('a caller fills no more than a share, others import meanwhile, and what idles is told so and ended', async () => {
  const began = performance.now();
  const idle = Array.from({ length: limits.importsPerCallerMax }, () => importBy('idler', trickle(head)));
  // An import asked for sooner would take the place of an upload that is still on its way, and each question costs its plan.
  await Bun.sleep(1_000);
  await eventually('the share to be taken', async () => (await importBy('idler', head)).status === 429, { everyMs: 1_000 });
  expect(Number((await importBy('idler', head)).headers.get('retry-after'))).toBeGreaterThan(0);
  const other = await importBy('worker', head + rowOf('00501'));
  expect([other.status, other.text.includes('"imported":1,')]).toEqual([200, true]);
  expect((await world.request('/v2/places/00501', { headers: { 'tombolo-position': other.position } })).status).toBe(200);
  for (const answer of await Promise.all(idle)) expect([answer.status, answer.code]).toEqual([408, 'body_late']);
  expect(performance.now() - began).toBeLessThan(limits.importSilenceMsMax + 5_000);
  expect((await importBy('idler', head)).status).toBe(200);
  expect(world.origin.output).not.toMatch(/"level":"(warn|error|fatal)"/);
}, 60_000);

test('an import that stops after its first rows keeps what is committed and says that it is not complete', async () => {
  const rows = Array.from({ length: 450 }, (_, index) => rowOf(String(10_000 + index)));
  const answer = await fetch(`${world.edge.url}/v2/places/import`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await world.token({ subject: 'stopper' })}`, 'content-type': 'text/csv' },
    body: trickle(head + rows.join('')),
  });
  // workerd ends an answer only when the upload has ended: what is there by then is all of it. White space goes before it.
  let line = '';
  for await (const chunk of answer.body ?? []) {
    line += new TextDecoder().decode(chunk);
    if (line.endsWith('\n')) break;
  }
  const { summary } = JSON.parse(line) as { summary: Record<string, unknown> };
  expect([answer.status, summary['imported'], summary['complete'], summary['stopped']]).toMatchObject([
    200,
    400,
    false,
    { code: 'body_late' },
  ]);
}, 60_000);
