/** Opens better-auth over the store's engine. Imported when somebody asks, because it brings better-auth with it. */
import type { JSONWebKeySet } from 'jose';
import type pino from 'pino';
import { peopleRoot } from '../../shared/people/paths.ts';
import { Attempts } from './attempts.ts';
import { openAuth, type SignToken } from './auth.ts';
import { returned } from './departed.ts';
import { forget } from './departure.ts';
import { openPeopleMongo, openPeopleSqlite } from './database.ts';
import { openMail } from './mail.ts';
import { removeClosedInvitations } from './organizations.ts';
import type { PeopleSettings } from './settings.ts';

export interface PeopleOptions {
  readonly settings: PeopleSettings;
  readonly dataDir: string;
  readonly mongodbUri: string | undefined;
  readonly signToken: SignToken | undefined;
  readonly log: pino.Logger;
  now(): number;
  departs(subject: string): Promise<void>;
}

export interface OpenedPeople {
  readonly attempts: Attempts;
  /** Codes of refusals, in lower case: whatever else better-auth calls one may quote what a caller sent. */
  readonly codes: ReadonlySet<string>;
  ask(request: Request): Promise<Response>;
  keySet(): Promise<JSONWebKeySet>;
  /** Removes whatever there is of somebody, and may be asked again. */
  forget(subject: string): Promise<void>;
  /** Removes what is over. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

export async function openPeople(options: PeopleOptions): Promise<OpenedPeople> {
  const { settings, dataDir, mongodbUri, signToken, log, now, departs } = options;
  const send = await openMail(settings, dataDir);
  const database = await (mongodbUri === undefined ? openPeopleSqlite(dataDir) : openPeopleMongo(mongodbUri));
  const auth = await openAuth({
    settings, database, signToken, now, departs,
    // Neither address nor text is logged: the text opens an account.
    mail: (mail) => send(mail).catch((err: unknown) => log.error({ err, subject: mail.subject }, 'a mail was not sent')),
    logError: (message) => log.error({ message }, 'people'),
  });
  const { adapter } = await auth.$context;
  // Before anybody is answered: a restore may have brought them back.
  for (const subject of await returned(adapter)) {
    await departs(subject);
    await forget(adapter, subject, now());
  }
  const attempts = new Attempts(adapter, now);
  return {
    attempts,
    codes: new Set(Object.keys(auth.$ERROR_CODES).map((code) => code.toLowerCase())),
    ask: (request) => auth.handler(request),
    keySet: async () => (await auth.handler(new Request(`${settings.url}${peopleRoot}/jwks`))).json() as Promise<JSONWebKeySet>,
    forget: (subject) => forget(adapter, subject, now()),
    async sweep() {
      const isOver = [{ field: 'expiresAt', operator: 'lt', value: new Date(now()) }] as const;
      for (const model of ['session', 'verification', 'refresh', 'departed']) await adapter.deleteMany({ model, where: [...isOver] });
      await removeClosedInvitations(adapter, now());
      await attempts.sweep();
    },
    close: () => database.close(),
  };
}
