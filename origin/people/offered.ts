/**
 * What people may ask below `/auth`. Whatever else better-auth has, or comes to have, is not there: each path of it is offered
 * here by a line, or by none. What a body and a query hold, better-auth's own schemas say (`endpoints.ts`).
 */
import { peopleRoot } from '../../shared/people/paths.ts';
import type { OfferedToPeople, PeopleAnswer } from '../../shared/openapi/people.ts';
import { Fault } from '../../shared/wire/fault.ts';

type Row = (asked: `${'GET' | 'POST'} /${string}`, says: string, gives?: PeopleAnswer) => OfferedToPeople;

const anyone = rowsBy('anyone');
/** Whoever has a session. */
const session = rowsBy('session');
/** Anybody, who with a session is answered otherwise. */
const either = rowsBy('either');

export const offeredToPeople: readonly OfferedToPeople[] = [
  anyone('POST /sign-up/email', 'Signs up. Answered alike whether or not the address has an account; a mail says more.', 'SignedUp'),
  anyone('GET /verify-email', 'The link of a mail: proves an address.', 'Link'),
  anyone('POST /send-verification-email', 'Sends that mail again, to whoever has an account that is not proved.'),
  anyone('POST /sign-in/email', 'Signs in with a password; or asks for the second factor.', 'SignedIn'),
  anyone('POST /email-otp/send-verification-otp', 'Sends a code of eight digits to sign in with, within five minutes.'),
  anyone('POST /sign-in/email-otp', 'Signs in with that code, and makes the account where there is none.', 'SignedIn'),
  anyone('POST /sign-in/magic-link', 'Sends a link to sign in with, within five minutes.'),
  anyone('GET /magic-link/verify', 'That link.', 'Link'),
  anyone('POST /sign-in/social', 'Begins to sign in by the account of another issuer: `url` is where to go.', 'Elsewhere'),
  anyone('GET /callback/:id', 'Where that issuer sends people back to.', 'Link'),
  anyone('GET /error', 'Where people are sent who cannot be signed in and named no page for it.', 'Page'),
  session('POST /sign-out', 'Ends the session.', 'Done'),
  either('GET /get-session', 'Who has the session; null without one.', 'MaybeSession'),
  session('GET /token', 'Gives an access token of five minutes, to send as `Authorization: Bearer`.', 'AccessToken'),
  anyone('GET /jwks', 'The keys that access tokens are signed with (RFC 7517).', 'KeySet'),
  anyone('POST /refresh/begin', 'Takes the `token` of a sign-in, for a program without cookies.', 'Refreshed'),
  anyone('POST /refresh', 'Takes a refresh token, once, for an access token and the next of its kind.', 'Refreshed'),
  anyone('POST /refresh/end', 'Ends the session of a refresh token.', 'Done'),
  session('GET /list-sessions', 'One’s sessions.', 'Sessions'),
  session('POST /revoke-session', 'Ends one of them.'),
  session('POST /revoke-sessions', 'Ends all of them.'),
  session('POST /revoke-other-sessions', 'Ends all but this.'),
  session('POST /update-user', 'Changes one’s name or picture.'),
  session('POST /change-password', 'Changes the password, and can end the other sessions.'),
  anyone(
    'POST /request-password-reset', 'Sends a mail with a link for another password. Answered alike whether or not there is an account.',
  ),
  anyone('GET /reset-password/:token', 'That link: leads to the page that was named, with the token.', 'Link'),
  anyone('POST /reset-password', 'Sets the password with that token, and ends all sessions.'),
  session('POST /delete-user', 'Sends a mail with a link that deletes the account.'),
  session('GET /delete-user/callback', 'That link.', 'Link'),
  session('GET /list-accounts', 'By which issuers one signs in, with a password among them.', 'List'),
  session('POST /unlink-account', 'Signs in by one of them no more; one is left.'),
  session('POST /two-factor/enable', 'Gives the secret of a second factor, and codes for the day when it is lost.'),
  session('POST /two-factor/disable', 'Takes the second factor away.'),
  session('POST /two-factor/get-totp-uri', 'Shows the secret of the second factor again.'),
  session('POST /two-factor/generate-backup-codes', 'Gives other codes for that day.'),
  either('POST /two-factor/verify-totp', 'Takes a code of the app: behind a password, or to switch it on.'),
  either('POST /two-factor/verify-backup-code', 'Takes one of the other codes, once.'),
  session('GET /passkey/generate-register-options', 'What `navigator.credentials.create` is given.'),
  session('POST /passkey/verify-registration', 'Keeps the passkey that comes of it.'),
  either('GET /passkey/generate-authenticate-options', 'What `navigator.credentials.get` is given.'),
  anyone('POST /passkey/verify-authentication', 'Signs in with what comes of it.'),
  session('GET /passkey/list-user-passkeys', 'One’s passkeys.', 'List'),
  session('POST /passkey/update-passkey', 'Gives a passkey another name.'),
  session('POST /passkey/delete-passkey', 'Takes a passkey away.'),
  session('POST /organization/create', 'Makes an organisation, a tenant, whose owner one is.'),
  session('POST /organization/update', 'Changes its name, slug or logo.'),
  session('POST /organization/delete', 'Deletes it.'),
  session('POST /organization/check-slug', 'Says whether a slug is free.'),
  session('POST /organization/set-active', 'Makes it the tenant of the next access tokens of this session.'),
  session('GET /organization/list', 'The organisations one is in.', 'List'),
  session('GET /organization/get-organization', 'One of them.'),
  session('GET /organization/get-full-organization', 'One of them with its members and invitations.'),
  session('GET /organization/list-members', 'Its members.'),
  session('GET /organization/get-active-member', 'What one is in the active one.'),
  session('GET /organization/get-active-member-role', 'One’s role there.'),
  session('POST /organization/update-member-role', 'Gives a member another role.'),
  session('POST /organization/remove-member', 'Removes a member.'),
  session('POST /organization/leave', 'Leaves it.'),
  session('POST /organization/has-permission', 'Says whether one’s role allows something of it.'),
  session('POST /organization/invite-member', 'Invites an address, by mail.'),
  session('POST /organization/cancel-invitation', 'Takes an invitation back.'),
  session('POST /organization/accept-invitation', 'Accepts one, with the address proved that it was sent to.'),
  session('POST /organization/reject-invitation', 'Declines one.'),
  session('GET /organization/get-invitation', 'One that was sent to one’s address.'),
  session('GET /organization/list-invitations', 'Those of the active organisation.', 'List'),
  session('GET /organization/list-user-invitations', 'Those that were sent to one’s address.', 'List'),
];

function rowsBy(by: OfferedToPeople['by']): Row {
  return (asked, says, gives = 'Object') => {
    const [method = '', path = ''] = asked.split(' ');
    return { method, path, by, says, gives };
  };
}

/** By path, with `:` for a parameter, which is a last segment. */
const methods: ReadonlyMap<string, readonly string[]> = new Map(
  [...Map.groupBy(offeredToPeople, ({ path }) => peopleRoot + path.replace(/:\w+$/, ':'))].map(([path, rows]) =>
    [path, rows.map(({ method }) => method)]),
);

/** Throws `route_not_found` or `method_not_allowed`. `path`: as it was sent; written in another way than its line, it is not there. */
export function mustBeOffered(method: string, path: string): void {
  const taken = methods.get(path) ?? methods.get(path.replace(/[^/]+$/, ':'));
  if (taken === undefined) throw new Fault('route_not_found');
  if (!taken.includes(method)) throw new Fault('method_not_allowed', { headers: { allow: [...taken, 'OPTIONS'].join(', ') } });
}
