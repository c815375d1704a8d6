import { ExtractJwt, Strategy } from 'passport-jwt';
import { passportIdentity, type IdentitySource } from 'sallyport';

/** Who issues the tokens of partners: a system that was here before this server, with a secret shared by both. */
export const PARTNER_ISSUER = 'office:partners';

interface PartnerToken {
  readonly sub: string;
  readonly workspace: string;
  readonly scope?: string;
  readonly roles?: readonly string[];
}

/** The strategy as such a system would have had it for years; nothing in it knows of Sallyport. */
function existingStrategy(secret: string, audience: string): Strategy {
  return new Strategy(
    {
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKey: secret,
      algorithms: ['HS256'],
      issuer: PARTNER_ISSUER,
      audience,
    },
    (token: PartnerToken, done) => done(null, token),
  );
}

/** Plugs it in beside the identity provider of the office. */
export function partners(secret: string, audience: string): IdentitySource {
  return passportIdentity<PartnerToken>({
    name: 'partners',
    issuer: PARTNER_ISSUER,
    strategy: existingStrategy(secret, audience),
    principal: ({ sub, workspace, scope, roles }) => ({
      issuer: PARTNER_ISSUER,
      // The office keeps a person's rows by subject: a partner who is called as a colleague is still somebody else.
      subject: `partner:${sub}`,
      tenant: workspace,
      scopes: scope?.split(' ') ?? [],
      roles: [...(roles ?? [])],
    }),
  });
}
