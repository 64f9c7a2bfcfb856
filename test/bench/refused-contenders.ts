/** What the edge refuses by itself, beside a hit. */
import { toKeyId, toKeyText } from '../../shared/api-keys/key-text.ts';
import type { BenchWorld } from './bench-world.ts';
import type { Contender } from './contenders.ts';

export async function refusedContenders(
  world: BenchWorld, asking: (credential: string) => Contender['requests'],
): Promise<readonly Contender[]> {
  const unknown = toKeyText(toKeyId(Date.now(), random), random);
  const common = { goal: { beside: 'edge, cached hit, bearer token' }, server: world.edge } as const;
  return [
    { ...common, name: 'edge, refused API key that nobody has', status: 401, requests: asking(unknown) },
    { ...common, name: 'edge, refused API key that is misspelt', status: 401, requests: asking(`${unknown.slice(0, -1)}-`) },
    { ...common, name: 'edge, refused since the window is used up', status: 429, requests: asking(await spend(world)) },
  ];
}

function random(bytes: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(bytes));
}

/** A token whose plan, of `bench.worker.ts`, is used up for longer than a run takes. */
async function spend({ edge: { port }, identity }: BenchWorld): Promise<string> {
  const token = await identity.mint({ subject: 'spent', roles: [], plan: 'spent' });
  for (let asked = 0; asked < askedMax; asked++) {
    const answer = await fetch(`http://127.0.0.1:${port}/v2/films?limit=1`, { headers: { authorization: `Bearer ${token}` } });
    await answer.arrayBuffer();
    if (answer.status === 429) return token;
  }
  throw new Error(`a plan is not used up by ${askedMax} requests`);
}

const askedMax = 1_000;
