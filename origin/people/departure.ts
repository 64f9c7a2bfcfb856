/**
 * Deleting one's account (SEMANTICS §20), which a mail confirms: a session alone, which may be stolen, does not, and not everybody
 * has a password. What else ends with it is done by a job (`origin/departures`).
 */
import type { BetterAuthOptions, BetterAuthPlugin, DBAdapter } from 'better-auth';
import { APIError, createAuthMiddleware, getSessionFromCtx } from 'better-auth/api';
import * as z from 'zod';
import type { Attempts } from './attempts.ts';
import { mustBeAsked } from './asked-body.ts';
import { noteDeparted } from './departed.ts';
import { asRefusal } from './second-factor.ts';

const deletePath = '/delete-user';

/** A password here would be one more place to guess it at. */
const asked = z.strictObject({ callbackURL: z.string().optional(), token: z.string().optional() });

/** A mail that asks whether it is meant is one of those to an address. */
export function departures(attempts: () => Attempts) {
  return {
    id: 'tombolo-departures',
    hooks: {
      before: [{
        matcher: ({ path }) => path === deletePath,
        handler: createAuthMiddleware(async (context) => {
          mustBeAsked(asked, context.body);
          const session = await getSessionFromCtx(context);
          if (session !== null) await attempts().mustTake([{ guard: 'mailTo', whose: session.user.email }]).catch(asRefusal);
        }),
      }],
    },
  } as const satisfies BetterAuthPlugin;
}

const linkSeconds = 3_600;

type Deletion = NonNullable<NonNullable<BetterAuthOptions['user']>['deleteUser']>;

interface Deleting {
  readonly adapter: () => DBAdapter;
  readonly now: () => number;
  readonly departs: (subject: string) => Promise<void>;
  readonly mail: NonNullable<Deletion['sendDeleteAccountVerification']>;
}

export function deletion({ adapter, now, departs, mail }: Deleting): Deletion {
  return {
    enabled: true, deleteTokenExpiresIn: linkSeconds, sendDeleteAccountVerification: mail,
    async beforeDelete({ id }) {
      await mustLeaveNobody(adapter(), id);
      await departs(id);
      await forget(adapter(), id, now());
    },
  };
}

interface Member {
  readonly organizationId: string;
  readonly userId: string;
  readonly role: string;
}

/** Who alone owns an organisation that has others in it gives it to one of them, or deletes it, first. */
async function mustLeaveNobody(adapter: DBAdapter, userId: string): Promise<void> {
  for (const { organizationId } of await membershipsOf(adapter, userId)) {
    const others = (await membersOf(adapter, organizationId)).filter((member) => member.userId !== userId);
    if (others.length > 0 && !others.some(isOwner)) throw APIError.from('CONFLICT', ownerNeeded);
  }
}

const ownerNeeded = {
  code: 'ORGANIZATION_NEEDS_OWNER', message: 'An organisation has members and no other owner: make one of them its owner, or delete it',
} as const;

/** Whatever there is of somebody, the account last, so that what broke off is found again. Their own organisations go with them. */
export async function forget(adapter: DBAdapter, userId: string, nowMs: number): Promise<void> {
  await noteDeparted(adapter, userId, nowMs);
  const user = await adapter.findOne<{ readonly email: string }>({ model: 'user', where: [{ field: 'id', value: userId }] });
  if (user !== null) await adapter.deleteMany({ model: 'invitation', where: [{ field: 'email', value: user.email }] });
  for (const { organizationId } of await membershipsOf(adapter, userId)) {
    if ((await membersOf(adapter, organizationId)).some((member) => member.userId !== userId)) continue;
    await adapter.deleteMany({ model: 'invitation', where: [{ field: 'organizationId', value: organizationId }] });
    await adapter.deleteMany({ model: 'member', where: [{ field: 'organizationId', value: organizationId }] });
    await adapter.deleteMany({ model: 'organization', where: [{ field: 'id', value: organizationId }] });
  }
  await adapter.deleteMany({ model: 'invitation', where: [{ field: 'inviterId', value: userId }] });
  for (const model of ownModels) await adapter.deleteMany({ model, where: [{ field: 'userId', value: userId }] });
  await adapter.deleteMany({ model: 'user', where: [{ field: 'id', value: userId }] });
}

const ownModels = ['session', 'member', 'twoFactor', 'passkey', 'account'] as const;

/** As many as one person may have made, and those that they were invited to. */
const membershipsMax = 10_000;

function membershipsOf(adapter: DBAdapter, userId: string): Promise<Member[]> {
  return adapter.findMany<Member>({ model: 'member', where: [{ field: 'userId', value: userId }], limit: membershipsMax });
}

function membersOf(adapter: DBAdapter, organizationId: string): Promise<Member[]> {
  return adapter.findMany<Member>({ model: 'member', where: [{ field: 'organizationId', value: organizationId }], limit: membershipsMax });
}

function isOwner({ role }: Member): boolean {
  return role.split(',').some((each) => each.trim() === 'owner');
}
