import type { documents } from '../../shared/operations/documents.ts';
import type { ReadAccess } from '../access/read-access.ts';
import type { Call, StateAnswer } from '../call.ts';

/** `{data: [{group, count?, sum?, avg?, min?, max?, distinct?}], page: {limit, groups}}`. */
export async function aggregate(access: ReadAccess, { input: query }: Call<typeof documents.aggregate>): Promise<StateAnswer> {
  const { data, groups, position } = await access.aggregate(query);
  return access.represent([JSON.stringify({ data, page: { limit: query.limit, groups } })], { readAt: position });
}
