/** Somebody below `/auth`, with the cookies that they were given and the mails that they get. */
import { eventually } from './eventually.ts';

export interface AskedPeople {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly cookie: string;
  readonly origin: string | undefined;
  readonly json: unknown;
}

export interface PeopleAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Lines of `Set-Cookie`. */
  readonly cookies: readonly string[];
  readonly text: string;
}

export type AskPeople = (asked: AskedPeople) => Promise<PeopleAnswer>;

interface Answered extends PeopleAnswer {
  readonly json: Readonly<Record<string, unknown>>;
}

export class Person {
  readonly cookies = new Map<string, string>();
  readonly #ask: AskPeople;
  readonly #mails: () => string;
  /** The page that asks where cookies are sent. */
  origin = 'https://api.example.com';

  constructor(ask: AskPeople, mails: () => string) {
    this.#ask = ask;
    this.#mails = mails;
  }

  post(path: string, json: unknown = {}): Promise<Answered> {
    return this.#asked('POST', path, json);
  }

  get(path: string): Promise<Answered> {
    return this.#asked('GET', path, undefined);
  }

  signUp(email: string, password: string): Promise<Answered> {
    return this.post('/auth/sign-up/email', { name: 'Somebody', email, password });
  }

  signIn(email: string, password: string): Promise<Answered> {
    return this.post('/auth/sign-in/email', { email, password });
  }

  /** Opens the link of the mail that asks whether the address is theirs. */
  async verify(email: string): Promise<Answered> {
    const link = await eventually(`a link for ${email}`, () => {
      const mail = this.#mails().split('To: ').findLast((each) => each.startsWith(`${email}\nSubject: Is this`));
      return mail?.match(/\/auth\/verify-email\?\S+/)?.[0];
    });
    return this.get(link);
  }

  /** An access token, and what it says. */
  async token(): Promise<{ readonly token: string; readonly claims: Readonly<Record<string, unknown>> }> {
    const { json } = await this.get('/auth/token');
    const token = String(json['token']);
    return { token, claims: JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) };
  }

  async #asked(method: 'GET' | 'POST', path: string, json: unknown): Promise<Answered> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await this.#ask({ method, path, cookie, origin: method === 'POST' ? this.origin : undefined, json });
    for (const line of answer.cookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/max-age=0/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return { ...answer, json: answer.text.startsWith('{') ? (JSON.parse(answer.text) as Record<string, unknown>) : {} };
  }
}
