/**
 * Organisations are tenants (SEMANTICS §20). A token's `tenant` is the identity of the organisation that its session has made
 * active: a random one, since a name or a slug is whatever its maker says. A member's role there is `organization:owner`,
 * `organization:admin` or `organization:member` among the token's roles: whoever makes an organisation is its owner by their own
 * word, so no role that is given within one is ever a role without that prefix, and none with it is an operator's to give.
 */
import type { DBAdapter } from 'better-auth';
import { APIError } from 'better-auth/api';
import { organization, type OrganizationOptions } from 'better-auth/plugins/organization';
import { defaultRoles } from 'better-auth/plugins/organization/access';

const limits = {
  /** Organisations of one person: each may invite its own number of strangers. */
  ofOnePerson: 10,
  members: 1_000,
  /** Invitations of an organisation that nobody has answered yet. */
  openInvitations: 100,
  invitationSeconds: 2 * 86_400,
} as const;

const prefix = 'organization:';

/** As whom a session acts: in no tenant, or in that of an organisation with the roles there. */
export interface Acting {
  readonly tenant?: string;
  readonly roles: readonly string[];
}

interface Organizing {
  readonly adapter: () => DBAdapter;
  readonly now: () => number;
  readonly mail: NonNullable<OrganizationOptions['sendInvitationEmail']>;
}

export function organizations({ adapter, now, mail }: Organizing) {
  return organization({
    organizationLimit: limits.ofOnePerson,
    membershipLimit: limits.members,
    // better-auth counts and lists by a page of 100 rows, and leaves out afterwards what is over.
    async invitationLimit() {
      await removeClosedInvitations(adapter(), now());
      return limits.openInvitations;
    },
    invitationExpiresIn: limits.invitationSeconds,
    requireEmailVerificationOnInvitation: true,
    sendInvitationEmail: mail,
    organizationHooks: { beforeAcceptInvitation: ({ invitation }) => mustStillInvite(adapter(), invitation) },
  });
}

/** What was answered, taken back, or is over. */
export async function removeClosedInvitations(adapter: DBAdapter, nowMs: number): Promise<void> {
  const model = 'invitation';
  await adapter.deleteMany({ model, where: [{ field: 'expiresAt', operator: 'lt', value: new Date(nowMs) }] });
  await adapter.deleteMany({ model, where: [{ field: 'status', operator: 'in', value: ['accepted', 'rejected', 'canceled'] }] });
}

interface Invitation {
  readonly organizationId: string;
  readonly inviterId: string;
  readonly role: string;
}

/** Whoever was removed would else come back by an invitation of their own, in the role that they had. */
async function mustStillInvite(adapter: DBAdapter, { organizationId, inviterId, role }: Invitation): Promise<void> {
  const inviter = await findMember(adapter, organizationId, inviterId);
  const held = inviter === null ? [] : toRoles(inviter.role);
  const isInviting = held.some((each) => inviting.has(each)) && (held.includes('owner') || !toRoles(role).includes('owner'));
  if (!isInviting) throw APIError.from('FORBIDDEN', inviterGone);
}

const inviting: ReadonlySet<string> = new Set(
  Object.entries(defaultRoles).filter(([, role]) => role.authorize({ invitation: ['create'] }).success).map(([name]) => name),
);

const inviterGone = {
  code: 'INVITER_GONE', message: 'Whoever sent this invitation may not invite to that role any more: ask for another',
} as const;

/** Asked for each token: whoever was removed from an organisation may have it active in a session still. */
export async function actingFor(adapter: DBAdapter, session: Readonly<Record<string, unknown>>): Promise<Acting> {
  const { activeOrganizationId, userId } = session;
  if (typeof activeOrganizationId !== 'string' || typeof userId !== 'string') return { roles: [] };
  const member = await findMember(adapter, activeOrganizationId, userId);
  if (member === null) return { roles: [] };
  return { tenant: activeOrganizationId, roles: toRoles(member.role).map((role) => prefix + role) };
}

function findMember(adapter: DBAdapter, organizationId: string, userId: string): Promise<{ readonly role: string } | null> {
  const where = [{ field: 'organizationId', value: organizationId }, { field: 'userId', value: userId }];
  return adapter.findOne<{ readonly role: string }>({ model: 'member', where });
}

function toRoles(text: string): readonly string[] {
  return text.split(',').map((role) => role.trim());
}

/** Roles that an operator gave, in whatever tenant. */
export function toOwnRoles(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((role) => typeof role === 'string' && !role.startsWith(prefix)) : [];
}
