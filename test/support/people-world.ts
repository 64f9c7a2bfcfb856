/** People over an engine of their own, asked as the edge asks, with a clock that the test holds, and whoever they are. */
import { Database } from 'bun:sqlite';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import type { HopHeader } from '../../shared/hop/profile.ts';
import { setCookiesHeader } from '../../shared/people/paths.ts';
import { toFault } from '../../shared/wire/fault.ts';
import { toProblem, toProblemHeaders } from '../../shared/wire/problem.ts';
import { mailFileOf } from '../../origin/people/mail.ts';
import { openPeople } from '../../origin/people/open.ts';
import { People } from '../../origin/people/people.ts';
import type { PeopleSettings } from '../../origin/people/settings.ts';
import { eventually } from './eventually.ts';
import { type MongoDatabase, openMongoDatabase } from './mongo-database.ts';
import { type AskPeople, Person } from './person.ts';
import type { Engine } from './whole-world.ts';

export const peopleHome = 'https://api.example.com';

/** A refusal as the origin's pipeline answers it. */
function refused(thrown: unknown) {
  const fault = toFault(thrown);
  return { status: fault.status, headers: toProblemHeaders(fault), body: JSON.stringify(toProblem(fault, { requestId: 'req_test' })) };
}

export class PeopleWorld implements AsyncDisposable {
  readonly people: People;
  readonly dataDir: string;
  readonly database: MongoDatabase | undefined;
  /** Milliseconds past the machine's clock. */
  aheadMs = 0;
  /** Where the clock stands still, in milliseconds of the epoch; it runs unless said. */
  stillAt: number | undefined;

  constructor(dataDir: string, database: MongoDatabase | undefined, settings: Partial<PeopleSettings> = {}, msMax?: number) {
    this.dataDir = dataDir;
    this.database = database;
    const named = { url: peopleHome, issuer: peopleHome, audience: 'tombolo' };
    const own = { ...named, secret: 's'.repeat(43), pages: [], oidc: [], smtp: undefined, ...settings };
    this.people = new People(() => openPeople({
      settings: own, dataDir, mongodbUri: database?.uri, signToken: undefined, log: pino({ level: 'silent' }),
      // No documents are beside these people.
      departs: async () => undefined,
      now: () => this.stillAt ?? Date.now() + this.aheadMs,
    }), msMax);
  }

  static async open(engine: Engine, settings: Partial<PeopleSettings> = {}, msMax?: number): Promise<PeopleWorld> {
    const database = engine === 'mongodb' ? await openMongoDatabase() : undefined;
    return new PeopleWorld(mkdtempSync(join(tmpdir(), 'tombolo-people-')), database, settings, msMax);
  }

  /** Somebody at an address of their own. */
  person(address = '192.0.2.1'): Person {
    return new Person(asking(this.people, address), () => this.mails());
  }

  /** Who has signed up, verified their address and signed in. */
  async member(email: string, password = 'correct horse battery'): Promise<Person> {
    const person = this.person();
    await person.signUp(email, password);
    await person.verify(email);
    await person.signIn(email, password);
    return person;
  }

  /** As an operator does it, in the database. */
  async giveRoles(email: string, roles: readonly string[]): Promise<void> {
    if (this.database !== undefined) {
      await this.database.foreign.collection('tombolo_people_user').updateOne({ email }, { $set: { roles } });
      return;
    }
    using file = new Database(join(this.dataDir, 'people.sqlite'));
    file.run('UPDATE user SET roles = ? WHERE email = ?', [JSON.stringify(roles), email]);
  }

  mails(): string {
    try {
      return readFileSync(mailFileOf(this.dataDir), 'utf8');
    } catch {
      return '';
    }
  }

  /** The last mail to somebody, once there are so many. */
  mailTo(email: string, count = 1): Promise<string> {
    return eventually(`mail ${count} to ${email}`, () => {
      const mails = this.mails().split('To: ').filter((mail) => mail.startsWith(`${email}\n`));
      return mails.length >= count ? mails.at(-1) : undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.people.close();
    await this.database?.remove();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** Asks as the edge does, from an address. */
export function asking(people: People, address: string): AskPeople {
  return async ({ method, path, cookie, json, origin }) => {
    const [route = '', query] = path.split('?');
    const headers: Partial<Record<HopHeader, string>> = {
      'tombolo-address': address, 'tombolo-agent': 'test', 'content-type': 'application/json',
      ...(cookie === '' ? {} : { 'tombolo-cookie': cookie }), ...(origin === undefined ? {} : { 'tombolo-origin': origin }),
    };
    const reply = await people.answer({
      method, path: route, query: query === undefined ? '' : `?${query}`, requestId: 'req_test', nonce: undefined,
      body: json === undefined ? undefined : new TextEncoder().encode(JSON.stringify(json)),
      header: (name) => headers[name] ?? null,
    }).catch(refused);
    const cookies = JSON.parse(reply.headers[setCookiesHeader] ?? '[]') as readonly string[];
    return { status: reply.status, headers: reply.headers, cookies, text: String(reply.body) };
  };
}
