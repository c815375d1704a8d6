import { Logger } from '@nestjs/common';
import type { Arrival } from '../arrive/arrival.js';
import type { Origin } from '../call/operation.js';
import { parseStrictJson, StrictJsonError, type JsonLimits } from '../arrive/strict-json.js';
import type { Gate } from '../gate/gate.js';
import type { Challenger, Revocations } from '../gate/ports.js';
import {
  authenticationRequired,
  insufficientScope,
  refusalAnswer,
  unavailable,
  type Refusal,
} from '../gate/refusal.js';
import type { Principal } from '../principal.js';
import { stackOf } from '../stack-of.js';

/** Who may administer: a person who holds this role and has consented to this scope. */
export interface AdministrationRule {
  readonly role: string;
  readonly scope: string;
}

/** What a principal lacks, by the same functions that decide on calls. */
export interface Lacks {
  missingScopes(asked: readonly string[], held: readonly string[]): readonly string[];
  missingRoles(asked: readonly string[], held: readonly string[]): readonly string[];
}

export interface AdministrationDeskParts {
  readonly rule: AdministrationRule;
  readonly lacks: Lacks;
  readonly gate: Gate;
  readonly revocations: Revocations;
  readonly challenger: Challenger;
}

/** Why a signed-in caller may not administer, as the audit has it. */
export type Barrier = 'kind' | 'delegated' | 'role' | 'insufficient_scope';

export type AtTheDesk =
  | { readonly kind: 'administrator'; readonly principal: Principal }
  /** Signed in, and not entitled: to be recorded, and answered like a path that is not there. */
  | {
      readonly kind: 'barred';
      readonly principal: Principal;
      readonly barrier: Barrier;
      readonly response: Response;
    }
  | { readonly kind: 'turned_away'; readonly response: Response };

/**
 * Who stands at an administrative endpoint? Only a person, by themselves, with the role of an administrator, who has
 * consented to just this: not an API key, not a program, not an agent that merely holds somebody's token for tools.
 */
export class AdministrationDesk {
  readonly #logger = new Logger('Sallyport');

  constructor(private readonly parts: AdministrationDeskParts) {}

  async receive(arrival: Arrival): Promise<AtTheDesk> {
    const { rule, gate } = this.parts;
    const { headers, address } = arrival;
    const identified = await gate.identify({
      headers,
      via: 'http',
      ...(address === undefined ? {} : { address }),
    });
    if (identified.kind === 'refused') return this.#turnAway(identified.refusal);
    const from: Origin = { via: 'http', address };
    const { principal: presented } = identified;
    if (presented === undefined)
      return this.#turnAwayRecorded(from, 'no_credential', undefined, authenticationRequired([rule.scope]));
    const isRevoked = await this.#isRevoked(presented);
    if (isRevoked === undefined)
      return this.#turnAwayRecorded(from, 'revocations_unavailable', presented, unavailable('revocations'));
    if (isRevoked) return this.#turnAway(await gate.refuseRevoked(presented, from, { scopes: [rule.scope] }));
    const principal = await gate.currentPrincipal(presented);
    if (principal === 'unavailable')
      return this.#turnAwayRecorded(from, 'roles_unavailable', presented, unavailable('roles'));
    const barrier = this.#barrierTo(principal);
    if (barrier === undefined) return { kind: 'administrator', principal };
    // Who is no administrator is not told that there is something to administer.
    const response =
      barrier === 'insufficient_scope' ? this.#answer(insufficientScope([rule.scope])) : notFound();
    return { kind: 'barred', principal, barrier, response };
  }

  /** `undefined`: it cannot be found out. */
  async #isRevoked(principal: Principal): Promise<boolean | undefined> {
    try {
      return (await this.parts.revocations.current()).isRevoked(principal);
    } catch (error) {
      const stack = stackOf(error);
      this.#logger.error('It could not be found out what is revoked; nothing was changed.', stack);
      return undefined;
    }
  }

  #barrierTo({ kind, actors, roles, scopes }: Principal): Barrier | undefined {
    const { rule, lacks } = this.parts;
    if (kind !== 'user') return 'kind';
    if (actors.length > 0) return 'delegated';
    if (lacks.missingRoles([rule.role], roles).length > 0) return 'role';
    return lacks.missingScopes([rule.scope], scopes).length > 0 ? 'insufficient_scope' : undefined;
  }

  /** Whoever is turned away learns of it when it is recorded. */
  async #turnAwayRecorded(
    from: Origin,
    reason: string,
    principal: Principal | undefined,
    refusal: Refusal,
  ): Promise<AtTheDesk> {
    const recorded = await this.parts.gate.recordTurnedAway(from, reason, principal);
    return this.#turnAway(recorded ? refusal : unavailable('audit'));
  }

  #turnAway(refusal: Refusal): AtTheDesk {
    return { kind: 'turned_away', response: this.#answer(refusal) };
  }

  #answer(refusal: Refusal): Response {
    const { challenger } = this.parts;
    const { status, headers, error } = refusalAnswer(refusal, challenger.challenge.bind(challenger));
    return deskAnswer(status, { error: { message: error.message, ...error.data } }, headers);
  }
}

/** JSON that nobody keeps. */
export function deskAnswer(
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json(body, { status, headers: { 'Cache-Control': 'no-store', ...headers } });
}

export function notFound(): Response {
  return deskAnswer(404, { error: { reason: 'unknown', message: 'There is nothing at this path.' } });
}

export type DeskBody =
  | { readonly kind: 'body'; readonly value: unknown }
  | { readonly kind: 'unreadable'; readonly issue: string };

/** The JSON of a request, read as strictly as a message. */
export function readDeskBody({ body }: Arrival, limits: JsonLimits): DeskBody {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    return { kind: 'body', value: parseStrictJson(text, limits) };
  } catch (error) {
    const issue = error instanceof StrictJsonError ? 'the body is no strict JSON' : 'the body is not UTF-8';
    return { kind: 'unreadable', issue };
  }
}
