// One client's connection: bytes in, messages one after another, bytes out. It owns the socket and dies with it.
import type { Socket } from 'bun';
import { isHello, wantsMore } from '../commands/hello.ts';
import { answer } from '../commands/dispatch.ts';
import type { Member } from '../replica/member.ts';
import { runRecorded } from '../recorded.ts';
import type { Server } from '../server.ts';
import type { Doc } from '../values/types.ts';
import { encodeReply, MESSAGE_BYTES_MAX, parseMessage, type Request } from './message.ts';
import type { ScramExchange } from './scram.ts';

let lastConnection = 0;

export class Connection {
  readonly id = ++lastConnection;
  readonly server: Server;
  readonly member: Member;
  readonly peer: string;
  appName: string | null = null;
  clientMetadata: Doc | null = null;
  user: string | null = null;
  scram: ScramExchange | null = null;
  closeAfterCommand = false;
  private readonly socket: Socket<Connection>;
  private readonly gone = new AbortController();
  private chunks: Buffer[] = [];
  private buffered = 0;
  private readonly requests: Request[] = [];
  private working = false;
  private unsent: Buffer[] = [];
  private application: number | null = null; // ordinal among connections that ran more than hellos
  private commands = 0;

  constructor(server: Server, member: Member, socket: Socket<Connection>) {
    this.server = server;
    this.member = member;
    this.socket = socket;
    this.peer = `${socket.remoteAddress}:${socket.remotePort}`;
  }

  get signal(): AbortSignal {
    return this.gone.signal;
  }

  close(): void {
    this.gone.abort();
    this.socket.terminate();
  }

  onClose(): void {
    this.gone.abort();
    this.requests.length = 0;
  }

  onData(chunk: Buffer): void {
    this.buffered += chunk.length;
    let bytes = this.chunks.length ? this.chunks[0] as Buffer : chunk;
    if (bytes.length < 4 || this.buffered < bytes.readInt32LE(0)) {
      // The runtime uses its buffer again: what waits for the rest of its message is copied, and joined once.
      this.chunks = bytes.length < 4 && this.chunks.length ? [Buffer.concat([...this.chunks, chunk])] : [...this.chunks, Buffer.from(chunk)];
      return;
    }
    if (this.chunks.length) bytes = Buffer.concat([...this.chunks, chunk]);
    this.chunks = [];
    const rest = this.takeMessages(bytes);
    this.buffered = rest.length;
    if (rest.length) this.chunks.push(Buffer.from(rest));
    void this.work();
  }

  private takeMessages(bytes: Buffer): Buffer {
    let at = 0;
    while (bytes.length - at >= 16) {
      const length = bytes.readInt32LE(at);
      if (length < 16 || length > MESSAGE_BYTES_MAX) { this.close(); return Buffer.alloc(0); }
      if (bytes.length - at < length) break;
      try {
        this.requests.push(parseMessage(bytes.subarray(at, at + length)));
      } catch (error) {
        this.server.report(error);
        this.close();
        return Buffer.alloc(0);
      }
      at += length;
    }
    return bytes.subarray(at);
  }

  private async work(): Promise<void> {
    if (this.working) return;
    this.working = true;
    for (let request = this.requests.shift(); request && !this.signal.aborted; request = this.requests.shift()) await this.serve(request);
    this.working = false;
  }

  private async serve(request: Request): Promise<void> {
    const name = Object.keys(request.body)[0] ?? '';
    const reply = await this.reply(name, request.body);
    if (reply === null || this.closeAfterCommand) { this.close(); return; }
    const streams = request.exhaust && isHello(name) && wantsMore(request.body);
    if (request.answered) this.send(encodeReply(request, reply, streams));
    if (streams) await this.stream(name, request, reply);
  }

  // An awaited hello that the client lets run on: one answer at each change or each end of the wait.
  private async stream(name: string, request: Request, first: Doc): Promise<void> {
    let last = first;
    while (!this.signal.aborted && last['ok'] === 1) {
      const reply = await this.reply(name, { ...request.body, topologyVersion: last['topologyVersion'] });
      if (reply === null) { this.close(); return; }
      if (!this.signal.aborted) this.send(encodeReply(request, reply, reply['ok'] === 1));
      last = reply;
    }
  }

  private async reply(name: string, body: Doc): Promise<Doc | null> {
    if (isHello(name)) return (await answer(this.server, this.member, this, body))?.reply ?? null;
    this.application ??= this.server.nextApplication();
    const ordinal = this.commands++;
    return runRecorded({ connection: this, application: this.application, ordinal, name, body });
  }

  private send(bytes: Buffer): void {
    if (this.unsent.length) { this.unsent.push(bytes); return; }
    const sent = this.socket.write(bytes);
    if (sent < bytes.length && sent >= 0) this.unsent.push(bytes.subarray(sent));
  }

  onDrain(): void {
    while (this.unsent.length) {
      const bytes = this.unsent[0] as Buffer;
      const sent = this.socket.write(bytes);
      if (sent < bytes.length) { if (sent > 0) this.unsent[0] = bytes.subarray(sent); return; }
      this.unsent.shift();
    }
  }
}
