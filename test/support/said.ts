/** What programs, edges and origins under test say, kept until the end of a run, which looks for secrets in it. */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const dirOf = (run: string) => join(tmpdir(), `${run}-said`);

let count = 0;

/** Takes what one of them says, in its order; outside of a run of `test/run.ts` it is not kept. */
export function keptSaid(): (text: string) => void {
  const run = process.env['TOMBOLO_TEST_RUN'];
  if (run === undefined) return () => undefined;
  const file = join(dirOf(run), `${process.pid}-${++count}.txt`);
  return (text) => appendFileSync(file, text);
}

export function beginSaid(run: string): void {
  mkdirSync(dirOf(run));
}

/** All that was said, text by text; nothing is kept any more. */
export function endSaid(run: string): readonly string[] {
  const dir = dirOf(run);
  const said = readdirSync(dir).map((file) => readFileSync(join(dir, file), 'utf8'));
  rmSync(dir, { recursive: true });
  return said;
}

/** What no line may hold, by its form; what tests plant in requests and documents begins with `planted`. */
const forms: Readonly<Record<string, RegExp>> = {
  'a token': /eyJ[\w-]{10,}\.eyJ[\w-]{6,}/,
  'an API key': /tbk_[0-9a-f]{24}[0-9A-Za-z]{20,}/,
  'a refresh token': /tbr_[\w-]{20,}/,
  'a secret of webhooks': /whsec_[\w+/=-]{16,}/,
  'a key of the hop': /\bk\d+:[\w-]{43}|[BC]{42}A/,
  'a private key': /PRIVATE KEY|"d":"[\w-]{20,}"/,
  'a session': /session_token=[^;\s"]{8,}/,
  'a password in a URL': /\w:\/\/[^/\s:"']+:[^@/\s"'…]+@/,
  'what a test planted': /planted-?[0-9a-f-]{8,}/,
};

/** Each line with a secret, without it. */
export function secretsIn(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => Object.entries(forms).filter(([, form]) => form.test(line))
    .map(([what, form]) => `${what}: ${line.replaceAll(new RegExp(form, 'g'), '<secret>').slice(0, 300)}`));
}
