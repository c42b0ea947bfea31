// The handler of bench/src/bin/api.rs behind express-oauth2-jwt-bearer: node server.mjs PORT ISSUER AUDIENCE
import express from 'express';
import { auth } from 'express-oauth2-jwt-bearer';

const [port, issuer, audience] = process.argv.slice(2);
const app = express();
app.disable('x-powered-by');
app.disable('etag');
const guard = auth({
  issuer,
  audience,
  jwksUri: `${issuer}.well-known/jwks.json`,
  tokenSigningAlg: 'RS256',
});
app.get('/api/private', guard, (request, response) => {
  response.json({ message: `Hello, ${request.auth.payload.sub}: your access token is valid.` });
});
// The refusal is the guard's; Express would also print each with its stack.
app.use((error, request, response, next) => {
  response.set(error.headers ?? {}).status(error.status ?? 500).end();
});
app.listen(Number(port), '127.0.0.1');
