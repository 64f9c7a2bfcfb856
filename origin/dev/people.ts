/** People in development: on where the store is Tombolo's own, with a secret from the data dir, and mails in a file. */
import { join } from 'node:path';
import { openSecretFile } from './secret-file.ts';
import { developmentNames } from './identity.ts';

const secretBytes = 32;

export interface Development {
  readonly said: string;
  /** Whether somebody named a database: nothing is made there unasked (SEMANTICS §15). */
  readonly hasMongodb: boolean;
  readonly dataDir: string;
  readonly edgePort: string;
}

/** The settings of people, to be put in as if they had been set. */
export async function toPeopleVariables({ said, hasMongodb, dataDir, edgePort }: Development): Promise<Readonly<Record<string, string>>> {
  if (said === 'off' || (said === '' && hasMongodb)) return { TOMBOLO_PEOPLE: 'off' };
  const secret = await openSecretFile(join(dataDir, 'people.secret'), () =>
    Buffer.from(crypto.getRandomValues(new Uint8Array(secretBytes))).toString('base64url'));
  return {
    TOMBOLO_PEOPLE: said === '' || said === 'on' ? `http://127.0.0.1:${edgePort}` : said,
    TOMBOLO_PEOPLE_SECRET: secret,
    TOMBOLO_ISSUER: developmentNames.issuer,
    TOMBOLO_AUDIENCE: developmentNames.audience,
  };
}
