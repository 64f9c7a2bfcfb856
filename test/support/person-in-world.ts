/** Somebody who signs up and in at a whole world, whose people are on. */
import { readFileSync } from 'node:fs';
import { mailFileOf } from '../../origin/people/mail.ts';
import { Person } from './person.ts';
import type { World } from './whole-world.ts';

export const password = 'correct horse battery';

export function personIn(world: World): Person {
  return new Person(async ({ method, path, cookie, origin, json }) => {
    const { status, headers, text } = await world.request(path, {
      method, ...(json === undefined ? {} : { json }),
      headers: { ...(cookie === '' ? {} : { cookie }), ...(origin === undefined ? {} : { origin }) },
    });
    return { status, headers: Object.fromEntries(headers), cookies: headers.getSetCookie(), text };
  }, () => readFileSync(mailFileOf(world.dataDir), 'utf8'));
}

/** Who has proved their address and signed in, with the token of their session. */
export async function memberIn(world: World, email: string): Promise<{ readonly person: Person; readonly session: string }> {
  const person = personIn(world);
  await person.signUp(email, password);
  await person.verify(email);
  const { status, text, json: { token } } = await person.signIn(email, password);
  if (status !== 200) throw new Error(`a sign-in is answered ${status}: ${text}`);
  return { person, session: String(token) };
}
