/** Mails to people: by SMTP where a server is set, and in development to a file that whoever develops reads. */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { Fault } from '../../shared/wire/fault.ts';
import type { Settings } from '../settings.ts';
import type { PeopleSettings } from './settings.ts';

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** The same each time that the mail is sent again: its `Message-ID` (RFC 5322 §3.6.4). Letters, digits and hyphens. */
  readonly id?: string;
}

/** Rejects when the server did not take it. */
export type SendMail = (mail: Mail) => Promise<void>;

const smtpMsMax = 10_000;

export function mailFileOf(dataDir: string): string {
  return join(dataDir, 'mails.txt');
}

/** The server is the one that the settings name at each mail (`rotating-settings.ts`). */
export async function openMail(settings: Pick<PeopleSettings, 'smtp'>, dataDir: string): Promise<SendMail> {
  const open = async (smtp: PeopleSettings['smtp']) => ({
    smtp, send: smtp === undefined ? toFile(mailFileOf(dataDir)) : await toServer(smtp),
  });
  let opened = await open(settings.smtp);
  return async (mail) => {
    if (opened.smtp !== settings.smtp) opened = await open(settings.smtp);
    await opened.send({ ...mail, to: mustAddress(mail.to) });
  };
}

/** Opened when the first is sent. In production there must be a server, which is set with people. */
export function mailOf({ people, dataDir, environment }: Pick<Settings, 'people' | 'dataDir' | 'environment'>): SendMail {
  let opened: Promise<SendMail> | undefined;
  return async (mail) => {
    if (people === undefined && environment === 'production') {
      throw new Fault('misconfigured', { detail: 'no mail server is set up', facts: { see: 'TOMBOLO_PEOPLE, TOMBOLO_SMTP_URL' } });
    }
    opened ??= openMail(people ?? { smtp: undefined }, dataDir);
    await (await opened)(mail);
  };
}

/** Mailers parse the text of an address: one with a line end in it would name a second recipient. */
function mustAddress(text: string): string {
  return z.email().parse(text);
}

function toFile(path: string): SendMail {
  return ({ to, subject, text, id }) => {
    const named = id === undefined ? '' : `Message-ID: <${id}>\n`;
    return appendFile(path, `To: ${to}\nSubject: ${subject}\n${named}\n${text}\n\n`, { mode: 0o600 });
  };
}

interface Person {
  readonly user: { readonly email: string };
}

interface Linked extends Person {
  readonly url: string;
  readonly token: string;
}

interface Invited {
  readonly id: string;
  readonly email: string;
  readonly inviter: Person;
}

/** What people are written. Who names no page to be sent to gets no link to one. */
export function toMails(home: string, mail: SendMail) {
  return {
    verify: ({ user, url }: Linked) => mail({
      to: user.email, subject: 'Is this your address?',
      text: `If you signed up at ${home}, open this within the hour:\n${withoutPage(url)}`,
    }),
    reset: ({ user, url, token }: Linked) => mail({
      to: user.email, subject: 'A new password',
      text: `Choose a new password within the hour, by this:\n${url.endsWith('callbackURL=') ? token : url}`,
    }),
    depart: async ({ user, url }: Linked) => mail({
      to: user.email, subject: 'Delete your account?',
      text: `If you want your account at ${home} deleted, with what is yours, open this within the hour, signed in:\n${withoutPage(url)}`,
    }),
    known: ({ user }: Person) => mail({
      to: user.email, subject: 'You have an account', text: `Somebody signed up with this address, which has an account at ${home}.`,
    }),
    code: ({ email, otp }: { readonly email: string; readonly otp: string }) => mail({
      to: email, subject: 'A code to sign in', text: `To sign in at ${home}, within five minutes and once:\n${otp}`,
    }),
    link: ({ email, url }: { readonly email: string; readonly url: string }) => mail({
      to: email, subject: 'A link to sign in',
      text: `To sign in at ${home}, open this within five minutes, once:\n${withoutPage(url)}`,
    }),
    // Whoever invites is named by the address that they proved: an organisation's name is a stranger's text.
    invite: ({ id, email, inviter }: Invited) => mail({
      to: email, subject: 'An invitation',
      text: `${inviter.user.email} invites you to an organisation at ${home}.\nSign in with this address and accept invitation ${id}`,
    }),
  };
}

function withoutPage(url: string): string {
  return url.replace(/&callbackURL=%2F$/, '');
}

/** TLS from the first byte (`smtps:`), or by STARTTLS, without which nothing is sent (RFC 8314 §3.1). */
async function toServer({ url, from }: NonNullable<PeopleSettings['smtp']>): Promise<SendMail> {
  const { createTransport } = await import('nodemailer');
  const { protocol, hostname, port, username, password } = new URL(url);
  const isTls = protocol === 'smtps:';
  const transport = createTransport({
    host: hostname, port: Number(port || (isTls ? 465 : 587)), secure: isTls, requireTLS: !isTls,
    connectionTimeout: smtpMsMax, greetingTimeout: smtpMsMax, socketTimeout: smtpMsMax,
    ...(username === '' ? {} : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
  });
  const domain = from.slice(from.lastIndexOf('@') + 1).replace(/>.*$/, '');
  return async ({ id, ...mail }) => {
    const named = id === undefined ? {} : { messageId: `<${id}@${domain}>` };
    await transport.sendMail({ from, ...named, ...mail });
  };
}
