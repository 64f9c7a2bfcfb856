/** Which secrets are replaced while a program runs (`origin/rotating-settings.ts`), and that whoever uses them reads the new ones. */
import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { rotatedByAll, rotatedByOrigin, RotatingSettings } from '../../../origin/rotating-settings.ts';
import { mailFileOf, openMail } from '../../../origin/people/mail.ts';
import { mustSettings } from '../../../origin/settings.ts';
import { makeTempDir } from '../../suites/store/sqlite-place.ts';

const keysOf = (id: string) => ({ TOMBOLO_KEYS: `${id}:${Buffer.alloc(32, id.charCodeAt(0)).toString('base64url')}` });
const people = {
  TOMBOLO_PEOPLE: 'http://127.0.0.1:8787', TOMBOLO_PEOPLE_SECRET: 's'.repeat(43), TOMBOLO_ISSUER: 'x',
  TOMBOLO_AUDIENCE: 'a',
};
const given = (variables: Readonly<Record<string, string>>) => ({ variables, settings: mustSettings(variables) });

test('an origin takes keys, and one process with the edge in it leaves them for the next start', () => {
  const next = given({ ...keysOf('b'), TOMBOLO_INCOMING_SECRETS: `payments:${'x'.repeat(32)}` });
  const taken = ['TOMBOLO_INCOMING_SECRETS'];
  const both = [
    [rotatedByOrigin, 'b', { taken: [...taken, 'TOMBOLO_KEYS'], waiting: [] }], [rotatedByAll, 'a', { taken, waiting: ['TOMBOLO_KEYS'] }],
  ] as const;
  for (const [names, id, rotated] of both) {
    const rotating = new RotatingSettings(given(keysOf('a')), names);
    expect(rotating.rotate(next)).toEqual(rotated);
    expect(rotating.settings.keys[0].id).toBe(id);
    expect(rotating.settings.incomingSecrets.get('payments')).toHaveLength(1);
    // What waits is told until the start that it waits for.
    expect(rotating.rotate(next)).toEqual({ ...rotated, taken: [] });
  }
});

test('the next mail goes to the server that is set by then', async () => {
  const dir = makeTempDir();
  // Nobody listens on port 9.
  const smtp = (password: string) => ({ TOMBOLO_SMTP_URL: `smtps://user:${password}@127.0.0.1:9`, TOMBOLO_SMTP_FROM: 'shop@example.com' });
  const rotating = new RotatingSettings(given({ ...keysOf('a'), ...people }), rotatedByOrigin);
  if (rotating.settings.people === undefined) throw new Error('people are off');
  const send = await openMail(rotating.settings.people, dir);
  const mail = { to: 'ada@example.com', subject: 'A code', text: '123456' };
  await send(mail);
  expect(existsSync(mailFileOf(dir))).toBe(true);
  const { taken } = rotating.rotate(given({ ...keysOf('a'), ...people, ...smtp('one') }));
  expect(taken).toEqual(['TOMBOLO_SMTP_FROM', 'TOMBOLO_SMTP_URL']);
  await expect(send(mail)).rejects.toThrow('ECONNREFUSED');
  expect(rotating.rotate(given({ ...keysOf('a'), ...people, ...smtp('two') })).taken).toEqual(['TOMBOLO_SMTP_URL']);
});
