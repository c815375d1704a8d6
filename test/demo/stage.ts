import type { ServerProcess } from '../support/server-process.js';
import { describeAnswer } from './answer.js';
import type { Answer, Fields } from './answer.js';
import type { ExpectedRecord } from './audit-check.js';
import type { Conversation } from './conversation.js';
import type { Explained, Explainer } from './explainer.js';
import type { Ledger } from './ledger.js';
import type { StoryClient } from './story-client.js';
import { signIn } from './tokens.js';
import type { Caller } from './tokens.js';

/** A client that is connected as somebody, or as nobody. */
export interface Actor {
  readonly caller: Caller | undefined;
  /** What is sent, good or not. */
  readonly token: string | undefined;
  readonly via: 'http' | 'stdio';
  readonly talk: Conversation;
}

/** One call of the story: what is asked, what should come back, and what should be recorded. */
export interface Step {
  /** First column of the table. */
  readonly call: string;
  readonly actor: Actor;
  readonly ask: (talk: Conversation) => Promise<Answer>;
  readonly expected: string;
  /** What of a good result the table shows. */
  readonly summary?: (result: Fields) => string;
  readonly record: RecordOf;
}

/** The part of a record that is not said by who called and how. */
export type RecordOf = Omit<
  ExpectedRecord,
  | 'via'
  | 'address'
  | 'protocol'
  | 'principalKind'
  | 'issuer'
  | 'subject'
  | 'tenant'
  | 'client'
  | 'credential'
  | 'scopesGranted'
>;

/** What the chapters of one run share. */
export class Stage {
  private readonly open: Conversation[] = [];
  /** Every token that was sent: none may turn up anywhere. */
  readonly tokens: string[] = [];
  /** Where calls go over HTTP. */
  private endpoint: string;

  constructor(
    readonly server: ServerProcess,
    readonly client: StoryClient,
    readonly ledger: Ledger,
    private readonly explainer: Explainer,
  ) {
    this.endpoint = server.resource;
  }

  /** Who comes meanwhile comes to another process, which is the same server to them. */
  async through(other: ServerProcess, work: () => Promise<void>): Promise<void> {
    this.endpoint = other.resource;
    try {
      await work();
    } finally {
      this.endpoint = this.server.resource;
    }
  }

  nobody(): Actor {
    return this.enter(undefined, this.client.overHttp(this.endpoint));
  }

  async signedIn(person: string, scopes: readonly string[]): Promise<Actor> {
    return this.withCredential(await signIn(this.server, person, scopes));
  }

  /** @param session the id of one to go on with */
  withCredential(caller: Caller, session?: string): Actor {
    return this.enter(caller, this.client.overHttp(this.endpoint, caller.token, session));
  }

  /** Somebody whose token should not be taken: to the audit they are nobody. */
  withBadToken(token: string): Actor {
    this.tokens.push(token);
    return { ...this.enter(undefined, this.client.overHttp(this.endpoint, token)), token };
  }

  /** A server process of its own, with the principal from its environment. */
  onStdio(caller?: Caller): Actor {
    const token: Record<string, string> = caller === undefined ? {} : { SALLYPORT_TOKEN: caller.token };
    const talk = this.client.overStdio({ ...this.server.environment, ...token });
    return this.enter(caller, talk, 'stdio');
  }

  enter(caller: Caller | undefined, talk: Conversation, via: Actor['via'] = 'http'): Actor {
    this.open.push(talk);
    if (caller !== undefined) this.tokens.push(caller.token);
    return { caller, token: caller?.token, via, talk };
  }

  /** Makes one call, compares, and notes what the audit should hold. */
  async step({ call, actor, ask, expected, summary = () => 'ok', record }: Step): Promise<Answer> {
    const answer = await ask(actor.talk);
    this.ledger.compare(call, expected, describeAnswer(answer, summary));
    await this.expectRecord(record, actor);
    return answer;
  }

  /**
   * Notes the next record that the audit should hold. When it is a refusal, `policy explain` is asked at once, as long as
   * what it depends on is as it was.
   */
  async expectRecord(record: RecordOf, actor: Actor): Promise<void> {
    const { caller, via } = actor;
    // A credential that is not good makes nobody, whoever sends it. It is judged before the message is read, so the
    // record cannot know its revision; and what is no message has none.
    const isAuthentication = record.kind === 'authentication';
    const known = this.known(isAuthentication ? undefined : caller, via);
    const isMessage = !isAuthentication && record.kind !== 'administration';
    const expected = { ...record, ...known, protocol: isMessage ? this.client.protocol : null };
    this.ledger.expectRecord(expected, await this.explain(record, actor));
  }

  private async explain({ kind, reason }: RecordOf, { token, talk }: Actor): Promise<Explained | undefined> {
    const isRefused = kind === 'refusal' || kind === 'authentication';
    // A session that is not theirs says nothing of a call, and there is none.
    const isOfSession = reason === 'session_of_another' || reason === 'unknown_session';
    if (!isRefused || isOfSession || talk.asked === undefined) return undefined;
    return this.explainer.explain({ ...talk.asked, token });
  }

  private known(caller: Caller | undefined, via: Actor['via']) {
    return {
      via,
      address: via === 'http' ? '127.0.0.1' : null,
      principalKind: caller?.kind ?? null,
      issuer: caller?.issuer ?? null,
      subject: caller?.subject ?? null,
      tenant: caller?.tenant ?? null,
      client: caller?.client ?? null,
      credential: caller?.credential ?? null,
      scopesGranted: caller?.scopes ?? [],
    };
  }

  async leave(): Promise<void> {
    await Promise.all(this.open.splice(0).map((talk) => talk.close()));
  }
}
