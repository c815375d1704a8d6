/** The headers a credential travels in, and no others: each of them is taken for a secret. Names in any case. */
export type CredentialHeaders = Readonly<Record<string, string>>;

/** One header of a credential: `Bearer abc`, or a key by itself. */
export interface CredentialHeader {
  readonly name: string;
  /** Absent when the value is nothing but the secret. */
  readonly scheme: string | undefined;
  readonly secret: string;
}

/** RFC 9110 §11.4: a scheme, and what belongs to it. */
const WITH_SCHEME = /^(\S+) +(.+)$/s;

/** Names in lower case, as node gives them. */
export function lowerCaseNames(headers: CredentialHeaders): CredentialHeaders {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

export function readHeader(name: string, value: string): CredentialHeader {
  const [, scheme, secret] = (name === 'authorization' && WITH_SCHEME.exec(value)) || [];
  return { name, scheme, secret: secret ?? value };
}

export function headerValue(scheme: string | undefined, secret: string): string {
  return scheme === undefined ? secret : `${scheme} ${secret}`;
}

/** What must not be seen anywhere: the values without their schemes, of repeated headers too. */
export function secretsOf(headers: Readonly<Record<string, string | string[] | undefined>>): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((one) => readHeader(name, one).secret),
  );
}
