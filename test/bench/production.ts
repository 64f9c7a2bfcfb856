/** `npm run serve` as in production, with a plan and an address limit that a single client does not meet. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openIdentity } from '../../origin/dev/identity.ts';
import { openDevelopmentKeys } from '../../origin/dev/keys.ts';
import { oneProcess, OriginProcess } from '../support/origin-process.ts';
import type { Disposals } from './opened.ts';

export interface Trusted {
  readonly dataDir: string;
  readonly keys: string;
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
}

export function toProduction({ dataDir, keys, issuer, audience, jwksUrl }: Trusted): Readonly<Record<string, string>> {
  return {
    TOMBOLO_ENV: 'production', TOMBOLO_DATA_DIR: dataDir, TOMBOLO_KEYS: keys, TOMBOLO_FLOOD_MAX: '1000000000',
    TOMBOLO_ISSUER: issuer, TOMBOLO_AUDIENCE: audience, TOMBOLO_JWKS_URL: jwksUrl, TOMBOLO_ANONYMOUS_PLAN: 'bench',
  };
}

export interface Production {
  /** Of an editor. */
  readonly token: string;
  /** With a store of its own; `script` in place of the program's own. */
  start(options: {
    readonly releaseDir?: string;
    readonly script?: string;
    readonly variables?: Readonly<Record<string, string>>;
  }): Promise<OriginProcess>;
}

export async function openProduction(disposals: Disposals): Promise<Production> {
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-bench-production-'));
  disposals.push(() => rmSync(dir, { recursive: true, force: true }));
  const [keys, { issuer, audience, jwks, mint }] = [await openDevelopmentKeys(dir), await openIdentity(dir)];
  const published = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => Response.json(jwks) });
  disposals.push(() => published.stop(true));
  const jwksUrl = `${published.url.origin}/jwks.json`;
  return {
    token: await mint({ subject: 'bench', roles: ['editor'], plan: 'bench' }),
    async start({ releaseDir, script = oneProcess.script, variables }) {
      const dataDir = join(dir, crypto.randomUUID());
      mkdirSync(dataDir);
      const settings = toProduction({ dataDir, keys, issuer, audience, jwksUrl });
      const child = new OriginProcess({ ...settings, ...variables }, { ...oneProcess, script });
      disposals.push(() => child.kill9());
      await child.start(releaseDir === undefined ? {} : { releaseDir });
      return child;
    },
  };
}

/** Fields of a create. */
export function toCreateFields(token: string): Readonly<Record<string, string>> {
  return { accept: '*/*', 'content-type': 'application/json', authorization: `Bearer ${token}` };
}
