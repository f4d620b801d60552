// A real OpenID provider with rotation and reuse detection: npm oidc-provider,
// on a free port, as the issuer that it is told.
//
//   node provider.mjs ISSUER FIRST
//
// prints its own address as one line of JSON when it listens and ends with its
// standard input. The access token of a sign-in lives FIRST seconds, that of a
// refresh an hour: so one refresh is due, and only one.
import { createServer } from "node:http";
import { Provider } from "../e2e/node_modules/oidc-provider/lib/index.js";

const [issuer, first] = process.argv.slice(2);
const clientID = "mcpauth-refresh";

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: clientID,
      application_type: "native", // so any port of a loopback redirect URI matches (RFC 8252 7.3)
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      redirect_uris: ["http://127.0.0.1/callback"],
    },
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  scopes: ["openid", "offline_access", "email", "profile"],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  ttl: { AccessToken: (ctx) => (ctx.oidc.params.grant_type === "refresh_token" ? 3600 : Number(first)) },
  features: { devInteractions: { enabled: true }, introspection: { enabled: true }, revocation: { enabled: true } },
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed("refresh_token"),
  findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub, email: sub, email_verified: true }) }),
  cookies: { keys: ["refresh"] },
});
for (const name of ["server_error", "authorization.error", "grant.error"]) {
  provider.on(name, (_ctx, err) => console.error(`provider: ${name}: ${err.message}: ${err.error_description ?? ""}`));
}
const server = createServer(provider.callback());
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ address: `127.0.0.1:${server.address().port}`, client_id: clientID }));
});

// The test that dies takes its provider along.
process.stdin.resume().on("end", () => process.exit(0));
