/** What better-auth takes for a mistake of its own, and is one of whoever asks: a new passkey that is none for the challenge. */
import { isJsonObject } from '../../shared/wire/values.ts';

const code = 'FAILED_TO_VERIFY_REGISTRATION';

/** As better-auth refuses bodies. */
const refusal = { code, message: '[body.response] is no new passkey for this challenge' };

export async function asBadInput(path: string, given: Response): Promise<Response> {
  if (given.status !== 500 || path !== '/auth/passkey/verify-registration') return given;
  const said: unknown = await given.clone().json().catch(() => undefined);
  return isJsonObject(said) && said['code'] === code ? Response.json(refusal, { status: 400 }) : given;
}
