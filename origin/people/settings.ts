/** What people need to be set: read where `TOMBOLO_PEOPLE` names the public origin of the API, and not looked at otherwise. */
import { readPeople } from '../../shared/people/setting.ts';
import type { Environment, SettingsReader } from '../../shared/settings/reader.ts';
import { type OidcProvider, readOidcProviders } from './oidc-settings.ts';

export interface PeopleSettings {
  /** The public origin of the API: links in mails begin with it. */
  readonly url: string;
  /** Signs cookies and enciphers the keys of tokens. */
  readonly secret: string;
  readonly issuer: string;
  readonly audience: string;
  /** Origins of pages that people may be sent back to, beside the API's own. */
  readonly pages: readonly string[];
  /** Issuers whose accounts people may sign in with. */
  readonly oidc: readonly OidcProvider[];
  /** `undefined`: mails go to a file in the data dir. */
  readonly smtp: { readonly url: string; readonly from: string } | undefined;
}

const secretCharactersMin = 32;

/** `undefined`: people are off, and none of this is loaded. */
export function readPeopleSettings(reader: SettingsReader, environment: Environment): PeopleSettings | undefined {
  const url = readPeople(reader, environment);
  if (url === undefined) return undefined;
  const whatFor = 'is required where TOMBOLO_PEOPLE is on';
  const secret = reader.text('TOMBOLO_PEOPLE_SECRET', `${whatFor}: ${secretCharactersMin} or more random characters`);
  if (secret !== '' && secret.length < secretCharactersMin) {
    reader.complain('TOMBOLO_PEOPLE_SECRET', `must have ${secretCharactersMin} or more random characters`);
  }
  return {
    url, secret,
    issuer: reader.text('TOMBOLO_ISSUER', `${whatFor}, the same as at the edge`),
    audience: reader.text('TOMBOLO_AUDIENCE', `${whatFor}, the same as at the edge`),
    pages: reader.optional('TOMBOLO_CORS_ORIGINS').split(',').map((part) => part.trim()).filter((part) => part !== ''),
    oidc: readOidcProviders(reader, environment),
    smtp: readSmtp(reader, environment),
  };
}

function readSmtp(reader: SettingsReader, environment: Environment): PeopleSettings['smtp'] {
  const required = 'is required in production where TOMBOLO_PEOPLE is on';
  const read = (variable: string) => (environment === 'production' ? reader.text(variable, required) : reader.optional(variable));
  const [text, from] = [read('TOMBOLO_SMTP_URL'), read('TOMBOLO_SMTP_FROM')];
  if (text === '') return undefined;
  if (!isSmtpUrl(text)) {
    reader.complain('TOMBOLO_SMTP_URL', 'must be smtps://user:password@host or smtp://…, which then must offer STARTTLS');
  }
  if (from === '' && environment !== 'production') reader.complain('TOMBOLO_SMTP_FROM', 'is missing: whom mails come from');
  return { url: text, from };
}

function isSmtpUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^smtps?:$/.test(url.protocol) && url.hostname !== '';
}
