// A real OpenID provider for the end-to-end tests: npm oidc-provider, on
// loopback, on a free port.
//
//   node provider.mjs ISSUED [REDIRECT_URI…]
//
// prints one line of JSON, {"issuer": …, "client_id": …}, when it listens, and
// ends with its standard input. Every code and token that it issues is appended
// to the file ISSUED, one "kind value" a line, so that the tests know what to
// look for in places where no token may be.
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const [issued, ...redirects] = process.argv.slice(2);
const clientID = "mcpauth-e2e";

// People sign in by any name; the claims are made of it.
const person = (login) => ({
  sub: login,
  email: `${login}@example.com`,
  email_verified: true,
  name: login[0].toUpperCase() + login.slice(1),
  preferred_username: login,
  groups: ["engineering", "on-call"],
});

const configuration = {
  clients: [
    {
      client_id: clientID,
      application_type: "native", // so any port of a loopback redirect URI matches (RFC 8252 7.3)
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      redirect_uris: redirects.length > 0 ? redirects : ["http://127.0.0.1/callback"],
    },
  ],
  claims: {
    openid: ["sub"],
    email: ["email", "email_verified"],
    profile: ["name", "preferred_username"],
    groups: ["groups"],
  },
  scopes: ["openid", "offline_access", "email", "profile", "groups"],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  features: {
    devInteractions: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
  // Strict by OpenID Connect Core 11, the library forgets offline_access where
  // the request lacks prompt=consent, though it asks every user of a native
  // client for consent anyway. Okta, Entra and Keycloak are not that strict.
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed("refresh_token"),
  findAccount: (_ctx, login) => ({ accountId: login, claims: () => person(login) }),
  cookies: { keys: ["e2e"] },
};

const remember = (kind, value) => value && appendFileSync(issued, `${kind} ${value}\n`);

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration);
  provider.on("authorization_code.saved", (code) => remember("code", code.jti));
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.oidc?.route === "token") {
      for (const kind of ["access_token", "refresh_token", "id_token"]) remember(kind, ctx.body?.[kind]);
    }
  });
  for (const name of ["server_error", "authorization.error", "grant.error"]) {
    provider.on(name, (_ctx, err) => console.error(`provider: ${name}: ${err.message}: ${err.error_description ?? ""}`));
  }
  server.on("request", provider.callback());
  console.log(JSON.stringify({ issuer, client_id: clientID }));
});

// The test that dies takes its provider along.
process.stdin.resume().on("end", () => process.exit(0));
