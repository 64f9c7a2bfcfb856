/** Versity's gateway, which speaks S3 over a folder and holds each request to its signature; `.ci/run` brings it by Go. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import type { Need } from './needs.ts';
import { Program } from './program.ts';

const brought = join(import.meta.dir, '../../node_modules/.cache/tombolo/go');
const gateway = Bun.which('versitygw', { PATH: `${brought}:${process.env['PATH']}` });

export const s3: Need = { met: gateway !== null, what: 'versitygw, which .ci/run brings' };

export class S3Server implements AsyncDisposable {
  readonly bucket = 'tombolo-backups';
  /** What a program opens the bucket with. */
  readonly variables: Readonly<Record<string, string>>;
  readonly #dir = mkdtempSync(join(tmpdir(), 'tombolo-s3-'));
  readonly #port = freePort();
  #program: Program | undefined;

  constructor() {
    mkdirSync(this.pathOf(''), { recursive: true });
    this.variables = {
      S3_ENDPOINT: `http://127.0.0.1:${this.#port}`, AWS_ACCESS_KEY_ID: 'tombolo', AWS_SECRET_ACCESS_KEY: `planted-${crypto.randomUUID()}`,
    };
  }

  /** Where an object lies as a file. */
  pathOf(key: string): string {
    return join(this.#dir, 'buckets', this.bucket, key);
  }

  async start(): Promise<void> {
    const { AWS_ACCESS_KEY_ID: access, AWS_SECRET_ACCESS_KEY: secret } = this.variables;
    const env = { ...process.env, ROOT_ACCESS_KEY: access, ROOT_SECRET_KEY: secret };
    // Beside the objects, since not every disk has attributes for what is told of them.
    const sidecar = join(this.#dir, 'told');
    mkdirSync(sidecar, { recursive: true });
    const options = ['--quiet', '--port', `127.0.0.1:${this.#port}`, 'posix', '--sidecar', sidecar, join(this.#dir, 'buckets')];
    this.#program = new Program([gateway ?? 'versitygw', ...options], { cwd: this.#dir, env });
    await eventually('the gateway answers', () => fetch(String(this.variables['S3_ENDPOINT'])).then(() => true, () => false));
  }

  async stop(): Promise<void> {
    await this.#program?.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
