/** The end of a start in development: the first answer, the sample in an empty store, and where the API is. */
import { served } from '../../shared/resources/all.ts';
import type { Origin } from '../server.ts';
import { mailFileOf } from '../people/mail.ts';
import type { Settings } from '../settings.ts';
import type { StoreState } from '../store/store.ts';
import { exampleOf } from './example.ts';
import type { Claims } from './identity.ts';
import { probe, seedSample } from './seed.ts';

export type Say = (line: string) => void;

/** Until a first request through the edge is answered. */
const readyMsMax = 15_000;

interface JustStarted {
  readonly url: string;
  readonly mint: (claims: Claims) => Promise<string>;
  readonly settings: Settings;
  readonly origin: Origin;
  readonly say: Say;
  readonly isClosing?: () => boolean;
}

/** Fills an empty store, and says where the API is once it answers. */
export async function sayStarted({ url, mint, settings, origin, say, isClosing = () => false }: JustStarted): Promise<void> {
  const token = await mint({ subject: 'sample', roles: ['editor'] });
  await answered(url, token);
  if (settings.seed) sayImported(say, await seedSample(url, token, origin.storeState()));
  sayPending(say, origin.storeState());
  const hasDocs = await fetch(`${url}/docs`, { method: 'HEAD' }).then(({ ok }) => ok, () => false);
  const example = await exampleOf({ url, served, mint });
  if (isClosing()) return;
  say(`tombolo ready: ${url}`);
  if (example !== undefined) say(`try:  ${example}`);
  if (hasDocs) say(`docs:  ${url}/docs`);
  say('token:  npm run --silent token -- --sub alice --role editor');
  const { people, dataDir } = settings;
  if (people !== undefined && people.smtp === undefined) say(`people:  ${url}/auth, and their mails in ${mailFileOf(dataDir)}`);
}

/** Asks until the edge has an answer of the origin's: its own failures are not one. */
async function answered(url: string, token: string): Promise<void> {
  const [name = ''] = served.resources.keys();
  const until = Date.now() + readyMsMax;
  for (;;) {
    const response = await fetch(`${url}/${served.versions.current.name}/${name}?${probe}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(readyMsMax),
    }).catch((cause: unknown) => String(cause));
    const said = typeof response === 'string' ? response : `${response.status} ${await response.text()}`;
    const isAnswer = typeof response !== 'string' && (response.status < 500 || said.includes('shape_not_ready'));
    if (isAnswer) return;
    if (Date.now() > until) throw new Error(`the edge does not answer: ${said}`);
    await Bun.sleep(20);
  }
}

function sayImported(say: Say, imported: ReadonlyMap<string, number>): void {
  if (imported.size > 0) {
    const rows = [...imported].map(([name, count]) => `${count} ${name}`).join(', ');
    say(`tombolo put its sample into the empty store: ${rows} (TOMBOLO_SEED=0 leaves it empty)`);
  }
}

function sayPending(say: Say, { pending }: StoreState): void {
  if (pending.length === 0) return;
  say(`the database lacks ${pending.length} steps that the declaration asks for; nothing of it is changed unasked: npm run plan`);
}
