/** Clients that never retry, while each process of a fleet is replaced, again and again. */
import { expect } from 'bun:test';
import { toFilm } from './film.ts';
import type { ProcessFleet } from './process-fleet.ts';
import { testKeys } from './scripted-origin.ts';
import { principalHeader, type SignedHop, signHop } from './signed-hop.ts';
import { UnforgivingClient } from './unforgiving-client.ts';

interface RolledUnderLoad {
  /** Answers that are not as they should be, and questions without one. */
  readonly failed: readonly string[];
  readonly created: number;
}

const clientsAtOnce = 20;
const writer = { 'tombolo-principal': principalHeader('eve', ['editor']), 'content-type': 'application/json' };

/** All are answered, each write is there, and two processes serve that are none of those before. */
export async function expectReplacedUnderLoad(
  fleet: ProcessFleet, given: { readonly wanted: number; readonly rollsMin: number },
): Promise<void> {
  const before = await fleet.processes();
  const { failed, created } = await rolledUnderLoad(fleet, given);
  expect(failed).toEqual([]);
  expect(await fleet.count('films')).toBe(created);
  const after = await fleet.processes();
  expect(after.filter(({ pid }) => before.some((old) => old.pid === pid))).toEqual([]);
  expect(after.length).toBe(2);
}

/** At least so many questions are asked, and each process is replaced so often. */
async function rolledUnderLoad(
  fleet: ProcessFleet, { wanted, rollsMin }: { readonly wanted: number; readonly rollsMin: number },
): Promise<RolledUnderLoad> {
  const health: SignedHop = { url: `${fleet.url}/health`, init: { method: 'GET', headers: {}, body: null } };
  const failed: string[] = [];
  let [asked, created, isOver] = [0, 0, false];
  const clients = Array.from({ length: clientsAtOnce }, () => new UnforgivingClient(fleet.port));
  const load = clients.map(async (client, index) => {
    while (asked < wanted || !isOver) {
      const nth = asked++;
      const isWrite = nth % 20 === 0;
      // Of what is not written one in four reads the database: the others come by the same sockets, and cost the machine less.
      const hop = isWrite ? creation(fleet, `Film ${index} ${nth}`) : nth % 4 === 1 ? list(fleet, 1 + (nth % 5)) : health;
      try {
        const { status, text } = await client.ask(hop);
        if (status !== (isWrite ? 201 : 200)) failed.push(`${status} ${text}`);
        else if (isWrite) created++;
      } catch (cause) {
        client.close();
        failed.push(String(cause));
      }
    }
  });
  let rolls = 0;
  while (rolls < rollsMin || asked < wanted) {
    await fleet.roll();
    rolls++;
  }
  isOver = true;
  await Promise.all(load);
  for (const client of clients) client.close();
  return { failed, created };
}

function list({ url }: ProcessFleet, limit: number): SignedHop {
  return signHop(testKeys, { url: `${url}/v2/films?limit=${limit}` });
}

function creation({ url }: ProcessFleet, title: string): SignedHop {
  return signHop(testKeys, { url: `${url}/v2/films`, method: 'POST', body: JSON.stringify(toFilm({ title })), headers: writer });
}
