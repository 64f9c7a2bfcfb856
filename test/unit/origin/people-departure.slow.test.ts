/** Deleting an account (SEMANTICS §20), on both engines: confirmed by mail, with what is theirs, and finished after a restart. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { departing } from '../../../origin/departures/departing.ts';
import { mailFileOf } from '../../../origin/people/mail.ts';
import { apiKeys } from '../../../shared/api-keys/resource.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { type Resource, resource } from '../../../shared/contract/resource.ts';
import { owner, signedIn } from '../../../shared/contract/rules.ts';
import { jobs } from '../../../shared/jobs/resource.ts';
import { webhooks } from '../../../shared/webhooks/resource.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { asking, peopleHome } from '../../support/people-world.ts';
import { Person } from '../../support/person.ts';
import { backedUp } from '../../support/rewound-database.ts';
import { engines } from '../../support/whole-world.ts';

const texts = { id: { kind: 'string', format: z.string() } } as const;
const letters = resource({
  name: 'letters', ...texts, schema: z.object({ author: z.string() }),
  rules: { read: owner('author'), write: owner('author') }, shapes: { byAuthor: { equal: ['author'] } },
});
const answers = resource({
  name: 'answers', ...texts, schema: z.object({ author: z.string().optional(), text: z.string() }),
  rules: { read: signedIn, write: owner('author') }, shapes: { byAuthor: { equal: ['author'] }, all: {} },
});
const ledgers = resource({
  name: 'ledgers', ...texts, schema: z.object({ author: z.string() }),
  rules: { read: owner('author'), write: owner('author') }, shapes: { byAuthor: { equal: ['author'] } },
});
const served = contract(letters, answers, ledgers);
const departings = [departing({ of: letters, by: 'author', fate: 'remove' }), departing({ of: answers, by: 'author', fate: 'unset' })];
const password = 'correct horse battery';

describe.each(engines)('deleting an account on %s', (engine) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-departure-'));
  let origin: DirectOrigin;
  beforeAll(async () => {
    origin = await DirectOrigin.on(engine, served, { departings }, {
      TOMBOLO_DATA_DIR: dataDir, TOMBOLO_PEOPLE: peopleHome, TOMBOLO_PEOPLE_SECRET: 's'.repeat(43), TOMBOLO_ISSUER: peopleHome,
      TOMBOLO_AUDIENCE: 'tombolo',
    });
  });
  afterAll(async () => {
    await origin[Symbol.asyncDispose]();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const mails = () => readFileSync(mailFileOf(dataDir), 'utf8');
  const newPerson = () => new Person((asked) => {
    const { people } = origin.context;
    if (people === undefined) throw new Error('people are off');
    return asking(people, '192.0.2.1')(asked);
  }, mails);
  const member = async (email: string) => {
    const person = newPerson();
    await person.signUp(email, password);
    await person.verify(email);
    await person.signIn(email, password);
    return { person, subject: String((await person.token()).claims['sub']) };
  };
  const linkTo = (email: string) => eventually(`a mail to ${email}`, () =>
    mails().split('To: ').findLast((mail) => mail.startsWith(`${email}\nSubject: Delete`))?.match(/\/auth\/delete-user\S+/)?.[0]);
  const isThere = async (of: Resource, id: string) => (await origin.stored(of, id)) !== undefined;

  const lettersOf = (word: string) => Array.from({ length: 120 }, (_, index) => `${word}-${index}`);

  /** Documents, a key and a webhook of somebody, under ids that begin with a word. */
  const putOwn = async (word: string, subject: string) => {
    const made = new Date().toISOString();
    const document = { author: subject, rev: 1, createdAt: made, updatedAt: made };
    await origin.context.store.write(lettersOf(word).map((id) => ({
      resource: letters, id, decide: () => ({ kind: 'put', document }),
    })), { deadline: Date.now() + 10_000 });
    await origin.put(answers, word, { ...document, text: word });
    await origin.put(ledgers, word, document);
    const id = Bun.hash(word).toString(16).padStart(24, '0').slice(-24);
    const key = { name: word, principal: '{}', scopes: ['*:read'], hash: '0'.repeat(64), addresses: [], origins: [], made };
    await origin.put(apiKeys, id, { ...key, owner: subject });
    const url = 'https://hooks.example.com/';
    const hook = { principal: '{}', url, resource: 'letters', events: ['created'], payload: 'thin', ordered: false, secret: 'x', made };
    await origin.put(webhooks, `wh_${id}`, { ...hook, failures: 0, owner: subject });
    return async () => ({
      letters: (await origin.context.store.many(letters, lettersOf(word), { deadline: Date.now() + 10_000 })).value.length,
      answer: (await origin.stored(answers, word))?.['author'], ledger: (await origin.stored(ledgers, word))?.['author'],
      key: await isThere(apiKeys, id), webhook: await isThere(webhooks, `wh_${id}`),
    });
  };

  test('ends what is theirs as it is declared, and nobody else\'s, also where the process ends meanwhile', async () => {
    const [ada, ben] = [await member('ada@example.com'), await member('ben@example.com')];
    const [ofAda, ofBen] = [await putOwn('ada', ada.subject), await putOwn('ben', ben.subject)];
    const { json: { token } } = await newPerson().signIn('ada@example.com', password);
    const { json: { refreshToken } } = await newPerson().post('/auth/refresh/begin', { token });
    expect((await ada.person.post('/auth/delete-user')).json).toMatchObject({ success: true });
    const all = { letters: 120, answer: ada.subject, ledger: ada.subject, key: true, webhook: true };
    expect(await ofAda()).toEqual(all);
    expect((await ada.person.get(await linkTo('ada@example.com'))).status).toBe(200);
    await origin.restart();
    const left = { letters: 0, answer: undefined, ledger: ada.subject, key: false, webhook: false };
    await eventually('all of it is ended', async () => Bun.deepEquals(await ofAda(), left));
    expect(await origin.stored(answers, 'ada')).toMatchObject({ text: 'ada' });
    expect(await ofBen()).toEqual({ letters: 120, answer: ben.subject, ledger: ben.subject, key: true, webhook: true });
    expect((await ada.person.get('/auth/token')).status).toBe(401);
    expect((await newPerson().post('/auth/refresh', { refreshToken })).status).toBe(401);
    expect((await newPerson().signIn('ada@example.com', password)).status).toBe(401);
    expect((await ben.person.get('/auth/token')).status).toBe(200);
  });

  test('it runs once more when the last access token is over', async () => {
    const eve = await member('eve@example.com');
    await eve.person.post('/auth/delete-user');
    await eve.person.get(await linkTo('eve@example.com'));
    const sort = [{ field: 'dueAt', descending: false }, { field: 'id', descending: false }];
    const request = { equal: { state: ['delayed'] }, range: undefined, sort, where: true, after: undefined, limit: 100 } as const;
    const { value } = await origin.context.store.list(jobs, request, { deadline: Date.now() + 5_000 });
    const later = value.map(({ document }) => document.value).find(({ payload }) => payload === JSON.stringify({ subject: eve.subject }));
    expect(Date.parse(String(later?.['dueAt'])) - Date.now()).toBeGreaterThan(300_000);
  });

  test('is confirmed by the mail, in a session of theirs, and by nothing else', async () => {
    const [kim, other] = [await member('kim@example.com'), await member('other@example.com')];
    expect((await newPerson().post('/auth/delete-user')).status).toBe(401);
    expect((await kim.person.post('/auth/delete-user', { password })).json).toMatchObject({ status: 400, errors: [{ at: '/password' }] });
    expect((await kim.person.post('/auth/delete-user', { callbackURL: 'https://evil.example/' })).status).toBe(403);
    await kim.person.post('/auth/delete-user');
    const link = await linkTo('kim@example.com');
    expect((await other.person.get(link)).status).toBe(404);
    expect((await newPerson().get(link)).status).toBe(404);
    expect((await kim.person.post('/auth/delete-user', { token: 'a'.repeat(32) })).status).toBe(404);
    for (const { person } of [kim, other]) expect((await person.get('/auth/token')).status).toBe(200);
    for (let mailed = 1; mailed < 5; mailed++) await kim.person.post('/auth/delete-user');
    expect((await kim.person.post('/auth/delete-user')).status).toBe(429);
  });

  test('whoever alone owns an organisation of others stays, and one of their own goes with them', async () => {
    const [olga, pia] = [await member('olga@example.com'), await member('pia@example.com')];
    const made = await olga.person.post('/auth/organization/create', { name: 'Odeon', slug: 'odeon' });
    await olga.person.post('/auth/organization/create', { name: 'Own', slug: 'own' });
    const organizationId = made.json['id'];
    await olga.person.post('/auth/organization/invite-member', { email: 'pia@example.com', role: 'member', organizationId });
    const invitationId = await eventually('an invitation', () => mails().match(/To: pia[^]*accept invitation (\S+)/)?.[1]);
    expect((await pia.person.post('/auth/organization/accept-invitation', { invitationId })).status).toBe(200);
    await olga.person.post('/auth/delete-user');
    const link = await linkTo('olga@example.com');
    expect((await olga.person.get(link)).json).toMatchObject({ status: 409, code: 'organization_needs_owner' });
    const { json } = await olga.person.get(`/auth/organization/list-members?organizationId=${organizationId}`);
    const memberId = (json['members'] as readonly { id: string; userId: string }[]).find(({ userId }) => userId === pia.subject)?.id;
    const given = { memberId, role: 'owner', organizationId };
    expect((await olga.person.post('/auth/organization/update-member-role', given)).status).toBe(200);
    await olga.person.post('/auth/delete-user');
    await eventually('another link', async () => (await linkTo('olga@example.com')) !== link);
    expect((await olga.person.get(await linkTo('olga@example.com'))).status).toBe(200);
    await eventually('her organisation is free', async () =>
      (await pia.person.post('/auth/organization/check-slug', { slug: 'own' })).status === 200);
    expect((await pia.person.post('/auth/organization/check-slug', { slug: 'odeon' })).status).not.toBe(200);
  });

  test('whom a restore brings back ends again before anybody is let in, and nobody else does', async () => {
    const [zoe, yan] = [await member('zoe@example.com'), await member('yan@example.com')];
    const [ofZoe, ofYan] = [await putOwn('zoe', zoe.subject), await putOwn('yan', yan.subject)];
    const putBack = await backedUp(origin.context, ['tombolo_people_departed']);
    await zoe.person.post('/auth/delete-user');
    expect((await zoe.person.get(await linkTo('zoe@example.com'))).status).toBe(200);
    await eventually('her documents are removed', async () => (await ofZoe()).letters === 0);
    await origin.context.services.stop(Date.now() + 5_000);
    await putBack();
    await origin.begin();
    expect(await ofZoe()).toMatchObject({ letters: 120, key: true });
    expect((await newPerson().signIn('zoe@example.com', password)).status).toBe(401);
    expect((await zoe.person.get('/auth/token')).status).toBe(401);
    expect((await newPerson().signIn('yan@example.com', password)).status).toBe(200);
    await eventually('all of it is ended', async () =>
      Bun.deepEquals(await ofZoe(), { letters: 0, answer: undefined, ledger: zoe.subject, key: false, webhook: false }));
    expect(await ofYan()).toMatchObject({ letters: 120, key: true, webhook: true });
  });
});

test('what is declared wrong is told before anything starts', async () => {
  const right = { of: letters, by: 'author', fate: 'remove' } as const;
  const start = (declared: object) => DirectOrigin.on('sqlite', served, { departings: [{ ...right, ...declared }] });
  for (const [declared, told] of [
    [{ fate: 'unset' }, '"author" must be optional'], [{ fate: 'keep' }, 'must be \'remove\' or \'unset\''],
    [{ by: 'text' }, 'must be a field'],
    [{ of: { ...letters, name: 'notes' } }, 'is not served'], [{ of: { ...letters, shapes: [] } }, 'there is no shape'],
  ] as const) await expect(start(declared)).rejects.toThrow(told);
});
