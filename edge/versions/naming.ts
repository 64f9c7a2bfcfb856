/**
 * How a request names the version that it speaks: by its path, `API-Version`, the media type that it accepts, or
 * `?version=`. Several may; two that disagree are refused (SEMANTICS §19).
 */
import { isVersionName, type Version, type Versions, versionOf } from '../../shared/versions/versions.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { parametersRefused } from '../../shared/wire/parameters.ts';
import type { SentHeaders } from '../request/request-headers.ts';
import type { Target } from '../request/target.ts';

/** What a request says of versions; its target is that of the current one from here on. */
export interface Speech {
  readonly version: Version;
  /** What stood before the path below the version: `/v1`, or nothing. */
  readonly prefix: string;
  /** `version=v1` as it stood in the query, or nothing: links carry it on. */
  readonly parameter: string;
  /** Whether `Accept` named it, so that answers say it in their media type. */
  readonly isInMediaType: boolean;
  /** `Accept`, with the media types of versions as the plain ones. */
  readonly accept: string | null;
}

const versionMediaType = /\bapplication\/vnd\.tombolo\.(v[1-9]\d{0,3})\+json\b/gi;

export function mediaTypeOf({ name }: Version): string {
  return `application/vnd.tombolo.${name}+json`;
}

/** Fast path, for nearly every request: the path alone names a version, the current one. */
export function isPlain({ path, query }: Target, sent: SentHeaders, { current }: Versions): boolean {
  return path.startsWith(`/${current.name}/`) && !sent.has('api-version') && !query.includes('version=') &&
    !/vnd\.tombolo/i.test(sent.get('accept') ?? '');
}

/** Throws `version_unknown`, and `version_conflict` where two names disagree. */
export function mustSpeak(target: Target, sent: SentHeaders, versions: Versions): { readonly speech: Speech; readonly target: Target } {
  const [, first = ''] = target.path.split('/', 2);
  const inPath = isVersionName(first) ? first : undefined;
  const below = inPath === undefined ? target.path : target.path.slice(inPath.length + 1);
  const accept = sent.get('accept');
  const media = [...(accept ?? '').matchAll(versionMediaType)].map(([, name = '']) => name.toLowerCase());
  const { parameter, query } = split(target.query);
  const named = [
    ...(inPath === undefined ? [] : [inPath]),
    ...(sent.has('api-version') ? [sent.get('api-version') ?? ''] : []),
    ...media,
    ...(parameter === '' ? [] : [parameter.slice('version='.length)]),
  ];
  const [name = versions.current.name] = named;
  const other = named.find((each) => each !== name);
  if (other !== undefined) throw new Fault('version_conflict', { detail: `asked for in ${name} and in ${other}: name one version` });
  const version = versionOf(versions, name);
  if (version === undefined) {
    throw new Fault('version_unknown', { detail: `versions served are ${versions.all.map((each) => each.name).join(', ')}` });
  }
  return {
    speech: {
      version, prefix: inPath === undefined ? '' : `/${inPath}`, parameter, isInMediaType: media.length > 0,
      accept: accept?.replaceAll(versionMediaType, 'application/json') ?? null,
    },
    target: { path: `/${versions.current.name}${below}`, query },
  };
}

/** Takes `version` out of a query, and leaves everything else as it was sent. */
function split(query: string): { readonly parameter: string; readonly query: string } {
  if (!query.includes('version=')) return { parameter: '', query };
  const pairs = query.slice(1).split('&');
  const [parameter = '', ...others] = pairs.filter((pair) => pair.startsWith('version='));
  if (others.length > 0) throw parametersRefused([['version', 'given more than once']]);
  const rest = pairs.filter((pair) => !pair.startsWith('version='));
  return { parameter, query: rest.length === 0 ? '' : `?${rest.join('&')}` };
}
