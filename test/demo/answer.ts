/** What came back for one call, as far as the demo looks at it. */
export interface Answer {
  /** HTTP status; `undefined` over stdio. */
  readonly status: number | undefined;
  /** `WWW-Authenticate`. */
  readonly challenge: string | undefined;
  /** The JSON-RPC message as it came over HTTP, with its id blanked: two answers can be compared byte for byte. */
  readonly raw: string | undefined;
  readonly result: Fields | undefined;
  readonly error: RpcError | undefined;
}

export type Fields = Readonly<Record<string, unknown>>;

export interface RpcError {
  readonly code: number;
  /** Reason, scopes and metadata URL, repeated for clients without headers. */
  readonly data: Fields;
}

/** A refusal as it should be, in words of our own: nothing here is computed from what the server says. */
export interface ExpectedRefusal {
  readonly status?: number;
  readonly code: number;
  readonly reason: string;
  readonly scopes?: readonly string[];
  /**
   * `error` of `WWW-Authenticate`; `no error`: a challenge without one (RFC 6750 §3.1). Left out: no challenge at all. Its
   * scopes and its metadata URL must be those of the body, or it is described as different.
   */
  readonly challenge?: string;
  /** How recently, in seconds, the user must have signed in (RFC 9470). */
  readonly maxAge?: number;
}

/** One answer in a few lines. `summary` says what of a good result matters. */
export function describeAnswer(answer: Answer, summary: (result: Fields) => string): string {
  const { status, error, result } = answer;
  if (error !== undefined) return describeRefusal(refusalIn(answer, error));
  if (result === undefined) return `${way(status)}, no JSON-RPC answer`;
  if (result['isError'] === true) return `${way(status)}, tool error: ${textOf(result)}`;
  return `${way(status)}: ${summary(result)}`;
}

export function describeRefusal({
  status,
  code,
  reason,
  scopes = [],
  challenge,
  maxAge,
}: ExpectedRefusal): string {
  const lines = [`${way(status)}, ${code} ${reason}`];
  if (scopes.length > 0) lines.push(`scopes: ${scopes.join(' ')}`);
  if (maxAge !== undefined) lines.push(`signed in within: ${maxAge} s`);
  if (challenge !== undefined) lines.push(`challenge: ${challenge}`);
  return lines.join('\n');
}

/** The text of a tool result or of a resource. */
export function textOf(result: Fields): string {
  const parts = [result['content'], result['contents']].flatMap((list) => (Array.isArray(list) ? list : []));
  return parts.map((part: unknown) => shown(fieldsOf(part)['text'])).join(' ');
}

/** The structured content of a tool result. */
export function structured(result: Fields): Fields {
  return fieldsOf(result['structuredContent']);
}

/** One field as the table shows it. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
}

export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

export function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function way(status: number | undefined): string {
  return status === undefined ? 'stdio' : `HTTP ${status}`;
}

function refusalIn({ status, challenge }: Answer, { code, data }: RpcError): ExpectedRefusal {
  const scopes = Array.isArray(data['scopes']) ? data['scopes'].map(shown) : [];
  return {
    ...(status === undefined ? {} : { status }),
    code,
    // The specification's own `-32602` says no more than its code; ours say why.
    reason: typeof data['reason'] === 'string' ? data['reason'] : 'no reason',
    scopes,
    ...(typeof data['max_age'] === 'number' ? { maxAge: data['max_age'] } : {}),
    ...(challenge === undefined ? {} : { challenge: challengeOf(challenge, scopes, data) }),
  };
}

/** The `error` of a challenge, and whatever in it does not say the same as the body. */
function challengeOf(header: string, scopes: readonly string[], data: Fields): string {
  const parameters = challengeParameters(header);
  const differs = [
    ...(parameters.get('scope') === scopes.join(' ') ? [] : [`scope="${parameters.get('scope')}"`]),
    ...(parameters.get('max_age') === numberText(data['max_age']) ? [] : ['other max_age']),
    ...(parameters.get('resource_metadata') === data['resource_metadata'] ? [] : ['other metadata URL']),
  ];
  return [parameters.get('error') ?? 'no error', ...differs].join(', ');
}

function numberText(value: unknown): string | undefined {
  return value === undefined ? undefined : shown(value);
}

/** The parameters of a `Bearer` challenge (RFC 9110 §11.2). */
export function challengeParameters(header: string): Map<string, string> {
  const pairs = [...header.matchAll(/([a-z_]+)="([^"]*)"/g)];
  return new Map(pairs.map(([, name = '', value = '']) => [name, value]));
}
