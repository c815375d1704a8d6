/** Is this a scope token by RFC 6749 §3.3? The one place that knows their alphabet. */
export function isScopeToken(scope: string): boolean {
  return /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(scope);
}
