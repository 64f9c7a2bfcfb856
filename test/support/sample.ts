/** What `npm start` serves: both sides as programs, over the sample, on ports and in a folder of this test's own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Claims, openIdentity } from '../../origin/dev/identity.ts';
import { freePort } from './free-port.ts';
import { Program } from './program.ts';

export interface Sample {
  readonly url: string;
  readonly dataDir: string;
  token(claims: Claims): Promise<string>;
  close(): Promise<void>;
}

/** `peopleHost`: what people call this machine; a passkey is no address's. */
export async function startSample({ peopleHost = '127.0.0.1' } = {}): Promise<Sample> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-sample-'));
  const port = freePort();
  const program = new Program([process.execPath, 'run', 'start'], {
    cwd: join(import.meta.dir, '../..'),
    env: {
      ...process.env, MONGODB_URI: undefined, TOMBOLO_DATA_DIR: dataDir, TOMBOLO_EDGE_PORT: String(port),
      TOMBOLO_ORIGIN_PORT: String(freePort()), TOMBOLO_ANONYMOUS_PLAN: 'bench',
      TOMBOLO_PEOPLE: `http://${peopleHost}:${port}`,
    },
  });
  await program.says(/^tombolo ready:/m);
  const identity = await openIdentity(dataDir);
  return {
    url: `http://${peopleHost}:${port}`,
    dataDir,
    token: (claims) => identity.mint(claims),
    async close() {
      program.signal('SIGTERM');
      await program.ended();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
