/** The binding of `[assets]` on this machine: Miniflare's own would put two Workers before every request. */
import type { Contract } from '../../shared/contract/contract.ts';
import type { Plans } from '../../shared/limits/plans.ts';
import { served } from '../../shared/resources/all.ts';
import { offered } from '../../shared/resources/plans.ts';
import { edgePaths } from '../../shared/wire/edge-paths.ts';
import { descriptionFiles, scalarFile } from './edge-assets.ts';

interface Asked {
  readonly url: string;
  readonly headers: { get(name: string): string | null };
}

interface File {
  readonly text: string;
  readonly etag: string;
  readonly mediaType: string;
}

export const localAssets = toAssets(served, offered);

/** The files of this API, each made when it is first asked for. */
export function toAssets(contract: Contract, plans: Plans): (asked: Asked) => Promise<Response> {
  const made = new Map<string, File>();
  let descriptions: Promise<ReadonlyMap<string, string>> | undefined;
  const make = async (path: string): Promise<File | undefined> => {
    if (path === edgePaths.docsScript) return toFile(scalarFile(), 'text/javascript; charset=utf-8');
    const text = (await (descriptions ??= descriptionFiles(contract, plans))).get(path);
    return text === undefined ? undefined : toFile(text, 'application/json');
  };
  const find = async (path: string): Promise<File | undefined> => {
    const file = made.get(path) ?? (await make(path));
    if (file !== undefined) made.set(path, file);
    return file;
  };
  return async ({ url, headers: asked }) => {
    const file = await find(new URL(url).pathname);
    if (file === undefined) return new Response(null, { status: 404 });
    const headers = { etag: file.etag, 'content-type': file.mediaType };
    return asked.get('if-none-match') === file.etag ? new Response(null, { status: 304, headers }) : new Response(file.text, { headers });
  };
}

function toFile(text: string, mediaType: string): File {
  return { text, mediaType, etag: `"${Bun.hash(text).toString(36)}"` };
}
